r"""Mutual information of a continuous number and a discrete one, from the distances between neighbours, in nats.

Around every sample lies the smallest interval that holds k others of its own class; the fewer samples of other classes
fall in it, the more the number tells of the class:

.. math:: I(z; v) \approx \psi(N) + \langle \psi(k) \rangle - \langle \psi(N_v) \rangle - \langle \psi(m) \rangle

with N samples, :math:`N_v` of the class of a sample, and m the samples (itself among them) nearer than its k-th
neighbour. No bins are chosen, and independent columns share nothing on average.

References:
    Ross, "Mutual information between discrete and continuous data sets", PLoS ONE 9, 2014.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from unbraid.errors import require_at_least
from unbraid.info.shared import shared
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["neighbour_information"]


@shared
def neighbour_information(codes: Floats, factors: Integers, *, neighbours: int = 10, seed: int = 0) -> Floats:
    """The mutual information of every latent and factor by nearest neighbours, never below 0.

    Classes of a single sample say nothing of distances and are left out; a class of n has at most n - 1 neighbours.

    Args:
        codes: Finite numbers, ``(N, D)``; where a column is constant it shares nothing.
        factors: Whole numbers, ``(N, F)``.
        neighbours: How many neighbours k are looked for, at least 1.
        seed: Draws the dust that parts equal numbers, 1e-10 of their spread, the same for every latent.

    Returns:
        ``(D, F)``, in nats.

    >>> values = np.arange(200)[:, None] % 2
    >>> neighbour_information(values.astype(float), values).round(2)  # log 2
    array([[0.7]])
    """
    require_at_least(1, neighbours=neighbours)
    dust = 1e-10 * numpy_generator(seed, "part equal numbers").normal(size=len(codes))
    shared = np.zeros((codes.shape[1], factors.shape[1]))
    classes = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    for d in np.flatnonzero(np.ptp(codes, axis=0) > 0):
        centred = codes[:, d] - codes[:, d].mean()
        column = centred / np.sqrt(np.mean(centred**2)) + dust
        order = np.argsort(column, kind="stable")
        for f, values in enumerate(classes):
            shared[d, f] = _information(column[order], values[order], neighbours)
    return shared.clip(min=0.0)


def _information(x: Floats, classes: Integers, neighbours: int) -> float:
    """The estimate for one sorted column and one factor, neither of them constant or else 0."""
    counts = np.bincount(classes)
    crowd = counts[classes] > 1
    x, classes = x[crowd], classes[crowd]
    if np.count_nonzero(counts > 1) < 2:
        return 0.0
    # Ranks of a sorted column: samples of one class, in the order of x, lie together.
    grouped = np.argsort(classes, kind="stable")
    y, size = x[grouped], counts[classes[grouped]]
    end = np.cumsum(np.where(counts > 1, counts, 0))[classes[grouped]]
    place, k = np.arange(len(y)), np.minimum(neighbours, size - 1)
    # The k-th nearest of a class ends a run of k + 1 of its sorted samples that holds the sample itself.
    radius = np.full(len(y), np.inf)
    for before in range(neighbours + 1):
        first = place - before
        last = first + k
        inside = (before <= k) & (first >= end - size) & (last < end)
        first, last = np.where(inside, first, place), np.where(inside, last, place)
        reach = np.maximum(y - y[first], y[last] - y)
        radius = np.where(inside, np.minimum(radius, reach), radius)
    nearer = _nearer(x, y, radius)
    return float(digamma(len(x)) + np.mean(digamma(k) - digamma(size) - digamma(nearer)))


def _nearer(x: Floats, centres: Floats, radius: Floats) -> Integers:
    """How many of the sorted x are nearer to each centre than its radius."""
    # Half an ulp decides whether the neighbour that set the radius is counted: step off it, on both sides.
    low = np.searchsorted(x, centres - radius, side="left")
    high = np.searchsorted(x, centres + radius, side="right")
    for _ in range(3):
        low = np.where((low > 0) & (centres - x[np.maximum(low - 1, 0)] < radius), low - 1, low)
        low = np.where((low < len(x)) & (centres - x[np.minimum(low, len(x) - 1)] >= radius), low + 1, low)
        high = np.where((high < len(x)) & (x[np.minimum(high, len(x) - 1)] - centres < radius), high + 1, high)
        high = np.where((high > 0) & (x[np.maximum(high - 1, 0)] - centres >= radius), high - 1, high)
    return np.asarray(np.maximum(high - low, 1), dtype=np.int64)
