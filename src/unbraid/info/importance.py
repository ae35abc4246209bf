r"""What scores read from a matrix of latents x factors: gaps between the two best latents, and how concentrated it is.

References:
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942.
    Eastwood and Williams, "A framework for the quantitative evaluation of disentangled representations", ICLR 2018.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["completeness", "concentration", "disentanglement", "gaps", "independent_groups", "purity"]


def gaps(matrix: Floats) -> Floats:
    """By how much the best latent beats the second best, for every factor: ``(D, F)`` to ``(F,)``.

    With a single latent the second best is 0.

    >>> gaps(np.array([[0.9, 0.2], [0.1, 0.5], [0.3, 0.4]])).round(3)
    array([0.6, 0.1])
    """
    ranked = np.sort(np.vstack([matrix, np.zeros((1, matrix.shape[1]))]) if len(matrix) == 1 else matrix, axis=0)
    return np.asarray(ranked[-1] - ranked[-2])


def concentration(importance: Floats) -> Floats:
    r"""How far each row is from even, 1 less its entropy to the base of its length: ``(R, C)`` to ``(R,)``.

    .. math:: 1 + \sum_c p_c \log_C p_c, \qquad p_c = \frac{R_c + 10^{-11}}{\sum_{c'} (R_{c'} + 10^{-11})}

    1 when one entry has everything, 0 when all are alike or nothing. With a single column there is nothing to share
    with: 1 where it is positive, 0 where it is not.
    """
    if importance.shape[1] == 1:
        return (importance[:, 0] > 0).astype(np.float64)
    share = importance + 1e-11
    share = share / share.sum(axis=1, keepdims=True)
    return np.asarray(1.0 + (share * np.log(share)).sum(axis=1) / math.log(importance.shape[1]))


def disentanglement(importance: Floats) -> float:
    """How nearly every latent matters to one factor only: mean :func:`concentration` of rows, weighted by their sums.

    Args:
        importance: Not negative, ``(D, F)``; all zero counts as all alike.

    >>> disentanglement(np.array([[2.0, 0.0], [0.5, 0.5]])).__round__(3)
    0.667
    """
    weights = importance.sum(axis=1)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(weights))
    return float(np.clip(concentration(importance) @ weights, 0.0, 1.0))


def completeness(importance: Floats) -> float:
    """How nearly every factor is held by one latent only: :func:`disentanglement`, latents and factors exchanged."""
    return disentanglement(importance.T)


def purity(information: Floats) -> Floats:
    r"""How far each latent is from knowing all factors alike: ``(D, F)`` to ``(D,)``.

    .. math:: 1 - \frac{\sum_f m_{df}^2 - \max_f m_{df}^2}{(F - 1) \max_f m_{df}^2}

    1 for a latent that knows one factor only, the only one when F is 1; 0 for one that knows nothing.

    >>> purity(np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    array([1. , 0.5, 0. ])
    """
    most = information.max(axis=1)
    # Divided before it is squared, which the smallest numbers do not survive.
    share = information / np.where(most > 0, most, 1.0)[:, None]
    others = (share**2).sum(axis=1) - 1.0
    return np.where(most > 0, 1.0 - others / max(information.shape[1] - 1, 1), 0.0)


def independent_groups(matrix: Floats) -> tuple[Floats, Integers]:
    """Into how many separate groups of latents and factors what is related falls, as weaker relations come in.

    Args:
        matrix: How strongly each latent is related to each factor, not negative, ``(D, F)``.

    Returns:
        The entries of the matrix, descending, ``(D F,)``; and for each how many groups of at least one latent and one
        factor there are when the relations at least as strong, 0 being none, connect them.

    >>> independent_groups(np.array([[0.9, 0.1], [0.0, 0.5]]))
    (array([0.9, 0.5, 0.1, 0. ]), array([1, 2, 1, 1]))
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    latents, factors = matrix.shape
    strengths = np.sort(matrix, axis=None)[::-1]
    counts = []
    for strength in strengths:
        ends = np.nonzero((matrix >= strength) & (matrix > 0))
        edges = coo_array((np.ones(len(ends[0])), (ends[0], latents + ends[1])), shape=(latents + factors,) * 2)
        name = connected_components(edges, directed=False)[1]
        counts.append(len(np.unique(name[ends[0]])))
    return strengths, np.array(counts, dtype=np.int64)
