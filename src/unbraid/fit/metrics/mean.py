"""The mean over samples, and several aggregates of one function of the state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.fit.metrics.contract import Metric, Reading, Saved, Sums, explained, ratio, reading, wide
from unbraid.fit.state import COUNT, TERMS, Key, State

__all__ = ["HANDED", "Aggregate", "Aggregated", "Mean", "Terms", "metric"]

HANDED: Key[Any] = Key("handed")
"""Where an aggregate reads that is handed its values."""


class Aggregate(Sums):
    """A metric of one value a batch: what a function of the state gives, taken in with its weight.

    Args:
        name: What it is called.
        of: A key, or a function of the state, that gives a number or a tensor.
    """

    def __init__(self, name: str, of: Reading) -> None:
        super().__init__()
        self.name, self.of = name, reading(of)

    def add(self, state: State) -> None:
        """Take in the batch's value, with the number of its samples."""
        self.take(self.of(state), state[COUNT])

    @abstractmethod
    def take(self, value: Any, n: float | Tensor) -> None:
        """Take in a value that stands for ``n`` samples."""


class Mean(Aggregate):
    """The mean over samples of a scalar that is itself a mean over the batch: a small last batch counts for less.

    Args:
        name: What it is called.
        of: A key, or a function of the state, that gives the scalar; of a larger tensor the mean is taken.
        weight: What a batch counts for, where that is not the number of its samples.
    """

    sums = ("total", "weight")
    total: Tensor | float
    weight: Tensor | float

    def __init__(self, name: str, of: Reading, *, weight: Reading = COUNT) -> None:
        super().__init__(name, of)
        self.weigh = reading(weight)

    def add(self, state: State) -> None:
        """Take in the batch's value with its weight."""
        self.take(self.of(state), self.weigh(state))

    def take(self, value: Any, n: float | Tensor) -> None:
        """Add a value, ``n`` times."""
        if isinstance(value, Tensor):
            value = value.detach()
            if value.ndim:
                value = wide(value).mean()
            if isinstance(self.total, Tensor) and not isinstance(n, Tensor):
                self.total.add_(value, alpha=n)
            else:
                # A float64 sum: over a long epoch float32 loses digits.
                self.total = wide(value) * n + self.total
        else:
            self.total = self.total + float(value) * n
        self.weight = self.weight + n

    def compute(self) -> dict[str, float]:
        """The mean, by its name."""
        return {} if self.empty else {self.name: ratio(self.total, self.weight)}


class Aggregated(Metric):
    """One function of the state, evaluated once a batch, and everything that is made of its values.

    Args:
        name: What the value is called, unless the function gives several by name.
        of: A key or a function of the state that gives a number, a tensor, or a mapping of names to them.
        parts: What makes an aggregate (the mean, the standard deviation ...) of the value with a given name; the mean
            where nothing is given.
        weight: What a batch counts for, where that is not the number of its samples.
    """

    def __init__(
        self, name: str, of: Reading, parts: Sequence[Callable[[str], Any]] = (), *, weight: Reading = COUNT
    ) -> None:
        self.name, self.of, self.weigh = name, reading(of), reading(weight)
        self.given = tuple(parts)
        self.parts = self.given or (lambda name: Mean(name, HANDED),)
        self.made: dict[str, list[Any]] = {}

    def update(self, state: State) -> None:
        """Evaluate the function and hand its values on."""
        try:
            self.take(self.of(state), self.weigh(state))
        except KeyError as error:
            raise explained(self, error) from None

    def take(self, value: Any, n: float | Tensor) -> None:
        """Take in a value, or values by name, for ``n`` samples."""
        for name, one in value.items() if isinstance(value, Mapping) else ((self.name, value),):
            for part in self._made(name):
                part.take(one, n)

    def compute(self) -> dict[str, float]:
        """Every part of every value."""
        return {name: value for part in self._all() for name, value in part.compute().items()}

    def reset(self) -> None:
        """Forget everything."""
        for part in self._all():
            part.reset()

    def state_dict(self) -> dict[str, Any]:
        """The parts' states by the values' names."""
        return {name: [part.state_dict() for part in parts] for name, parts in self.made.items()}

    def load_state_dict(self, state: Saved) -> None:
        """Take up the parts' states."""
        self.made = {}
        for name, saved in state.items():
            for part, one in zip(self._made(name), saved, strict=True):
                part.load_state_dict(one)

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """Part by part; a name need not be known everywhere."""
        return {
            name: [
                part(name).merge([state[name][i] for state in states if name in state])
                for i, part in enumerate(self.parts)
            ]
            for name in dict.fromkeys(name for state in states for name in state)
        }

    def _made(self, name: str) -> list[Any]:
        if name not in self.made:
            self.made[name] = [part(name) for part in self.parts]
        return self.made[name]

    def _all(self) -> list[Any]:
        return [part for parts in self.made.values() for part in parts]


class Terms(Aggregated):
    """The mean of every named term of the loss, whichever player it belongs to."""

    def __init__(self) -> None:
        super().__init__("terms", TERMS)


def metric(function: Callable[[State], Any]) -> Mean:
    """A decorator: the mean over samples of any function of the state, under the function's name.

    Raises:
        InvalidOption: When the function has no name to go by.

    >>> from unbraid.fit.state import Y_PRED
    >>> @metric
    ... def spread(state):
    ...     return state[Y_PRED].std()
    >>> spread.name
    'spread'
    """
    name = getattr(function, "__name__", "<lambda>")
    if name == "<lambda>":
        raise InvalidOption("a metric needs a name: define a function with def, or give Mean('a name', function)")
    return Mean(name, function)
