"""Whether a classifier is right as often as it says.

References:
    Guo et al., "On calibration of modern neural networks", ICML 2017, arXiv:1706.04599.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidData, require_at_least
from unbraid.types import Floats, Integers

__all__ = ["calibration_error", "negative_log_likelihood"]


def calibration_error(probabilities: Floats, labels: Integers, *, bins: int = 15) -> float:
    r"""The expected calibration error, in [0, 1].

    .. math:: \sum_b \frac{n_b}{N} \big| \mathrm{accuracy}_b - \mathrm{confidence}_b \big|

    over bins of equal width of the confidence, the highest probability.

    Args:
        probabilities: ``(N, C)``, rows that sum to 1.
        labels: ``(N,)``.
        bins: At least 1.

    Raises:
        InvalidData: When the arrays do not fit together.

    >>> calibration_error(np.full((10, 2), [0.8, 0.2]), np.array([0] * 8 + [1] * 2)) < 1e-12
    True
    """
    require_at_least(1, bins=bins)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise InvalidData(
            f"probabilities (N, C) and labels (N,) do not fit together: they are {probabilities.shape}, {labels.shape}"
        )
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def negative_log_likelihood(probabilities: Floats, labels: Integers) -> float:
    """The mean surprise at the labels, in nats; a probability of 0 counts as the least that there is.

    >>> round(negative_log_likelihood(np.array([[0.5, 0.5]]), np.array([1])), 3)
    0.693
    """
    chosen = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())
