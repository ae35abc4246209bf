r"""Placing small grey pictures in images, whole batches at a time: enlarged or reduced, leaning, moved by any amount.

A pixel gets the mean of the picture over the pixel's area, exactly along columns and then along rows: with the running
sum :math:`S` of a line of the picture, the mean from :math:`a` to :math:`b` is :math:`(S(b) - S(a)) / (b - a)`. Nothing
shimmers when a picture becomes smaller, and its ink changes with its area alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import windows
from unbraid.draw.soft import span
from unbraid.errors import InvalidData
from unbraid.types import Bytes, Floats, Integers

__all__ = ["Tiles"]

BLOCK = 128

LONG = 256
"""Numbers in a line from which on lines are added whole, in a third of the time of sums that run number by number."""
APART = 16
"""Numbers between two lines: those a power of two apart share a few places of the processor's cache, and wait."""

Singles = npt.NDArray[np.float32]


class Tiles:
    """Pictures that can be placed.

    Args:
        pictures: Bytes, ``(N, h, w)``; beyond their edges they are black.

    Raises:
        InvalidData: When they are not bytes of three dimensions.

    >>> Tiles(np.full((1, 2, 2), 200, dtype=np.uint8)).place([0], [1.0], [2.0], [1.5], 4)[0]
    array([[  0, 100, 100,   0],
           [  0, 200, 200,   0],
           [  0, 100, 100,   0],
           [  0,   0,   0,   0]], dtype=uint8)
    """

    def __init__(self, pictures: Bytes) -> None:
        if pictures.ndim != 3 or pictures.dtype != np.uint8:
            raise InvalidData(f"pictures must be bytes (N, h, w), but are {pictures.dtype} {pictures.shape}")
        self.count, self.height, self.width = pictures.shape
        # Running sums down each column, a row of zeros first.
        sums = np.cumsum(pictures, axis=1, dtype=np.float32)
        self._sums = np.pad(sums, ((0, 0), (1, 0), (0, 0))).reshape(-1, self.width)

    def place(
        self,
        which: npt.ArrayLike,
        scale: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        size: int,
        *,
        slant: npt.ArrayLike = 0.0,
    ) -> Bytes:
        """One image for each entry; the arguments broadcast to ``(B,)``.

        Args:
            which: The picture, ``0 .. N - 1``.
            scale: Pixels of the image to a pixel of the picture, above 0.
            x: Where the middle of the picture is, in pixels from the left edge.
            y: Where it is, in pixels from the top edge.
            size: Height and width of the images.
            slant: How far the picture leans to the right as it rises, a tangent.

        Returns:
            Bytes, ``(B, size, size)``; what lies beyond the edges is cut.

        Raises:
            InvalidData: When there is no such picture, a number is not finite, or a scale is not above 0.
        """
        number = np.atleast_1d(np.asarray(which, dtype=np.int64))
        number, *numbers = np.broadcast_arrays(number, *(np.asarray(a, dtype=np.float64) for a in (scale, x, y, slant)))
        if np.any((number < 0) | (number >= self.count)):
            raise InvalidData(
                f"pictures are numbered 0 .. {self.count - 1}, but {number.min()} .. {number.max()} was asked for"
            )
        if not all(np.isfinite(a).all() for a in numbers) or np.any(numbers[0] <= 0):
            raise InvalidData("scales must be above 0, and scales, positions and slants finite")
        images = np.zeros((len(number), size, size), dtype=np.uint8)
        # Pictures of like size go together, so that a block pays for no larger patches than it needs.
        order = np.argsort(numbers[0], kind="stable")
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            self._place_block(images, block, number[block], *(a[block] for a in numbers))
        return images

    def _place_block(
        self, images: Bytes, target: Integers, which: Integers, scale: Floats, x: Floats, y: Floats, slant: Floats
    ) -> None:
        """Draw into ``images[target]``; only a patch around each picture is computed, for beyond it all is black."""
        size = images.shape[-1]
        high = scale * self.height / 2
        wide = scale * self.width / 2 + np.abs(slant) * (high + 1)
        (top, rows), (left, columns) = span(y, high, size), span(x, wide, size)
        down, right = top[:, None] + np.arange(rows + 1), left[:, None] + np.arange(columns + 1)
        first = which[:, None] * (self.height + 1)
        entry, part = _split((down - y[:, None]) / scale[:, None] + self.height / 2, self.height)
        upper = self._sums.take(first + entry, axis=0)
        rise = self._sums.take(first + np.minimum(entry + 1, self.height), axis=0)
        rise -= upper
        rise *= part[..., None]
        upper += rise
        # From here on a column of the pictures is a line, so that columns can be added whole.
        count = len(which) * rows
        lines = np.empty((self.width, count + APART), dtype=np.float32)[:, :count]
        np.subtract(upper[:, 1:], upper[:, :-1], out=lines.reshape(-1, len(which), rows).transpose(1, 2, 0))

        sums = _running(lines)
        leant = slant[:, None] * (down[:, :-1] + 0.5 - y[:, None])
        if not slant.any():
            leant = leant[:, :1]  # all rows of an upright picture are cut at the same places
        across = (right - x[:, None])[:, None] + leant[..., None]
        entry, part = _split(across / scale[:, None, None] + self.width / 2, self.width)
        place = entry * sums.shape[1] + np.arange(count).reshape(-1, rows, 1)
        before = sums.take(place)
        after = sums.take(place + sums.shape[1])
        after -= before
        after *= part
        before += after
        means = (before[..., 1:] - before[..., :-1]) * (scale**2).astype(np.float32)[:, None, None]
        windows(images, rows, columns)[target, top, left] = np.clip(np.rint(means), 0, 255).astype(np.uint8)


def _running(lines: Singles) -> Singles:
    """Running sums from line to line, zeros first: ``(W, N)`` to ``(W + 1, N + APART)``."""
    height, count = lines.shape
    padded = np.zeros((height + 1, count + APART), dtype=np.float32)
    sums = padded[:, :count]
    if count < LONG:
        np.cumsum(lines, axis=0, out=sums[1:])
    else:
        for before, line, after in zip(sums, lines, sums[1:], strict=False):
            np.add(before, line, out=after)
    return padded


def _split(places: Floats, last: int) -> tuple[Integers, Singles]:
    """Places in a line of running sums: the entry before each, and how far it is to the next, 0 .. 1."""
    places = np.clip(places, 0, last)
    entry = np.minimum(places.astype(np.int64), last - 1)
    return entry, (places - entry).astype(np.float32)
