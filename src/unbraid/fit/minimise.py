"""Differentiable programming: fit numbers to any differentiable function, with no data and no module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.checkpoint import Checkpoint, resume
from unbraid.fit.data import kept_randomness
from unbraid.fit.metric import MetricLike
from unbraid.fit.player import Optimisers
from unbraid.fit.runtime import Runtime
from unbraid.fit.trial import Trial

__all__ = ["Minimum", "Parameters", "minimise"]

T = TypeVar("T")


class Parameters(nn.Module, Generic[T]):
    """Tensors in lists and dictionaries as a module; calling it gives them in the form in which they came.

    Args:
        values: A floating or complex tensor, or a list, tuple or dictionary of them, however nested; they are copied.

    Raises:
        InvalidData: When it holds anything else, or nothing.

    >>> Parameters({"a": torch.zeros(2), "b": [torch.ones(1)]})
    Parameters(a (2,), b.0 (1,))
    """

    def __init__(self, values: T) -> None:
        super().__init__()
        self.names = [name for name, _ in _leaves(values)]
        self.values = nn.ParameterList([nn.Parameter(value.detach().clone()) for _, value in _leaves(values)])
        if not self.names:
            raise InvalidData("there is nothing to fit: give at least one tensor")
        self._form = _rebuilt(values, iter(range(len(self.names))))

    def forward(self) -> T:
        """The parameters, in the form in which they came."""
        return _rebuilt(self._form, iter(self.values))  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        parts = [f"{name} {tuple(value.shape)}" for name, value in zip(self.names, self.values, strict=True)]
        return f"Parameters({', '.join(part.strip() for part in parts)})"


@dataclass(frozen=True)
class Minimum(Generic[T]):
    """What a minimisation found.

    Args:
        parameters: In the form in which they were given, detached.
        loss: The function there.
        history: One row a record: step, epoch and every metric.
        trial: What fitted them; its ``fit`` goes on.
    """

    parameters: T
    loss: float
    history: list[dict[str, float]]
    trial: Trial

    def __repr__(self) -> str:
        return f"Minimum({self.parameters!r}, loss={self.loss:.6g})"


def minimise(
    f: Callable[[T], Tensor | Mapping[str, Tensor]],
    parameters: T,
    *,
    optimizer: Optimisers = None,
    steps: int = 1000,
    callbacks: Iterable[Callback] = (),
    metrics: Sequence[MetricLike] | None = (),
    runtime: Runtime | None = None,
    record_every: int | None = None,
    checkpoint: str | Path | None = None,
) -> Minimum[T]:
    r"""Look for :math:`\arg\min_\theta f(\theta)` by gradients.

    Callbacks and metrics are those of every trial; they find the parameters, in their form, by ``state[MODEL]()``.

    Args:
        f: Takes the parameters in the form in which they are given, and gives a scalar, or named terms to be summed.
        parameters: Where to begin: a tensor, or a list, tuple or dictionary of them; left as they are.
        optimizer: An optimiser's class or a function from parameters to one, such as ``torch.optim.LBFGS``; Adam at a
            learning rate of 0.01 by default.
        steps: In total, at least 1.
        callbacks: As for :class:`Trial`.
        metrics: As for :class:`Trial`.
        runtime: As for :class:`Trial`.
        record_every: Steps between two rows of the history; 100 by default.
        checkpoint: Where to save now and then; what an interrupted call left there is taken up.

    Raises:
        InvalidData: When the parameters are not all floating or complex tensors.
        InvalidOption: When ``f`` gives something that is not a real scalar.

    >>> found = minimise(lambda p: (p["x"] - 2).square() + p["y"].square(), {"x": torch.tensor(0.0),
    ...     "y": torch.tensor(1.0)}, optimizer=torch.optim.LBFGS, steps=5)
    >>> round(found.parameters["x"].item(), 4), round(found.loss, 6)
    (2.0, 0.0)
    """
    if isinstance(optimizer, torch.optim.Optimizer):
        raise InvalidOption(
            "the parameters are copied before they are fitted, so that this optimiser would move others: give its "
            f"class or a function, as in lambda p: torch.optim.{type(optimizer).__name__}(p, lr=0.01)"
        )
    model = Parameters(parameters)

    def value() -> Tensor | Mapping[str, Tensor]:
        found = f(model())
        for name, term in found.items() if isinstance(found, Mapping) else [("what f gives", found)]:
            if not isinstance(term, Tensor) or term.numel() != 1 or term.is_complex():
                kind = f"shape {tuple(term.shape)}, {term.dtype}" if isinstance(term, Tensor) else type(term).__name__
                raise InvalidOption(f"{name} must be a real scalar tensor, but is of {kind}: take its sum or mean")
        return found

    trial = Trial(
        model,
        optimizer or (lambda group: torch.optim.Adam(group, lr=0.01)),
        closure=lambda state: value(),
        metrics=metrics,
        callbacks=callbacks,
        runtime=runtime,
    )
    if checkpoint is not None:
        trial.callbacks.append(Checkpoint(checkpoint))
        resume(trial, checkpoint)
    history = trial.fit(steps=steps, record_every=record_every)
    # With gradients: f may differentiate, too.
    with kept_randomness(), trial.runtime.autocast():
        last = value()
    loss = sum(term.item() for term in last.values()) if isinstance(last, Mapping) else last.item()
    form = model._form
    return Minimum(_rebuilt(form, (p.detach() for p in model.values)), loss, history, trial)


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor, with where it is."""
    if isinstance(values, Tensor):
        if not (values.is_floating_point() or values.is_complex()):
            raise InvalidData(f"{name or 'the tensor'} is {values.dtype}, which has no gradient: give it as float")
        yield name, values
        return
    if isinstance(values, Mapping):
        parts: Iterable[tuple[Any, Any]] = values.items()
    elif isinstance(values, (list, tuple)):
        parts = enumerate(values)
    else:
        raise InvalidData(
            f"{name or 'what is fitted'} is of {type(values).__name__}: give a tensor, or lists or dictionaries"
        )
    for key, value in parts:
        yield from _leaves(value, f"{name}.{key}" if name else str(key))


def _rebuilt(form: Any, values: Iterator[Any]) -> Any:
    """The same lists and dictionaries with other leaves."""
    if isinstance(form, Mapping):
        return {key: _rebuilt(part, values) for key, part in form.items()}
    if isinstance(form, (list, tuple)):
        parts = [_rebuilt(part, values) for part in form]
        return type(form)(*parts) if hasattr(form, "_fields") else type(form)(parts)
    return next(values)
