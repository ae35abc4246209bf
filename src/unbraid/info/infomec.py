r"""What InfoM, InfoE and InfoC share: the share of every factor's entropy that each latent knows, and dominance.

References:
    Hsu, Dorrell, Whittington, Wu and Finn, "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
"""

from __future__ import annotations

import numpy as np

from unbraid.info.discrete import entropy, mutual_information
from unbraid.info.neighbours import neighbour_information
from unbraid.types import Floats, Integers

__all__ = ["active_latents", "dominance", "entropy_shares", "equal_values"]


def entropy_shares(codes: Floats, factors: Integers, *, discrete: bool, neighbours: int, seed: int) -> Floats:
    """The share of each factor's entropy that each latent knows, ``(D, F)``; an estimate may pass 1 by a hair.

    Args:
        codes: ``(N, D)``.
        factors: ``(N, F)``, every column with at least two values.
        discrete: Whether latents take few values: information is then counted, otherwise judged by neighbours.
        neighbours: How many neighbours are looked for.
        seed: Of the dust that parts equal numbers.
    """
    if discrete:
        known = mutual_information(equal_values(codes), factors)
    else:
        known = neighbour_information(codes, factors, neighbours=neighbours, seed=seed)
    return np.asarray(known / entropy(factors))


def active_latents(codes: Floats, *, least: float) -> Integers:
    """The columns whose range is more than ``least`` of the widest column's, and more than nothing."""
    span = np.ptp(codes, axis=0)
    return np.flatnonzero((span > least * span.max()) & (span > 0))


def dominance(matrix: Floats) -> Floats:
    r"""By how much the greatest entry of each row rules it: 1 when it is alone, 0 when all are alike.

    .. math:: \frac{\max_c m_c / \sum_c m_c - 1 / C}{1 - 1 / C}

    A row of nothing is ruled by nothing and has 0. A single column rules where it is positive.

    >>> dominance(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    array([1., 0., 0.])
    """
    width = matrix.shape[1]
    if width == 1:
        return (matrix[:, 0] > 0).astype(np.float64)
    total = matrix.sum(axis=1)
    share = np.divide(matrix.max(axis=1), total, out=np.full(len(matrix), 1.0 / width), where=total > 0)
    return np.asarray((share - 1.0 / width) / (1.0 - 1.0 / width)).clip(0.0, 1.0)


def equal_values(codes: Floats) -> Integers:
    """Columns of numbers as numbers of their values, so that equal ones share one."""
    return np.stack([np.unique(column, return_inverse=True)[1].ravel() for column in codes.T], axis=1).astype(np.int64)
