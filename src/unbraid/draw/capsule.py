"""Capsules: lines with a width and round ends, drawn with smooth edges into whole batches of images.

A curve is a chain of them, a disc is one whose ends meet. A pixel is covered in proportion to how far its centre lies
within half a pixel of the edge, so that sizes and positions change an image smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.types import Bytes, Floats, Integers

__all__ = ["Patch", "capsules", "ink", "inside", "outer_sum", "paint", "unit", "windows"]

Coverage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Patch:
    """One patch of each image of a batch: how much of each pixel is covered, and where the patch lies.

    Args:
        coverage: In [0, 1], ``(B, h, w)``.
        top: The first row of each patch, ``(B,)``.
        left: The first column of each patch, ``(B,)``.
    """

    coverage: Coverage
    top: Integers
    left: Integers


def capsules(ends: Floats, radius: Floats, size: int) -> Patch:
    """A capsule for each image.

    Args:
        ends: Both ends of its axis in pixels from the left and top edges, rows ``(x0, y0, x1, y1)``, ``(B, 4)``.
        radius: Half its width in pixels, ``(B,)``; nothing is drawn where it is -1/2 or less.
        size: Height and width of the images.

    >>> capsules(np.array([[1.0, 1.0, 3.0, 1.0]]), np.array([1.0]), 4).coverage[0].round(1)
    array([[0.8, 1. , 1. , 0.8],
           [0.8, 1. , 1. , 0.8],
           [0. , 0. , 0. , 0. ]], dtype=float32)
    """
    x0, y0, x1, y1 = ends.T
    left, width = _span(x0, x1, radius, size)
    top, height = _span(y0, y1, radius, size)
    # From the middle of the axis to pixel centres. Written so that a centre has the same distance in every patch.
    right_of = (left[:, None] + (np.arange(width) + 0.5)) - ((x0 + x1) / 2)[:, None]
    below = (top[:, None] + (np.arange(height) + 0.5)) - ((y0 + y1) / 2)[:, None]
    dx, dy = x1 - x0, y1 - y0
    length = np.hypot(dx, dy)
    far = np.maximum(length, 1e-9)
    cos, sin = np.where(length > 1e-9, dx / far, 1.0)[:, None], np.where(length > 1e-9, dy / far, 0.0)[:, None]
    along = outer_sum(sin * below, cos * right_of)
    across = outer_sum(cos * below, -sin * right_of)
    np.abs(along, out=along)
    along -= (length / 2).astype(np.float32)[:, None, None]
    np.clip(along, 0, np.inf, out=along)  # a third of the time of numpy.maximum with a number
    along *= along
    across *= across
    along += across
    np.sqrt(along, out=along)
    np.subtract((radius + 0.5).astype(np.float32)[:, None, None], along, out=along)
    return Patch(unit(along), top, left)


def ink(images: Bytes, which: Integers, patch: Patch) -> None:
    """Draw in white, in place: where inks meet, the darker gives way.

    Args:
        images: Bytes, ``(N, H, W)``.
        which: The image that each patch belongs to, no image twice, ``(B,)``.
        patch: What is drawn, ``(B, h, w)``.
    """
    there = windows(images, *patch.coverage.shape[1:])
    place = which, patch.top, patch.left
    levels = (patch.coverage * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    there[place] = np.maximum(there[place], levels)


def paint(images: Coverage, which: Integers, patch: Patch, colour: Floats) -> None:
    """Draw in a colour, in place: over what is there, by as much as a pixel is covered.

    Args:
        images: Floats, ``(N, C, H, W)``.
        which: The image that each patch belongs to, no image twice, ``(B,)``.
        patch: What is drawn, ``(B, h, w)``.
        colour: In the scale of the images, ``(C,)`` or ``(B, C)``.
    """
    there = windows(images, *patch.coverage.shape[1:])
    place = which, slice(None), patch.top, patch.left
    pixels = there[place]
    change = colour.astype(np.float32)[..., None, None] - pixels
    change *= patch.coverage[:, None]
    pixels += change
    there[place] = pixels


def unit(values: Coverage) -> Coverage:
    """Cut off below 0 and above 1, in place."""
    return np.clip(values, 0, 1, out=values)


def windows(images: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """What a patch covers at every place, to write to: ``(..., H, W)`` to ``(..., rows, columns, height, width)``."""
    *others, rows, columns = images.shape
    shape = (*others, rows - height + 1, columns - width + 1, height, width)
    return np.ndarray(shape, images.dtype, buffer=images, strides=(*images.strides, *images.strides[-2:]))


def _span(start: Floats, end: Floats, radius: Floats, size: int) -> tuple[Integers, int]:
    """The first row or column of each patch, and how many every patch has."""
    reach = np.maximum(radius + 0.5, 0)
    first = np.floor(np.minimum(start, end) - reach).astype(np.int64)
    last = np.ceil(np.maximum(start, end) + reach).astype(np.int64)
    return inside(first, last, size)


def inside(first: Integers, last: Integers, size: int) -> tuple[Integers, int]:
    """The first row or column of each patch, and how many every patch has, so that all lie in images of this size.

    Args:
        first: The first row or column that is drawn on, ``(B,)``; it may lie outside.
        last: The first beyond them, ``(B,)``.
        size: Rows or columns of the images, of which alone there must be room.

    >>> inside(np.array([-3, 6]), np.array([2, 20]), 8)
    (array([0, 6]), 2)
    """
    first, last = (np.minimum(np.maximum(edge, 0), size) for edge in (first, last))
    count = max(int((last - first).max(initial=1)), 1)
    return np.minimum(first, size - count), count


def outer_sum(rows: Floats, columns: Floats) -> Coverage:
    """``(B, H)`` and ``(B, W)`` to ``(B, H, W)``, summed in single precision."""
    (count, height), width = rows.shape, columns.shape[1]
    left, right = np.ones((count, height, 2), dtype=np.float32), np.ones((count, 2, width), dtype=np.float32)
    left[:, :, 0], right[:, 1] = rows, columns
    # As products of matrices, in which a sum is rounded once as in any other: a third of the time for small ones.
    return left @ right
