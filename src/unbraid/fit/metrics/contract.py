"""What a metric is: sums and counts kept on the device, read only when somebody looks.

A metric is asked to ``update`` after every batch and never makes the device wait; ``compute`` does, once a record.
Whatever is a sum adds up over batches and over processes alike, so most metrics only name their sums (:class:`Sums`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.fit.state import Key, State

__all__ = ["Metric", "Reading", "Saved", "Sums", "explained", "ratio", "reading", "reduce", "wide"]

Reading: TypeAlias = Key[Any] | Callable[[State], Any]
"""Where a metric finds something: a key of the state, or a function of it."""
Saved: TypeAlias = Mapping[str, Any]
"""What a metric's ``state_dict`` gave."""


class Metric(ABC):
    """A number (or several) gathered over batches."""

    synchronises: ClassVar[bool] = False
    """Whether ``compute`` itself speaks with the other processes, so that :func:`reduce` must leave it alone."""

    @abstractmethod
    def update(self, state: State) -> None:
        """Take in the batch that has just been computed, without making the device wait."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """The values since the last reset, by name; empty when nothing came in."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""

    def state_dict(self) -> dict[str, Any]:
        """What must survive an interruption; later updates leave it as it is."""
        return {}

    def load_state_dict(self, state: Saved) -> None:  # noqa: B027 - a metric without memory need not say so
        """Take up what :meth:`state_dict` gave, on the device where updates come from."""

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The state of a metric that has seen what all of these have, such as those of several processes, in order.

        Raises:
            InvalidOption: When the metric does not say how.
        """
        if len(states) == 1 or not any(states):
            return dict(states[0])
        raise InvalidOption(
            f"{type(self).__name__} does not say how to merge the states of several processes: override merge(states)"
        )


class Sums(Metric):
    """A metric made of sums: attributes that begin at 0 and to which every batch adds a number or a tensor."""

    sums: ClassVar[tuple[str, ...]]
    """The attributes that are sums."""
    met = False

    def __init__(self) -> None:
        self.reset()

    @abstractmethod
    def add(self, state: State) -> None:
        """Add what the batch holds to the sums."""

    def meet(self, state: State) -> None:
        """Called once, before the first batch is added: find out what depends on the trial, such as its criterion."""

    def update(self, state: State) -> None:
        """Take in a batch.

        Raises:
            InvalidOption: When the state does not hold what the metric reads.
        """
        try:
            if not self.met:
                self.meet(state)
                self.met = True
            self.add(state)
        except KeyError as error:
            raise explained(self, error) from None

    @property
    def empty(self) -> bool:
        """Whether nothing came in since the last reset; asks no device."""
        values = [getattr(self, name) for name in self.sums]
        return not any(isinstance(value, Tensor) or value for value in values)

    def reset(self) -> None:
        """Forget everything."""
        for name in self.sums:
            setattr(self, name, 0)

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {name: _own(getattr(self, name)) for name in self.sums}

    def load_state_dict(self, state: Saved) -> None:
        """Take up the sums."""
        for name in self.sums:
            setattr(self, name, _own(state[name]))

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The sums of the sums."""
        return {name: sum(state[name] for state in states) for name in self.sums}


def reduce(metrics: Sequence[Metric], gather: Callable[[Any], Sequence[Any]]) -> None:
    """Make metrics what they would be had each seen the batches of every process: to be called before ``compute``.

    One exchange for all of them. A process need not have seen a batch. Reset the metrics afterwards, or give them
    back the ``state_dict()`` of before.

    Args:
        metrics: The same in every process.
        gather: Gives what every process handed in, in the order of their ranks: ``all_gather_object``.
    """
    mine = [_on_cpu(one.state_dict()) if not one.synchronises else {} for one in metrics]
    everywhere = gather(mine)
    for i, one in enumerate(metrics):
        if not one.synchronises:
            one.load_state_dict(one.merge([states[i] for states in everywhere]))


def reading(of: Reading) -> Callable[[State], Any]:
    """What reads a key, or the function itself."""
    return itemgetter(of) if isinstance(of, Key) else of


def wide(value: Tensor) -> Tensor:
    """A tensor in float64, or where the device has none (MPS) in float32."""
    return value.to(torch.float32 if value.is_mps else torch.float64)


def ratio(part: Tensor | float, whole: Tensor | float) -> float:
    """A quotient; of nothing it is NaN."""
    whole = float(whole)
    return float(part) / whole if whole else float("nan")


def explained(one: Any, error: KeyError) -> Exception:
    """What to raise when a metric did not find a key: a sentence; any other error is itself."""
    key = error.args[0] if error.args else None
    if not isinstance(key, Key):
        return error
    name = getattr(one, "name", type(one).__name__)
    return InvalidOption(
        f"the metric {name!r} reads {key.name!r}, which the state does not hold when metrics are updated: "
        "set it in the closure, or in a callback at on_criterion or before"
    )


def _own(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, Mapping):
        return {key: _on_cpu(one) for key, one in value.items()}
    return [_on_cpu(one) for one in value] if isinstance(value, (list, tuple)) else value
