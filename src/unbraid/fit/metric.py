"""Metrics: sums and counts kept on the device, read only when somebody looks.

A metric is asked to ``update`` after every batch and never makes the device wait; ``compute`` does, once a record.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import UnknownName
from unbraid.fit.state import COUNT, LOSS, TERMS, Y_PRED, Y_TRUE, Key, State

__all__ = ["Mean", "Metric", "Terms", "metric", "named"]


class Metric(ABC):
    """A number (or several) gathered over batches."""

    @abstractmethod
    def update(self, state: State) -> None:
        """Take in the batch that has just been computed."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """The values since the last reset, by name; empty when nothing came in."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""

    def state_dict(self) -> dict[str, Any]:
        """What must survive an interruption."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - a metric without memory need not say so
        """Take up what :meth:`state_dict` gave."""


class Mean(Metric):
    """The mean over samples of a scalar that is itself a mean over the batch: a small last batch counts for less.

    Args:
        name: What it is called.
        of: A key, or a function of the state, that gives the scalar.
    """

    def __init__(self, name: str, of: Key[Any] | Callable[[State], Tensor | float]) -> None:
        self.name = name
        self.of: Callable[[State], Any] = (lambda state: state[of]) if isinstance(of, Key) else of
        self.total: Tensor | None = None
        self.samples = 0

    def update(self, state: State) -> None:
        """Add the batch's value, weighted by its samples."""
        value, n = self.of(state), state[COUNT]
        if isinstance(value, Tensor):
            value = value.detach()
            # A float64 sum: over a long epoch float32 loses digits. MPS has no float64.
            self.total = (
                value.to(torch.float32 if value.is_mps else torch.float64) * n
                if self.total is None
                else self.total.add_(value, alpha=n)
            )
        else:
            self.total = (
                torch.tensor(float(value) * n, dtype=torch.float64)
                if self.total is None
                else self.total.add_(value * n)
            )
        self.samples += n

    def compute(self) -> dict[str, float]:
        """The mean, by its name."""
        return {} if self.total is None else {self.name: self.total.item() / self.samples}

    def reset(self) -> None:
        """Forget everything."""
        self.total, self.samples = None, 0

    def state_dict(self) -> dict[str, Any]:
        """Sum and count."""
        return {"total": self.total, "samples": self.samples}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up sum and count."""
        self.total, self.samples = state["total"], state["samples"]


class Terms(Metric):
    """The mean of every named term of the loss, whichever player it belongs to."""

    def __init__(self) -> None:
        self.means: dict[str, Mean] = {}

    def update(self, state: State) -> None:
        """Add every term."""
        for name in state[TERMS]:
            if name not in self.means:
                self.means[name] = Mean(name, _term(name))
            self.means[name].update(state)

    def compute(self) -> dict[str, float]:
        """The means, by the terms' names."""
        return {name: value for mean in self.means.values() for name, value in mean.compute().items()}

    def reset(self) -> None:
        """Forget everything."""
        for mean in self.means.values():
            mean.reset()

    def state_dict(self) -> dict[str, Any]:
        """Sums and counts by name."""
        return {name: mean.state_dict() for name, mean in self.means.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up sums and counts."""
        for name, saved in state.items():
            self.means[name] = Mean(name, _term(name))
            self.means[name].load_state_dict(saved)


def _term(name: str) -> Callable[[State], Tensor]:
    return lambda state: state[TERMS][name]


def _accuracy(state: State) -> Tensor:
    correct: Tensor = state[Y_PRED].detach().argmax(dim=1) == state[Y_TRUE]
    return correct.float().mean()


def _squared_error(state: State) -> Tensor:
    error: Tensor = state[Y_PRED].detach() - state[Y_TRUE]
    return error.square().mean()


_NAMED: dict[str, Callable[[], Metric]] = {
    "loss": lambda: Mean("loss", LOSS),
    "acc": lambda: Mean("acc", _accuracy),
    "mse": lambda: Mean("mse", _squared_error),
}


def named(name: str) -> Metric:
    """The metric with this short-hand (``"loss"``, ``"acc"``, ``"mse"``).

    Raises:
        UnknownName: When there is none.
    """
    if name not in _NAMED:
        raise UnknownName("metric", name, _NAMED)
    return _NAMED[name]()


def metric(function: Callable[[State], Tensor | float]) -> Mean:
    """A decorator: the mean over samples of any function of the state, under the function's name.

    >>> @metric
    ... def spread(state):
    ...     return state[Y_PRED].std()
    >>> spread.name
    'spread'
    """
    return Mean(getattr(function, "__name__", "metric"), function)
