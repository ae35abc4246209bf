r"""Softmax regression without a penalty: what a linear reading of the codes leaves unknown of a factor, in nats.

With weights W and offsets b for K classes, and :math:`c_n` the weight of the class of sample n,

.. math:: \min_{W, b} \; \sum_n \frac{c_n}{\sum_m c_m}
    \left( \log \sum_k e^{W_k z_n + b_k} - W_{v_n} z_n - b_{v_n} \right)

Classes that a plane can part have no minimum, only ever greater weights; so, as in the reference, the search ends after
a hundred steps of L-BFGS.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from unbraid.types import Floats, Integers

__all__ = ["linear_cross_entropy"]

STEPS = 100


def linear_cross_entropy(codes: Floats, values: Integers, *, balanced: bool = True) -> float:
    """The mean cross-entropy of a fitted softmax regression on the samples it was fitted to, in nats, at least 0.

    Args:
        codes: ``(N, D)``; they are standardised, constant columns are left out.
        values: The classes of one factor, ``(N,)``.
        balanced: Whether every class weighs alike in the fit; the cross-entropy returned is the plain mean in any case.

    >>> values = np.arange(300) % 3
    >>> linear_cross_entropy(values[:, None] * 1.0, values) < 0.01
    True
    >>> round(linear_cross_entropy(np.zeros((300, 1)), values), 4)  # log 3
    1.0986
    """
    classes = np.unique(values, return_inverse=True)[1]
    samples, outputs = len(codes), int(classes.max()) + 1
    useful = codes[:, np.ptp(codes, axis=0) > 0]
    scaled = (useful - useful.mean(axis=0)) / np.maximum(useful.std(axis=0), 1e-300)
    inputs = np.vstack([scaled.T, np.ones(samples)])
    counts = np.bincount(classes)
    weights = (1.0 / (outputs * counts))[classes] if balanced else np.full(samples, 1.0 / samples)
    target = np.zeros((outputs, len(inputs)))
    np.add.at(target, classes, (weights * inputs).T)
    # The classes of a sample lie in a column: whole rows are then added and compared at once.
    room = np.empty((outputs, samples))

    def loss(flat: Floats) -> tuple[float, Floats]:
        matrix = flat.reshape(target.shape)
        np.matmul(matrix, inputs, out=room)
        height = _softmax(room, weights)
        return float(weights @ height - (matrix * target).sum()), (room @ inputs.T - target).ravel()

    options = {"maxiter": STEPS, "gtol": 1e-4, "ftol": 1e-12}
    fitted = minimize(loss, np.zeros(target.size), jac=True, method="L-BFGS-B", options=options)
    logits = fitted.x.reshape(target.shape) @ inputs
    own = logits[classes, np.arange(samples)]
    return float(max(np.mean(_softmax(logits, weights) - own), 0.0))


def _softmax(logits: Floats, weights: Floats) -> Floats:
    """The logarithm of each column's normaliser; the logits ``(K, N)`` become weighted probabilities."""
    top = logits.max(axis=0)
    np.subtract(logits, top, out=logits)
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)
    np.multiply(logits, weights / total, out=logits)
    return np.asarray(top + np.log(total))
