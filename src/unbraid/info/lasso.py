r"""The lasso, for many targets at once, from second moments alone.

For inputs with moments G and targets with cross moments c it minimises, column by column,

.. math:: \tfrac12 w^\top G w - c^\top w + \alpha \lVert w \rVert_1

References:
    Friedman, Hastie and Tibshirani, "Regularization paths for generalized linear models via coordinate descent",
    Journal of Statistical Software 33, 2010.
"""

from __future__ import annotations

import numpy as np

from unbraid.types import Floats

__all__ = ["lasso"]

SWEEPS, CLOSE = 10_000, 1e-12


def lasso(moments: Floats, crossed: Floats, penalty: float) -> Floats:
    r"""The weights of every input for every target, by coordinate descent.

    Args:
        moments: Mean products of the inputs, :math:`X^\top X / N`, ``(D, D)``; an input that is all 0 gets no weight.
        crossed: Mean products of inputs and targets, :math:`X^\top Y / N`, ``(D, T)``.
        penalty: Alpha, at least 0.

    Returns:
        ``(D, T)``.

    >>> lasso(np.eye(2), np.array([[1.0], [0.05]]), 0.1)
    array([[0.9],
           [0. ]])
    """
    weights = np.zeros(crossed.shape)
    power = np.diag(moments)
    for _ in range(SWEEPS):
        before = weights.copy()
        for d in np.flatnonzero(power > 0):
            pull = crossed[d] - moments[d] @ weights + power[d] * weights[d]
            weights[d] = np.sign(pull) * np.maximum(np.abs(pull) - penalty, 0.0) / power[d]
        if np.abs(weights - before).max() <= CLOSE * max(float(np.abs(weights).max()), 1.0):
            break
    return weights
