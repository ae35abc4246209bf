"""Metrics of a whole epoch: outputs are kept, joined once, and looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.fit.metrics.contract import Metric, Reading, Saved, explained, reading
from unbraid.fit.state import Y_PRED, Y_TRUE, State

__all__ = ["Whole", "epoch_metric", "floats"]


class Whole(Metric):
    """A function of everything since the last record: of all predictions and all targets, for instance.

    What came in is joined once, when the value is asked for, and not batch by batch.

    Args:
        name: What it is called.
        function: Of the joined tensors, one for each of ``keep``; gives a number, a tensor, or numbers by name.
        keep: Keys, or functions of the state, that give what is kept: tensors with one row a sample, or scalars.
        cpu: Whether to keep it in the computer's memory and not in the device's; every batch is then waited for.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], *, keep: Sequence[Reading] = (Y_PRED, Y_TRUE), cpu: bool = False
    ) -> None:
        self.name, self.function, self.cpu = name, function, cpu
        self.keep = [reading(of) for of in keep]
        self.kept: list[list[Tensor]] = [[] for _ in keep]

    def update(self, state: State) -> None:
        """Keep a batch's tensors."""
        try:
            for kept, of in zip(self.kept, self.keep, strict=True):
                kept.append(self._placed(of(state)))
        except KeyError as error:
            raise explained(self, error) from None

    def compute(self) -> dict[str, float]:
        """What the function says of everything."""
        if not self.kept[0]:
            return {}
        with torch.no_grad():
            return floats(self.name, self.function(*self._joined()))

    def reset(self) -> None:
        """Forget everything."""
        self.kept = [[] for _ in self.keep]

    def state_dict(self) -> dict[str, Any]:
        """Everything, joined."""
        return {"kept": self._joined() if self.kept[0] else []}

    def load_state_dict(self, state: Saved) -> None:
        """Take up everything."""
        self.reset()
        for kept, tensor in zip(self.kept, state["kept"], strict=False):  # none where nothing came in
            kept.append(self._placed(tensor))

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """Everything of all, one after the other."""
        full = [state["kept"] for state in states if state["kept"]]
        return {"kept": [torch.cat(tensors) for tensors in zip(*full, strict=True)]}

    def _placed(self, value: Any) -> Tensor:
        if not isinstance(value, (Tensor, float, int)):
            raise InvalidOption(
                f"the metric {self.name!r} keeps tensors and numbers, but was given a {type(value).__name__}: "
                "say what to keep by keep=..., or prediction=... and target=..."
            )
        tensor = torch.as_tensor(value).detach()
        tensor = tensor if tensor.ndim else tensor.reshape(1)
        return tensor.cpu() if self.cpu else tensor

    def _joined(self) -> list[Tensor]:
        # Kept joined, so that to be asked twice does not join twice.
        self.kept = [kept if len(kept) == 1 else [torch.cat(kept)] for kept in self.kept]
        return [kept[0] for kept in self.kept]


def epoch_metric(
    *, keep: Sequence[Reading] = (Y_PRED, Y_TRUE), cpu: bool = False
) -> Callable[[Callable[..., Any]], Whole]:
    """A decorator: a function of all predictions and targets, or of what else is kept, computed once a record.

    Args:
        keep: As for :class:`Whole`.
        cpu: As for :class:`Whole`.

    >>> @epoch_metric(cpu=True)
    ... def median_error(y_pred, y_true):
    ...     return (y_pred - y_true).abs().median()
    >>> median_error.name
    'median_error'
    """
    return lambda function: Whole(getattr(function, "__name__", "whole"), function, keep=keep, cpu=cpu)


def floats(name: str, values: Any) -> dict[str, float]:
    """Numbers by name: of a mapping its own names, of a vector the given one with an index.

    >>> floats("acc", torch.tensor([0.5, 1.0]))
    {'acc_0': 0.5, 'acc_1': 1.0}
    """
    if isinstance(values, Mapping):
        return {key: number for part, value in values.items() for key, number in floats(str(part), value).items()}
    if isinstance(values, Tensor) and values.ndim:
        return {f"{name}_{i}": float(value) for i, value in enumerate(values.flatten().tolist())}
    if isinstance(values, (list, tuple)):
        return {key: number for i, value in enumerate(values) for key, number in floats(f"{name}_{i}", value).items()}
    return {name: float(values)}
