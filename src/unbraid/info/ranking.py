"""How well one number puts samples in the order of another: the area under the ROC curve, for any number of values."""

from __future__ import annotations

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["concordance"]


def concordance(codes: Floats, factors: Integers) -> Floats:
    """How often a latent orders two samples of different values as a factor does, or always the other way round.

    Two samples of one code count half. For a factor of two values this is the area under the ROC curve of the latent,
    or of its negative, whichever is larger.

    Args:
        codes: ``(N, D)``.
        factors: Whole numbers whose order means something, ``(N, F)``.

    Returns:
        ``(D, F)``, between 0.5 (no order at all) and 1.

    >>> concordance(np.array([[1.0], [5.0], [3.0]]), np.array([[0], [1], [2]])).round(2)
    array([[0.67]])
    """
    ranked = []
    for column in codes.T:
        order = np.argsort(column, kind="stable")
        x = column[order]
        ranked.append((order, np.searchsorted(x, x, side="left"), np.searchsorted(x, x, side="right")))
    agreed = np.full((codes.shape[1], factors.shape[1]), 0.5)
    for f, column in enumerate(factors.T):
        classes = np.unique(column, return_inverse=True)[1].ravel()
        counts = np.bincount(classes)
        smaller = np.concatenate([[0], np.cumsum(counts)[:-1]])
        if (pairs := int((counts * smaller).sum())) == 0:
            continue
        below = np.zeros((len(classes) + 1, len(counts)))
        for d, (order, first, last) in enumerate(ranked):
            own = classes[order]
            # Row n: how many of the first n samples, by code, are of a lower class than each.
            np.cumsum(own[:, None] < np.arange(len(counts)), axis=0, out=below[1:])
            agreed[d, f] = 0.5 * (below[first, own] + below[last, own]).sum() / pairs
    return np.asarray(np.maximum(agreed, 1.0 - agreed))
