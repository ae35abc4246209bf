"""Spread and recency, and the decorators that put aggregates of one function together.

.. code-block:: python

    @mean
    @std
    @running_mean(batches=20)
    def length(state): ...          # length, length_std, running_length; evaluated once a batch
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.fit.metrics.contract import Metric, Reading, Saved, ratio, wide
from unbraid.fit.metrics.mean import HANDED, Aggregate, Aggregated, Mean, metric
from unbraid.fit.metrics.names import as_metric, named, register
from unbraid.fit.state import Key, State

__all__ = ["Recent", "Std", "Var", "mean", "running_mean", "std", "to_dict", "var"]

Made: TypeAlias = Callable[[str], Any]
"""Makes an aggregate from the name of its value."""
Moments: TypeAlias = tuple[Any, Any, Any, Any]
"""Sum of the weights, of their squares, mean, sum of squared deviations."""


class Var(Aggregate):
    r"""The variance of a value over samples, from the moments of each batch merged without cancellation.

    Every element of a tensor is one sample; a scalar stands for as many as its batch holds. With weights :math:`w_i`,
    which are all 1 for elements,

    .. math:: \sum_i w_i (v_i - \bar v)^2 \big/ \big( \textstyle\sum_i w_i - \sum_i w_i^2 / \sum_i w_i \big),

    which for equal weights is the familiar estimate with :math:`n - 1`.

    Args:
        name: What it is called.
        of: A key, or a function of the state, that gives the value.
        unbiased: Whether to divide as above, or by the sum of the weights.

    References:
        Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    sums = ("weight", "squared_weight", "centre", "spread")
    weight: Tensor | float
    squared_weight: Tensor | float
    centre: Tensor | float
    spread: Tensor | float

    def __init__(self, name: str, of: Reading, *, unbiased: bool = True) -> None:
        super().__init__(name, of)
        self.unbiased = unbiased

    def take(self, value: Any, n: float | Tensor) -> None:
        """Merge the moments of a batch with those of all before."""
        value = wide(value.detach()) if isinstance(value, Tensor) else float(value)
        batch: Moments = (n, n * n, value, 0.0)
        if isinstance(value, Tensor) and value.ndim:
            centre = value.mean() if value.numel() else 0.0
            batch = (value.numel(), value.numel(), centre, (value - centre).square().sum())
        so_far = (self.weight, self.squared_weight, self.centre, self.spread)
        self.weight, self.squared_weight, self.centre, self.spread = _merged(so_far, batch)

    def compute(self) -> dict[str, float]:
        """The variance, by its name; NaN for a single sample where the estimate is unbiased."""
        if self.empty:
            return {}
        weight, squared_weight = float(self.weight), float(self.squared_weight)
        return {self.name: ratio(self.spread, weight - ratio(squared_weight, weight) if self.unbiased else weight)}

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The moments of all together."""
        merged: Moments = (0, 0, 0.0, 0.0)
        for state in states:
            merged = _merged(merged, (state["weight"], state["squared_weight"], state["centre"], state["spread"]))
        return dict(zip(self.sums, merged, strict=True))


class Std(Var):
    """The standard deviation: the square root of :class:`Var`."""

    def compute(self) -> dict[str, float]:
        """The standard deviation, by its name."""
        return {name: math.sqrt(value) for name, value in super().compute().items()}


class Recent(Metric):
    """Any metric over the last batches alone, as ``running_<name>``; a reset forgets those too.

    Args:
        of: The metric.
        batches: How many, at least 1.
    """

    def __init__(self, of: Metric, batches: int = 50) -> None:
        require_at_least(1, batches=batches)
        self.of, self.states = of, deque[Saved](maxlen=batches)

    def update(self, state: State) -> None:
        """Remember a batch, and forget the oldest where it is one too many."""
        self.of.reset()
        self.of.update(state)
        self.states.append(self.of.state_dict())

    def take(self, value: Any, n: float | Tensor) -> None:
        """As :meth:`update`, where the metric is an aggregate whose value is known."""
        self.of.reset()
        self.of.take(value, n)  # type: ignore[attr-defined]
        self.states.append(self.of.state_dict())

    def compute(self) -> dict[str, float]:
        """The metric over what is remembered."""
        if not self.states:
            return {}
        self.of.reset()
        self.of.load_state_dict(self.of.merge(list(self.states)))
        return {f"running_{name}": value for name, value in self.of.compute().items()}

    def reset(self) -> None:
        """Forget everything."""
        self.of.reset()
        self.states.clear()

    def state_dict(self) -> dict[str, Any]:
        """The state of each batch."""
        return {"batches": list(self.states)}

    def load_state_dict(self, state: Saved) -> None:
        """Take up the batches."""
        self.reset()
        self.states.extend(state["batches"])

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The last batches of all, the second to last of all, and so on."""
        lists = [state["batches"] for state in states]
        ages = range(max(map(len, lists)), 0, -1)
        return {"batches": [self.of.merge([batches[-age] for batches in lists if age <= len(batches)]) for age in ages]}


def mean(of: Reading | Metric) -> Aggregated:
    """A decorator: the mean of a function of the state over samples, beside what other decorators make of it."""
    return _with(of, _mean)


@overload
def var(of: Reading | Metric) -> Aggregated: ...
@overload
def var(*, unbiased: bool = True) -> Callable[[Reading | Metric], Aggregated]: ...
def var(of: Any = None, *, unbiased: bool = True) -> Any:
    """A decorator: the variance of a function of the state over samples, as ``<name>_var``; see :class:`Var`."""
    return _decorator(of, lambda name: Var(f"{name}_var", HANDED, unbiased=unbiased))


@overload
def std(of: Reading | Metric) -> Aggregated: ...
@overload
def std(*, unbiased: bool = True) -> Callable[[Reading | Metric], Aggregated]: ...
def std(of: Any = None, *, unbiased: bool = True) -> Any:
    """A decorator: the standard deviation of a function of the state over samples, as ``<name>_std``.

    >>> from unbraid.fit.state import COUNT, LOSS
    >>> @mean
    ... @std
    ... def gap(state):
    ...     return state[LOSS] - 1
    >>> for value in (2.0, 4.0):
    ...     gap.update(State({LOSS: torch.tensor(value), COUNT: 8}))
    >>> {name: round(value, 3) for name, value in gap.compute().items()}
    {'gap': 2.0, 'gap_std': 1.414}
    """
    return _decorator(of, lambda name: Std(f"{name}_std", HANDED, unbiased=unbiased))


@overload
def running_mean(of: Reading | Metric | str) -> Metric: ...
@overload
def running_mean(*, batches: int = 50) -> Callable[[Reading | Metric | str], Metric]: ...
def running_mean(of: Any = None, *, batches: int = 50) -> Any:
    """A decorator: the mean over the last batches, as ``running_<name>``; any metric or short-hand will do too."""
    require_at_least(1, batches=batches)

    def decorate(of: Any) -> Metric:
        if isinstance(of, str) or (isinstance(of, Metric) and not isinstance(of, (Mean, Aggregated))):
            return Recent(as_metric(of), batches)
        return _with(of, lambda name: Recent(Mean(name, HANDED), batches))

    return decorate if of is None else decorate(of)


def to_dict(of: Reading | Metric) -> Aggregated:
    """A decorator for a function that gives several values by name: each goes by its own, not by the function's.

    >>> from unbraid.fit.state import COUNT
    >>> @std
    ... @to_dict
    ... def sizes(state):
    ...     return {"batch": state[COUNT]}
    >>> for n in (1, 1):
    ...     sizes.update(State({COUNT: n}))
    >>> sizes.compute()
    {'batch_std': 0.0}
    """
    return _with(of)


def _with(of: Any, *parts: Made) -> Aggregated:
    """What is decorated, with one more aggregate of it, first."""
    if isinstance(of, Aggregated):
        return Aggregated(of.name, of.of, (*parts, *of.given), weight=of.weigh)
    if isinstance(of, Key):
        return Aggregated(of.name, of, parts)
    one = of if isinstance(of, Mean) else metric(of)
    given = (_mean,) if isinstance(of, Mean) else ()
    return Aggregated(one.name, one.of, (*parts, *given), weight=one.weigh)


def _decorator(of: Any, part: Made) -> Any:
    return (lambda of: _with(of, part)) if of is None else _with(of, part)


def _mean(name: str) -> Mean:
    return Mean(name, HANDED)


def _merged(one: Moments, other: Moments) -> Moments:
    """The moments of two sets of samples together."""
    weight = one[0] + other[0]
    share, difference = _share(other[0], weight), other[2] - one[2]
    centre = one[2] + difference * share
    return weight, one[1] + other[1], centre, one[3] + other[3] + difference * difference * (one[0] * share)


def _share(part: Any, whole: Any) -> Any:
    if isinstance(whole, Tensor):  # never asked for its value, which may be 0
        return part / whole.clamp_min(torch.finfo(torch.float32).tiny)
    return part / whole if whole else 0.0


register("running_{metric}")(lambda name: Recent(named(name)))
