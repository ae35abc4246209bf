"""The values of several metrics in one row, where no two may go by one name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unbraid.errors import InvalidOption
from unbraid.fit.callback import sign
from unbraid.fit.metrics.contract import Metric
from unbraid.fit.metrics.mean import Terms
from unbraid.fit.metrics.watch import Now
from unbraid.fit.state import State

__all__ = ["called", "joined"]

OWN = ("step", "epoch")
"""What every row of a history has besides."""


def called(metric: Metric) -> str:
    """What a metric is called in messages."""
    return str(getattr(metric, "name", type(metric).__name__))


def joined(metrics: Sequence[Metric], state: State) -> dict[str, float]:
    """What metrics say, by name; an error says which one it comes from.

    Args:
        metrics: In their order.
        state: For the message of an error.

    Raises:
        InvalidOption: When two go by one name, for one would hide the other.
    """
    values: dict[str, float] = {}
    owners: dict[str, Metric] = {}
    for metric in metrics:
        try:
            for name, value in metric.compute().items():
                # A single term is the loss itself, and may be called so.
                if name in values and not (isinstance(metric, Terms) and _same(name, value, values)):
                    raise InvalidOption(_clash(name, metric, owners[name]))
                if name in OWN and not isinstance(metric, Now):
                    raise InvalidOption(f"{name!r} stands in every row of a history: use another name")
                values[name], owners[name] = value, metric
        except Exception as error:
            sign(error, f"the metric {called(metric)!r}", state)
            raise
    return values


def _same(name: str, value: float, values: dict[str, float]) -> bool:
    before = values[name]
    return name == "loss" and (value == before or (math.isnan(value) and math.isnan(before)))


def _clash(name: str, metric: Metric, before: Metric) -> str:
    if isinstance(metric, Terms):
        other = "the whole" if name == "loss" else "a metric"
        return f"a term of the loss is called {name!r}, and so is {other}: give the term another name"
    one, two = called(before), called(metric)
    who = "two metrics" if one == two else f"the metrics {one!r} and {two!r}"
    return (
        f"{who} both report {name!r}, where one would hide the other: leave one out, or give it a name of its own, "
        "as in CategoricalAccuracy(name='second_acc')"
    )
