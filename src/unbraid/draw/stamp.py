"""Stamping outlines into images, whole batches at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unbraid.draw.outline import Outline
from unbraid.errors import InvalidData
from unbraid.types import Bytes, Floats, Integers

__all__ = ["Stamp"]

# Large enough to hide the cost of a numpy call, small enough that every array stays in the cache.
BLOCK = 64


class Stamp:
    """Draws one outline into each image of a batch: white on black, a pixel is on if its centre is inside.

    The heights of every outline are looked up in one table, and only a patch around each outline is computed.

    Args:
        outlines: What can be drawn, in pixels at scale 1.
        size: Height and width of the images, in pixels.
        resolution: Entries of the table to a pixel: outlines are true to ``1 / (2 resolution)`` of a pixel.

    >>> from unbraid.draw.outline import rectangle
    >>> Stamp([rectangle(1, 1)], 4).draw([0], [1.0], [0.0], [2.0], [2.0])[0] // 255
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]], dtype=uint8)
    """

    def __init__(self, outlines: Sequence[Outline], size: int, *, resolution: int = 2048) -> None:
        self.outlines, self.size, self.resolution = tuple(outlines), size, resolution
        self.reach = max(outline.reach for outline in self.outlines)
        # The last entry of each outline lies beyond it, and stands for everything farther out.
        self._entries = int(max(outline.width for outline in self.outlines) * resolution) + 2
        distance = (np.arange(self._entries) + 0.5) / resolution
        heights = [outline.heights(distance) for outline in self.outlines]
        self._top = np.concatenate([top for top, _ in heights]).astype(np.float32)
        self._bottom = np.concatenate([bottom for _, bottom in heights]).astype(np.float32)

    def draw(
        self, outline: npt.ArrayLike, scale: npt.ArrayLike, angle: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> Bytes:
        """One image for each entry; the arguments broadcast to ``(B,)``.

        Args:
            outline: Which outline, ``0 .. len(outlines) - 1``.
            scale: Its size, above 0.
            angle: How far it is turned counter-clockwise as seen, in radians.
            x: Where its origin is, in pixels from the left edge.
            y: Where its origin is, in pixels from the top edge.

        Returns:
            Bytes 0 or 255, ``(B, size, size)``.

        Raises:
            InvalidData: When there is no such outline, a number is not finite, or an outline may cross an edge.
        """
        which = np.asarray(outline, dtype=np.int64)
        numbers = [np.asarray(a, dtype=np.float64) for a in (scale, angle, x, y)]
        which, scale, angle, x, y = np.broadcast_arrays(np.atleast_1d(which), *numbers)
        self._check(which, scale, angle, x, y)
        images = np.zeros((len(which), self.size, self.size), dtype=np.uint8)
        # Outlines of like size go together, so that a block pays for no larger patches than it needs.
        order = np.argsort(scale, kind="stable")
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            self._draw_block(images, block, which[block], scale[block], angle[block], x[block], y[block])
        return images

    def _draw_block(
        self, images: Bytes, target: Integers, which: Integers, scale: Floats, angle: Floats, x: Floats, y: Floats
    ) -> None:
        """Draw into ``images[target]``."""
        radius = self.reach * scale.max()
        side = int(2 * radius) + 1
        left, top = np.ceil(x - radius - 0.5).astype(np.int64), np.ceil(y - radius - 0.5).astype(np.int64)
        # The patch suits the largest of the block: around a smaller one it may hang over an edge, and is moved inside.
        side = min(side, self.size)
        left, top = left.clip(0, self.size - side), top.clip(0, self.size - side)
        centres = np.arange(side) + 0.5
        right_of, below = (left - x)[:, None] + centres, (top - y)[:, None] + centres
        # Coordinates of the unturned outline: u (counted in entries of the table) = cos x - sin y, v = sin x + cos y.
        cos, sin = (np.cos(angle) / scale)[:, None], (np.sin(angle) / scale)[:, None]
        fine = self.resolution
        u = _outer_sum(-fine * sin * below, fine * cos * right_of)
        v = _outer_sum(cos * below, sin * right_of)
        np.abs(u, out=u)
        np.minimum(u, np.float32(self._entries - 0.5), out=u)
        u += (which * self._entries).astype(np.float32)[:, None, None]
        entry = u.astype(np.intp)
        inside = v >= self._top.take(entry)
        inside &= v <= self._bottom.take(entry)
        windows = sliding_window_view(images, (side, side), axis=(1, 2), writeable=True)
        windows[target, top, left] = np.negative(inside.view(np.uint8))  # -1 is 255 in a byte.

    def _check(self, which: Integers, scale: Floats, angle: Floats, x: Floats, y: Floats) -> None:
        if which.ndim != 1:
            raise InvalidData(
                f"what is drawn must be given as arrays of one dimension, but they have shape {which.shape}"
            )
        if np.any((which < 0) | (which >= len(self.outlines))):
            raise InvalidData(
                f"outlines are numbered 0 .. {len(self.outlines) - 1}, but {which.min()} .. {which.max()} was asked for"
            )
        if not all(np.isfinite(a).all() for a in (scale, angle, x, y)) or np.any(scale <= 0):
            raise InvalidData("scales must be above 0, and scales, angles and positions finite")
        reach = self.reach * scale
        if np.any((x < reach) | (x > self.size - reach) | (y < reach) | (y > self.size - reach)):
            raise InvalidData(
                f"an outline may cross the edge of the {self.size}x{self.size} image: move it inwards or shrink it"
            )


def _outer_sum(rows: Floats, columns: Floats) -> npt.NDArray[np.float32]:
    """``(B, H)`` and ``(B, W)`` to ``(B, H, W)``."""
    return np.asarray(rows.astype(np.float32)[:, :, None] + columns.astype(np.float32)[:, None, :])
