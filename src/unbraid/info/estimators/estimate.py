"""What every estimator of information returns: a number, how sure it is, what kind of number, and where it fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from unbraid.errors import InvalidData
from unbraid.types import Floats

__all__ = ["Estimate", "Kind", "estimated", "paired"]

Kind: TypeAlias = Literal["estimate", "lower bound", "upper bound"]
LEVEL = 0.95
NEAR = 0.9
"""The share of its ceiling from which on an estimate is said to be held by it."""


@dataclass(frozen=True)
class Estimate:
    """An amount of information, by one estimator.

    Args:
        value: The amount, in ``units``.
        low: Where its 95 % interval begins. The interval is that of the samples the amount was measured on; neither
            the estimator's own bias nor the luck of a fit is in it.
        high: Where the interval ends.
        kind: Whether the true amount is estimated, or bounded from below or above, but for that interval.
        samples: How many samples it was measured on.
        ceiling: What the estimator cannot exceed, however much information there is.
        warning: A sentence where the estimator is known to fail at such an amount; else empty.
        units: ``"nats"`` or ``"bits"``.
        settings: What else the amount depends on, such as the capacity of a probe.

    >>> Estimate(1.0, 0.9, 1.1, samples=500).bits().value.__round__(4)
    1.4427
    """

    value: float
    low: float
    high: float
    kind: Kind = "estimate"
    samples: int = 0
    ceiling: float = math.inf
    warning: str = ""
    units: Literal["nats", "bits"] = "nats"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __float__(self) -> float:
        return self.value

    def bits(self) -> Estimate:
        """The same in bits."""
        if self.units == "bits":
            return self
        amounts = {name: getattr(self, name) / math.log(2) for name in ("value", "low", "high", "ceiling")}
        return replace(self, units="bits", **amounts)

    @property
    def saturated(self) -> bool:
        """Whether the ceiling holds it down: more information would hardly show."""
        return self.value > NEAR * self.ceiling

    def __str__(self) -> str:
        said = f"{self.value:.3f} {self.units} ({self.low:.3f} .. {self.high:.3f}), {self.kind}"
        return f"{said}; {self.warning}" if self.warning else said


def estimated(terms: npt.ArrayLike, *, value: float | None = None, variance: float = 0.0, **about: Any) -> Estimate:
    """An estimate whose interval is that of a mean.

    Args:
        terms: What the estimate is, or is to first order, the mean of: one number a sample or a batch, at least 2.
        value: The estimate, where it is not that mean.
        variance: What the estimate varies by besides.
        **about: The other fields; ``samples`` is the number of terms unless it is given.

    >>> estimated([1.0, 2.0, 3.0]).value
    2.0
    """
    each = np.asarray(terms, dtype=np.float64)
    count = len(each)
    middle = float(each.mean()) if value is None else value
    half = float(student.ppf(0.5 + LEVEL / 2, count - 1)) * math.sqrt(float(each.var(ddof=1)) / count + variance)
    return Estimate(middle, middle - half, middle + half, **{"samples": count, **about})


def paired(first: npt.ArrayLike, second: npt.ArrayLike, *, least: int = 8) -> tuple[Floats, Floats]:
    """Two sets of samples as ``(N, D)`` and ``(N, E)``, checked.

    Raises:
        InvalidData: When they are not finite numbers about the same samples, of which there must be ``least``.
    """
    both = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    x, y = (values[:, None] if values.ndim == 1 else values for values in both)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < least or 0 in x.shape + y.shape:
        raise InvalidData(
            f"both must be (samples,) or (samples, columns) of the same {least} samples or more, but are "
            f"{both[0].shape} and {both[1].shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InvalidData("information is estimated of finite numbers, but some are infinite or not numbers")
    return x, y
