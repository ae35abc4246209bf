"""One latent for each factor, no latent for two: the assignment that makes the most of a matrix."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from unbraid.types import Floats, Integers

__all__ = ["match"]


def match(matrix: Floats) -> tuple[Integers, Integers]:
    """The rows and columns of the assignment with the greatest sum (the Hungarian method), as many as the shorter side.

    Args:
        matrix: How well latent d suits factor f, ``(D, F)``.

    Returns:
        The matched latents and their factors, in the order of the factors.

    >>> match(np.array([[0.1, 0.9], [0.8, 0.85], [0.2, 0.1]]))
    (array([1, 0]), array([0, 1]))
    """
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    order = np.argsort(columns)
    return np.asarray(rows)[order], np.asarray(columns)[order]
