"""Pure colours around the colour wheel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.types import Floats

__all__ = ["rgb"]


def rgb(hue: npt.ArrayLike, *, saturation: float = 1.0) -> Floats:
    """The brightest colour of each hue, ``(...)`` to ``(..., 3)``: red at 0, green at a third, blue at two thirds.

    Args:
        hue: A share of a full turn of the colour wheel.
        saturation: From 0, white, to 1.

    Returns:
        Red, green and blue, 0 to 1.

    >>> rgb([0, 1 / 6]).tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    sixths = np.round(np.asarray(hue, dtype=np.float64)[..., None] * 6, 12)
    # Each primary is full within a sixth of a turn of its own hue, and gone beyond two sixths.
    away = np.abs((sixths - np.array([0.0, 2.0, 4.0]) + 3) % 6 - 3)
    return np.asarray(1 - saturation + saturation * np.clip(2 - away, 0, 1))
