r"""Mutual information of discrete labels by counting, with its bias taken off.

References:
    Miller, "Note on the bias of information estimates", 1955.
    Grassberger, "Entropy estimates from insufficient samplings", 2003, arXiv:physics/0307138.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.estimators.estimate import Estimate, estimated
from unbraid.types import Floats, Integers

__all__ = ["Correction", "plugin_information", "table_information"]

Correction = Literal["none", "miller-madow", "grassberger"]
SCARCE = 1.0
"""Samples for each pair of values that occur, below which no correction is known to be enough."""


def table_information(table: npt.ArrayLike) -> float:
    r"""The mutual information of two discrete variables whose joint distribution is known, in nats: exact.

    .. math:: I(a; b) = \sum_{a, b} p(a, b) \log \frac{p(a, b)}{p(a)\, p(b)}

    Args:
        table: p(a, b), or counts, at least 0 and not all 0: ``(A, B)``.

    >>> round(table_information([[0.5, 0.0], [0.0, 0.5]]), 4)  # log 2
    0.6931
    """
    joint = np.asarray(table, dtype=np.float64)
    if joint.ndim != 2 or not np.isfinite(joint).all() or (joint < 0).any() or not joint.any():
        raise InvalidData(f"a joint distribution is a table of numbers of 0 or more, but this one is {joint.shape}")
    joint = joint / joint.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return max(float((joint[there] * np.log(joint[there] / apart[there])).sum()), 0.0)


def plugin_information(
    first: npt.ArrayLike, second: npt.ArrayLike, *, correction: Correction = "grassberger"
) -> Estimate:
    r"""The mutual information of two columns of labels, :math:`H(a) + H(b) - H(a, b)`, by counts.

    Counting alone overstates it by about :math:`(A - 1)(B - 1) / 2N`. Each entropy is corrected:

    * ``miller-madow`` adds :math:`(K - 1) / 2N` for K values that occur;
    * ``grassberger`` is :math:`\log N - \frac1N \sum_k n_k\, G(n_k)` with
      :math:`G(n) = \psi(n) + \frac{(-1)^n}{2} \big(\psi(\tfrac{n+1}2) - \psi(\tfrac n2)\big)`, good also where most
      values occur once or twice.

    A corrected estimate may be a little below 0, as an unbiased one of independent labels must be half of the time.

    Args:
        first: Whole numbers, ``(N,)``.
        second: Whole numbers about the same samples, ``(N,)``.
        correction: ``"grassberger"``, ``"miller-madow"`` or ``"none"``.

    Raises:
        InvalidData: When the labels are not whole numbers about the same samples, two at least.
        InvalidOption: When the correction is unknown.

    >>> labels = np.arange(400) % 4
    >>> round(plugin_information(labels, labels, correction="none").value, 4)  # log 4
    1.3863
    """
    if correction not in CORRECTIONS:
        raise InvalidOption(f"correction must be one of {', '.join(CORRECTIONS)}, but is {correction!r}")
    a, b = (np.asarray(labels) for labels in (first, second))
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2 or a.dtype.kind not in "iub" or b.dtype.kind not in "iub":
        raise InvalidData(
            f"labels must be whole numbers (N,) about the same samples, but have shapes {a.shape}, {b.shape} and types "
            f"{a.dtype}, {b.dtype}"
        )
    a, b = (np.unique(labels, return_inverse=True)[1] for labels in (a, b))
    both = np.unique(a * (b.max() + 1) + b, return_inverse=True)[1]
    counts = [np.bincount(labels) for labels in (a, b, both)]
    count = len(a)
    of = CORRECTIONS[correction]
    value = of(counts[0]) + of(counts[1]) - of(counts[2])
    own = [n[labels] for n, labels in zip(counts, (a, b, both), strict=True)]
    local = np.log(count * own[2] / (own[0] * own[1]))
    freedom = (len(counts[0]) - 1) * (len(counts[1]) - 1)
    scarce = count < SCARCE * len(counts[0]) * len(counts[1]) and correction != "none"
    warning = (
        f"{count:,} samples are fewer than the {len(counts[0]) * len(counts[1]):,} pairs of values: what is left of "
        "the bias may be as large as the amount"
    )
    return estimated(
        local,
        value=value,
        # Where labels are independent the first order vanishes, and 2 N I is a chi-square.
        variance=freedom / (2 * count**2) if freedom < count else 0.0,
        ceiling=math.log(min(len(counts[0]), len(counts[1]))) if min(len(counts[0]), len(counts[1])) > 1 else 0.0,
        warning=warning if scarce or (correction == "none" and count < 10 * freedom) else "",
        settings={"correction": correction, "values": (len(counts[0]), len(counts[1]))},
    )


def _counted(counts: Integers) -> float:
    total = counts.sum()
    return float(math.log(total) - counts @ np.log(counts) / total)


def _miller_madow(counts: Integers) -> float:
    return _counted(counts) + (len(counts) - 1) / (2 * float(counts.sum()))


def _grassberger(counts: Integers) -> float:
    n: Floats = counts.astype(np.float64)
    sign = np.where(counts % 2 == 0, 1.0, -1.0)
    known = digamma(n) + 0.5 * sign * (digamma((n + 1) / 2) - digamma(n / 2))
    return float(math.log(n.sum()) - n @ known / n.sum())


CORRECTIONS: Mapping[str, Callable[[Integers], float]] = {
    "grassberger": _grassberger,
    "miller-madow": _miller_madow,
    "none": _counted,
}
