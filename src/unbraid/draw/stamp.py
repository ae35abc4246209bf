"""Stamping outlines into images, whole batches at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import outer_sum, windows
from unbraid.draw.outline import Outline
from unbraid.errors import InvalidData
from unbraid.types import Floats, Integers

__all__ = ["Stamp"]

# Large enough to hide the cost of a numpy call, small enough that every array stays in the cache.
BLOCK = 64


class Stamp:
    """Draws one outline into each image of a batch: a pixel is on if its centre is inside.

    The heights of every outline are looked up in one table, and only a patch around each outline is computed.

    Args:
        outlines: What can be drawn, in pixels at scale 1.
        size: Height and width of the images, in pixels.
        resolution: Entries of the table to a pixel: outlines are true to ``1 / (2 resolution)`` of a pixel.

    >>> from unbraid.draw.outline import rectangle
    >>> Stamp([rectangle(1, 1)], 4).draw([0], [1.0], [0.0], [2.0], [2.0])[0].astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """

    def __init__(self, outlines: Sequence[Outline], size: int, *, resolution: int = 2048) -> None:
        self.outlines, self.size, self.resolution = tuple(outlines), size, resolution
        self._reach = np.array([outline.reach for outline in self.outlines])
        self.reach = float(self._reach.max())
        # The last entry of each outline lies beyond it, and stands for everything farther out.
        self._entries = int(max(outline.width for outline in self.outlines) * resolution) + 2
        distance = (np.arange(self._entries) + 0.5) / resolution
        heights = [outline.heights(distance) for outline in self.outlines]
        self._top = np.concatenate([top for top, _ in heights]).astype(np.float32)
        self._bottom = np.concatenate([bottom for _, bottom in heights]).astype(np.float32)

    def draw(
        self, outline: npt.ArrayLike, scale: npt.ArrayLike, angle: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> npt.NDArray[np.bool_]:
        """One image for each entry; the arguments broadcast to ``(B,)``.

        Args:
            outline: Which outline, ``0 .. len(outlines) - 1``.
            scale: Its size, above 0.
            angle: How far it is turned counter-clockwise as seen, in radians.
            x: Where its origin is, in pixels from the left edge.
            y: Where its origin is, in pixels from the top edge.

        Returns:
            Which pixels have their centre inside, ``(B, size, size)``.

        Raises:
            InvalidData: When there is no such outline, a number is not finite, or an outline may cross an edge.
        """
        which = np.asarray(outline, dtype=np.int64)
        numbers = [np.asarray(a, dtype=np.float64) for a in (scale, angle, x, y)]
        which, scale, angle, x, y = np.broadcast_arrays(np.atleast_1d(which), *numbers)
        self._check(which, scale, angle, x, y)
        images = np.zeros((len(which), self.size, self.size), dtype=bool)
        # Outlines of like size go together, so that a block pays for no larger patches than it needs.
        radius, place = self._reach[which] * scale, np.stack([x, y])
        order = np.argsort(radius, kind="stable")
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            largest = float(radius[block[-1]])
            self._fill(images, block, largest, which[block], scale[block], angle[block], place[:, block])
        return images

    def _fill(
        self,
        images: npt.NDArray[np.bool_],
        target: Integers,
        radius: float,
        which: Integers,
        scale: Floats,
        angle: Floats,
        place: Floats,
    ) -> None:
        """Fill ``images[target]`` with outlines that lie within ``radius`` of their origins, ``(2, B)``."""
        # The patch suits the largest of the block: around a smaller one it may hang over an edge, and is moved inside.
        side = min(int(2 * radius) + 1, self.size)
        corner = np.ceil(place - (radius + 0.5)).clip(0, self.size - side)
        right_of, below = (corner - place)[..., None] + (np.arange(side) + 0.5)
        left, top = corner.astype(np.int64)
        # Coordinates of the unturned outline: u (counted in entries of the table) = cos x - sin y, v = sin x + cos y.
        cos, sin = (np.cos(angle) / scale)[:, None], (np.sin(angle) / scale)[:, None]
        fine = self.resolution
        u = outer_sum(-fine * sin * below, fine * cos * right_of)
        v = outer_sum(cos * below, sin * right_of)
        np.abs(u, out=u)
        np.clip(u, 0, np.float32(self._entries - 0.5), out=u)
        u += (which * self._entries).astype(np.float32)[:, None, None]
        # By way of 32 bits, and without looking whether they are in range: both take half the time.
        entry = u.astype(np.int32).astype(np.intp)
        inside = v >= self._top.take(entry, mode="wrap")
        inside &= v <= self._bottom.take(entry, mode="wrap")
        windows(images, side, side)[target, top, left] = inside

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
