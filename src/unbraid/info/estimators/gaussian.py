"""Mutual information of jointly Gaussian variables, in closed form and from samples."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from unbraid.errors import InvalidData
from unbraid.info.estimators.estimate import Estimate, estimated, paired
from unbraid.types import Floats

__all__ = ["covariance_information", "gaussian_information"]


def covariance_information(covariance: npt.ArrayLike, split: int) -> float:
    r"""The mutual information of the first ``split`` of jointly Gaussian variables and the others, in nats: exact.

    .. math:: I(x; y) = \tfrac12 \log \frac{\det \Sigma_x \det \Sigma_y}{\det \Sigma}

    Args:
        covariance: :math:`\Sigma`, symmetric and positive definite, ``(D, D)``.
        split: Where y begins, 1 .. D - 1.

    Raises:
        InvalidData: When the covariance is none, or nothing is left on one side.

    >>> round(covariance_information([[1, 0.6], [0.6, 1]], 1), 4)  # -1/2 log(1 - 0.36)
    0.2231
    """
    whole = np.asarray(covariance, dtype=np.float64)
    if whole.ndim != 2 or whole.shape[0] != whole.shape[1] or not 0 < split < len(whole):
        raise InvalidData(
            f"a covariance is square and split leaves variables on both sides, but they are {whole.shape}, {split}"
        )
    return 0.5 * (_logdet(whole[:split, :split]) + _logdet(whole[split:, split:]) - _logdet(whole))


def gaussian_information(first: npt.ArrayLike, second: npt.ArrayLike) -> Estimate:
    r"""The mutual information of two sets of variables as if they were jointly Gaussian, from samples.

    The covariance of samples has a log determinant that is too small by an amount which is known exactly,
    :math:`\sum_{i=0}^{D-1} \psi(\tfrac{N - 1 - i}2) - D \log \tfrac{N - 1}2`, and is taken off: of Gaussians the
    estimate is unbiased. Of other distributions it tells how much linear dependence there is: less than everything for
    Gaussian marginals, no bound at all for others.

    Args:
        first: ``(N,)`` or ``(N, D)``.
        second: ``(N,)`` or ``(N, E)``.

    Raises:
        InvalidData: When samples do not fit together, are not more than the columns, or a column is a sum of others.

    >>> x = np.random.default_rng(0).normal(size=(4000, 2))
    >>> abs(gaussian_information(x[:, 0], x[:, 0] + x[:, 1]).value - 0.5 * math.log(2)) < 0.05
    True
    """
    x, y = paired(first, second)
    both = np.hstack([x, y])
    count, columns = both.shape
    if count < columns + 3:
        raise InvalidData(f"{columns} columns need {columns + 3} samples or more, but there are {count}")
    both = both - both.mean(axis=0)
    covariance = both.T @ both / (count - 1)
    split = x.shape[1]
    value = covariance_information(covariance, split)
    value += 0.5 * (_bias(columns, count) - _bias(split, count) - _bias(columns - split, count))
    distances = [_mahalanobis(part) for part in (both[:, :split], both[:, split:], both)]
    # The first order of the estimate in its samples; where nothing is shared, 2 N I is a chi-square.
    local = 0.5 * (distances[0] + distances[1] - distances[2])
    return estimated(local, value=value, variance=split * (columns - split) / (2 * count**2))


def _bias(columns: int, count: int) -> float:
    """How far the expected log determinant of a covariance of samples is from the true one."""
    half = 0.5 * (count - 1 - np.arange(columns))
    return float(digamma(half).sum() - columns * math.log(0.5 * (count - 1)))


def _mahalanobis(part: Floats) -> Floats:
    left = np.linalg.qr(part)[0]
    distances: Floats = (left**2).sum(axis=1) * (len(part) - 1)
    return distances


def _logdet(matrix: Floats) -> float:
    sign, size = np.linalg.slogdet(matrix)
    if sign <= 0 or not math.isfinite(size):
        raise InvalidData("a covariance must be positive definite, but some column is a sum of others, or constant")
    return float(size)
