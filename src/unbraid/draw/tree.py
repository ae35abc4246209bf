"""Trees in summer and in winter: firs and round ones, a batch at a time.

Each is told by how much of every pixel its trunk, its green and its snow take, so that any light may fall on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import Patch
from unbraid.draw.soft import centres, span
from unbraid.types import Floats

__all__ = ["Tree", "broadleaf", "fir"]

Singles = npt.NDArray[np.float32]

# In parts of the tree's height: the lower and upper end of each tier, and half its width.
TIERS = ((0.12, 0.58, 0.27), (0.34, 0.78, 0.21), (0.56, 1.0, 0.14))
# How far to the right, how high up and how wide each part of a crown is.
CROWN = ((-0.16, 0.56, 0.22), (0.16, 0.58, 0.22), (0.0, 0.76, 0.25))
# How high on the trunk a branch begins, and where it ends.
BRANCHES = ((0.4, -0.28, 0.82), (0.45, 0.28, 0.86), (0.55, 0.0, 1.0), (0.62, -0.14, 1.0), (0.6, 0.15, 1.0))
LADEN = 2
"""Of the branches, so many bear snow."""


@dataclass(frozen=True)
class Tree:
    """A tree for each of some images.

    Args:
        patch: What it covers.
        shares: How much of each pixel is trunk, green and snow, ``(B, 3, h, w)``; their sum is what it covers.
    """

    patch: Patch
    shares: Singles


class _Growing:
    """The pixels around some trees, in parts of each tree's height from its foot, and what has grown so far."""

    def __init__(self, x: Floats, y: Floats, high: Floats, size: int) -> None:
        self._height = size * high
        self._foot = np.stack([size * x, size * y], axis=1)
        reach, half = 0.4 * self._height, 0.56 * self._height
        left, width = span(self._foot[:, 0], reach, size)
        top, height = span(self._foot[:, 1] - 0.5 * self._height, half, size)
        right = centres(left, width) - self._foot[:, :1]
        up = self._foot[:, 1:] - centres(top, height)
        # Nothing grows beyond these, so that a tree does not depend on its neighbours' patches.
        self._inside = (np.abs(right) < reach[:, None])[:, None, :] & (
            np.abs(up - 0.5 * self._height[:, None]) < half[:, None]
        )[:, :, None]
        self.right = (right / self._height[:, None]).astype(np.float32)[:, None, :]
        self.up = (up / self._height[:, None]).astype(np.float32)[:, :, None]
        self._pixels = self._height.astype(np.float32)[:, None, None]
        self._place = top, left
        self.shares = np.zeros((len(x), 3, height, width), dtype=np.float32)

    def add(self, part: int, within: Singles) -> None:
        """Cover what lies so far within an edge, in parts of the height."""
        cover = np.clip(within * self._pixels + np.float32(0.5), 0, 1) * self._inside
        self.shares *= 1 - cover[:, None]
        self.shares[:, part] += cover

    def line(self, start: tuple[float, float], stop: tuple[float, float]) -> Singles:
        """The distance of each pixel from a line, in parts of the height."""
        along = np.array(stop, dtype=np.float32) - np.array(start, dtype=np.float32)
        right, up = self.right - np.float32(start[0]), self.up - np.float32(start[1])
        place = np.clip((right * along[0] + up * along[1]) / (along @ along), 0, 1)
        return np.asarray(np.sqrt((right - place * along[0]) ** 2 + (up - place * along[1]) ** 2))

    def grown(self) -> Tree:
        return Tree(Patch(self.shares.sum(axis=1), *self._place), self.shares)


def fir(x: Floats, y: Floats, high: Floats, snow: Floats | None, size: int) -> Tree:
    """A fir.

    Args:
        x: Its foot from the left, in parts of the image, ``(B,)``.
        y: Its foot from the top, likewise.
        high: Its height, likewise, above 0.
        snow: How much of it is under snow, from 0 to 1, ``(B,)``; None for none.
        size: Height and width of the images.
    """
    growing = _Growing(x, y, high, size)
    growing.add(0, 0.025 - growing.line((0, 0), (0, 0.2)))
    for low, tip, wide in TIERS:
        slope = wide / (tip - low)
        side = (slope * (tip - growing.up) - np.abs(growing.right)) / np.float32(np.sqrt(1 + slope * slope))
        tier = np.minimum(side, growing.up - np.float32(low))
        growing.add(1, tier)
        if snow is not None:
            # From the tip down.
            end = tip - (0.25 + 0.5 * snow) * (tip - low)
            growing.add(2, np.minimum(tier, growing.up - end.astype(np.float32)[:, None, None]))
    return growing.grown()


def broadleaf(x: Floats, y: Floats, high: Floats, snow: Floats | None, size: int) -> Tree:
    """A round tree, bare where there may be snow; arguments as for :func:`fir`."""
    growing = _Growing(x, y, high, size)
    growing.add(0, 0.035 - growing.line((0, 0), (0, 0.6)))
    if snow is None:
        for right, up, wide in CROWN:
            away = np.sqrt((growing.right - np.float32(right)) ** 2 + (growing.up - np.float32(up)) ** 2)
            growing.add(1, np.float32(wide) - away)
        return growing.grown()
    for start, right, up in BRANCHES:
        growing.add(0, np.float32(0.018) - growing.line((0, start), (right, up)))
    for start, right, up in BRANCHES[:LADEN]:
        lower = (0.3 * right, 0.7 * start + 0.3 * up + 0.03)
        growing.add(2, (0.025 * snow).astype(np.float32)[:, None, None] - growing.line(lower, (right, up + 0.03)))
    return growing.grown()
