"""Ellipses and convex polygons with smooth edges, one for each image of a batch.

As for capsules, a pixel is covered in proportion to how far its centre lies within half a pixel of the edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import Patch, inside, outer_sum, unit
from unbraid.types import Floats, Integers

__all__ = ["centres", "ellipses", "polygons", "span"]

Singles = npt.NDArray[np.float32]


def ellipses(centre: Floats, semi: Floats, angle: Floats, size: int) -> Patch:
    r"""An ellipse for each image.

    The distance from the edge is to first order :math:`(q - q^2) / |\nabla q^2 / 2|` with
    :math:`q = \sqrt{(u / a)^2 + (v / b)^2}`.

    Args:
        centre: In pixels from the left and top edges, ``(B, 2)``.
        semi: The semi-axes, across and down before it is turned, above 0, in pixels, ``(B, 2)``.
        angle: How far it is turned clockwise as seen, in radians, ``(B,)``.
        size: Height and width of the images.

    >>> one = np.ones(1)
    >>> ellipses(2 * np.ones((1, 2)), np.array([[2.0, 1.0]]), 0 * one, 4).coverage[0].round(1)
    array([[0. , 0. , 0. , 0. ],
           [0.6, 1. , 1. , 0.6],
           [0.6, 1. , 1. , 0.6],
           [0. , 0. , 0. , 0. ]], dtype=float32)
    """
    # Rounded, since the last bit of a sine may depend on where in an array it is computed.
    cos, sin = np.round(np.cos(angle), 9), np.round(np.sin(angle), 9)
    a, b = np.maximum(semi, 1e-3).T
    reach = np.sqrt(np.stack([(a * cos) ** 2 + (b * sin) ** 2, (a * sin) ** 2 + (b * cos) ** 2], axis=1))
    left, width = span(centre[:, 0], reach[:, 0], size)
    top, height = span(centre[:, 1], reach[:, 1], size)
    across, down = centres(left, width) - centre[:, :1], centres(top, height) - centre[:, 1:]
    u = outer_sum((sin / a)[:, None] * down, (cos / a)[:, None] * across)
    v = outer_sum((cos / b)[:, None] * down, (-sin / b)[:, None] * across)
    u *= u
    v *= v
    square = u + v
    u *= _column(1 / a**2)
    v *= _column(1 / b**2)
    u += v
    slope = np.sqrt(u, out=u)
    within = np.sqrt(square, out=v)
    within -= square
    with np.errstate(divide="ignore", invalid="ignore"):
        within /= slope
    # At the very centre both vanish; there it is half an axis to the edge or more.
    np.copyto(within, _column(np.minimum(a, b)), where=square < 0.01)
    return Patch(_covered(within, across, down, reach), top, left)


def polygons(corners: Floats, size: int) -> Patch:
    """A convex polygon for each image.

    Args:
        corners: In pixels from the left and top edges, in order either way round, ``(B, E, 2)``.
        size: Height and width of the images.

    >>> square = np.array([[[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]])
    >>> polygons(square, 4).coverage[0].tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    low, high = corners.min(axis=1), corners.max(axis=1)
    middle, reach = (low + high) / 2, (high - low) / 2
    left, width = span(middle[:, 0], reach[:, 0], size)
    top, height = span(middle[:, 1], reach[:, 1], size)
    x, y = centres(left, width), centres(top, height)
    following = np.roll(corners, -1, axis=1)
    turned = corners[..., 0] * following[..., 1] - corners[..., 1] * following[..., 0]
    way = np.where(turned.sum(axis=1) >= 0, 1.0, -1.0)
    within = np.full((len(corners), height, width), np.inf, dtype=np.float32)
    for (x0, y0), (x1, y1) in zip(corners.transpose(1, 2, 0), following.transpose(1, 2, 0), strict=True):
        dx, dy = way * (x1 - x0), way * (y1 - y0)
        length = np.maximum(np.sqrt(dx * dx + dy * dy), 1e-9)
        right, down = -dy / length, dx / length
        np.minimum(within, outer_sum(down[:, None] * (y - y0[:, None]), right[:, None] * (x - x0[:, None])), out=within)
    return Patch(_covered(within, x - middle[:, :1], y - middle[:, 1:], reach), top, left)


def _covered(within: Singles, across: Floats, down: Floats, reach: Floats) -> Singles:
    """How much of each pixel is covered, from how far it lies within the edge; nothing is, half a pixel off the box.

    The distance is not exact outside, and around a sharp corner far too small: without the box, what is covered would
    depend on how large a patch the neighbours need.
    """
    for axis, offset in ((0, across[:, None, :]), (1, down[:, :, None])):
        # Bounded here, where numbers are few, in place of the whole.
        room = np.minimum(reach[:, axis, None, None] - np.abs(offset), 0.5)
        np.minimum(within, room.astype(np.float32), out=within)
    within += np.float32(0.5)
    return unit(within)


def span(middle: Floats, reach: Floats, size: int) -> tuple[Integers, int]:
    """The first row or column of each patch, and how many every patch has.

    Args:
        middle: Of what is drawn, in pixels, ``(B,)``.
        reach: How far it goes to either side, in pixels, ``(B,)``.
        size: Rows or columns of the images.
    """
    first = np.floor(middle - reach - 0.5).astype(np.int64)
    last = np.ceil(middle + reach + 0.5).astype(np.int64)
    return inside(first, last, size)


def centres(first: Integers, count: int) -> Floats:
    """Where the centres of so many pixels are, ``(B, count)``."""
    return np.asarray(first[:, None] + (np.arange(count) + 0.5))


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None, None]
