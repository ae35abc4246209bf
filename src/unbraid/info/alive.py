"""Which latents are alive: one rule for every score.

A latent is dead when its standard deviation is at most 1e-6 of its greatest absolute value: it is constant but for the
rounding of single precision, whatever its scale. A dead latent carries nothing. Scores see it as exactly 0, give it no
weight, and name it in ``settings["dead_latents"]``; when all are dead, a score has a value or says why not, never NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.types import Floats

__all__ = ["alive"]

ROUNDING = 1e-6


def alive(codes: Floats) -> npt.NDArray[np.bool_]:
    """Which latents vary by more than rounding: ``(N, D)`` to ``(D,)``.

    >>> alive(np.array([[0.0, 5.0, 1e-30], [0.0, 5.000001, 2e-30]]))
    array([False, False,  True])
    """
    size = np.abs(codes).max(axis=0)
    scaled = codes / np.where(size > 0, size, 1.0)
    return np.asarray(scaled.std(axis=0) > ROUNDING)
