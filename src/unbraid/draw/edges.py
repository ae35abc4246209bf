"""Edges: the outlines and folds in grey pictures, as thin dark lines.

References:
    Canny, "A computational approach to edge detection", PAMI 1986, whose thinning this is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["edges"]

Singles = npt.NDArray[np.float32]

FAINT, STRONG = 0.05, 0.16
"""The slopes, in the range of grey to a pixel, from which an edge is seen and from which it is fully dark."""

STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""The four directions in which a slope is compared with its neighbours, an eighth of a turn apart."""


def edges(grey: Singles) -> Singles:
    """How dark the edge is at each pixel, 0 where a neighbour across it is steeper: ``(B, H, W)``, both from 0 to 1.

    >>> step = np.zeros((1, 5, 8), dtype=np.float32)
    >>> step[..., 4:] = 1
    >>> edges(step)[0, 2].tolist()
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    smooth = _binomial(_binomial(grey, 1), 2)
    right, down = _slope(smooth, 2), _slope(smooth, 1)
    steep = np.hypot(right, down)
    way = np.rint(np.arctan2(down, right) * np.float32(4 / np.pi)).astype(np.int8) % 4
    padded = np.pad(steep, ((0, 0), (1, 1), (1, 1)))
    height, width = steep.shape[1:]
    thin = np.zeros(steep.shape, dtype=bool)
    for direction, (y, x) in enumerate(STEPS):
        before = padded[:, 1 - y : 1 - y + height, 1 - x : 1 - x + width]
        after = padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        # Of two alike the first counts, so that an edge between pixels is one line.
        thin |= (way == direction) & (steep > before) & (steep >= after)
    return np.asarray(np.clip((steep - FAINT) / (STRONG - FAINT), 0, 1) * thin, dtype=np.float32)


def _binomial(lines: Singles, axis: int) -> Singles:
    """The mean with weights 1, 2, 1 along an axis; beyond the ends it goes on as it ends."""
    before, after = _neighbours(lines, axis)
    return np.asarray(lines / 2 + (before + after) / 4)


def _slope(lines: Singles, axis: int) -> Singles:
    before, after = _neighbours(lines, axis)
    return np.asarray((after - before) / 2)


def _neighbours(lines: Singles, axis: int) -> tuple[Singles, Singles]:
    size = lines.shape[axis]
    places = np.arange(size)
    return lines.take(np.maximum(places - 1, 0), axis=axis), lines.take(np.minimum(places + 1, size - 1), axis=axis)
