"""Metrics by name: short-hands, did-you-mean, one's own, and whatever else a trial is given as a metric."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from torch import nn

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit.metrics.contract import Metric
from unbraid.fit.metrics.mean import Aggregated, Mean, metric
from unbraid.fit.metrics.torchmetric import TorchMetric
from unbraid.fit.state import LOSS, Key, State

__all__ = ["MetricLike", "as_metric", "named", "register"]

M = TypeVar("M")
MetricLike: TypeAlias = Metric | str | Key[Any] | Callable[[State], Any] | nn.Module
"""What a trial takes for a metric: see :func:`as_metric`."""
_NAMED: dict[str, Callable[..., Metric]] = {}


def register(*names: str, replace: bool = False) -> Callable[[M], M]:
    """A decorator that gives short-hands to a metric, its class, a function of the state, or one that makes a metric.

    ``{k}`` in a name stands for any whole number and ``{metric}`` for another short-hand; what is decorated then makes
    the metric, and is given it.

    Args:
        names: The short-hands.
        replace: Whether to take the place of a short-hand that exists.

    Raises:
        InvalidOption: When one is taken.

    >>> from unbraid.fit import metric
    >>> @register("gap", replace=True)
    ... @metric
    ... def gap(state):
    ...     return (state[LOSS] - 1).abs()
    >>> named("gap") is named("gap")
    False
    """

    def decorate(what: M) -> M:
        for name in names:
            if name in _NAMED and not replace:
                raise InvalidOption(f"the metric {name!r} exists already: choose another name, or say replace=True")
            _NAMED[name] = _maker(what, takes="{" in name)
        return what

    return decorate


def named(name: str) -> Metric:
    """A new metric with this short-hand: ``"loss"``, ``"acc"``, ``"top_3_acc"``, ``"running_loss"``...

    Raises:
        UnknownName: When there is none.
    """
    if name in _NAMED:
        return _NAMED[name]()
    for pattern, make in _NAMED.items():
        number = re.fullmatch(pattern.replace("{k}", r"(\d+)"), name) if "{k}" in pattern else None
        if number:
            return make(int(number[1]))
        before, found, after = pattern.partition("{metric}")
        if found and name.startswith(before) and name.endswith(after):
            return make(name[len(before) : len(name) - len(after)])
    raise UnknownName("metric", name, [one.replace("{k}", "5").replace("{metric}", "loss") for one in _NAMED])


def as_metric(what: Any) -> Metric:
    """Whatever a trial is given as a metric: a short-hand, a metric, a key, a function, or one of ``torchmetrics``.

    Raises:
        InvalidOption: When it is none of these.
        UnknownName: When there is no such short-hand.
    """
    if isinstance(what, Metric):
        return what
    if isinstance(what, str):
        return named(what)
    if isinstance(what, Key):
        return Aggregated(what.name, what)
    if isinstance(what, type):
        raise InvalidOption(f"{what.__name__} is a class: give an instance, {what.__name__}(...)")
    if isinstance(what, nn.Module) and all(callable(getattr(what, m, None)) for m in ("update", "compute", "reset")):
        return TorchMetric(what)
    if callable(what) and not isinstance(what, nn.Module):
        return metric(what)
    raise InvalidOption(f"a metric is a short-hand, a Metric, a key, a function or of torchmetrics, but is {what!r}")


def _maker(what: Any, *, takes: bool) -> Callable[..., Metric]:
    if isinstance(what, Metric):
        return lambda: copy.deepcopy(what)
    if takes or isinstance(what, type) or not inspect.signature(what).parameters:
        return what  # type: ignore[no-any-return]
    return lambda: metric(what)


register("loss")(lambda: Mean("loss", LOSS))
