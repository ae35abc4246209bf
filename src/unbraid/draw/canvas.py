"""A canvas for a batch of pictures, painted piece by piece; and one that keeps instead what is seen of which thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import Patch, paint, windows
from unbraid.types import Bytes, Floats, Integers

__all__ = ["Canvas"]

Singles = npt.NDArray[np.float32]


class Canvas:
    """Pictures in colour that are painted from back to front.

    Args:
        count: How many pictures, B.
        size: Height and width in pixels.
        things: Names of things; where some are given, each has a channel of its own that tells how much of it is seen,
            and colours do not count.

    Attributes:
        pixels: ``(B, 3, size, size)`` in 0 .. 255, or ``(B, things, size, size)`` in 0 .. 1.
    """

    def __init__(self, count: int, size: int, things: Sequence[str] = ()) -> None:
        self.size, self.things = size, tuple(things)
        self.pixels: Singles = np.zeros((count, len(things) or 3, size, size), dtype=np.float32)
        self._all = np.arange(count)

    def put(self, thing: str, patch: Patch, colour: Floats, which: Integers | None = None) -> None:
        """Paint a patch in each picture, or in some.

        Args:
            thing: What it is part of; may be none of the things that are kept apart.
            patch: What it covers.
            colour: In 0 .. 255, ``(3,)`` or ``(B, 3)``.
            which: The pictures, ``(B,)``, no picture twice; all by default.
        """
        if self.things:
            colour = self._kept(thing)[:, 0, 0].astype(np.float64)
        paint(self.pixels, self._all if which is None else which, patch, colour)

    def lay(self, thing: str, patch: Patch, colours: npt.NDArray[np.floating], which: Integers | None = None) -> None:
        """Lay small pictures on some of the pictures.

        Args:
            thing: What they are part of.
            patch: What they cover, and where.
            colours: Of each pixel, times how much of it is covered, in 0 .. 255, ``(B, 3, h, w)``.
            which: The pictures, as for :meth:`put`.
        """
        there = windows(self.pixels, *patch.coverage.shape[1:])
        places = self._all if which is None else which
        cover = patch.coverage[:, None]
        place = places, slice(None), patch.top, patch.left
        laid = self._kept(thing) * cover if self.things else colours.astype(np.float32)
        there[place] = there[place] * (1 - cover) + laid

    def start(self, thing: str, colours: npt.NDArray[np.floating]) -> None:
        """Paint whatever nothing else will cover; colours broadcast to ``(B, 3, size, size)``."""
        self.pixels[:] = self._kept(thing) if self.things else colours.astype(np.float32)  # first, where they are few

    def fill(self, thing: str, coverage: Singles, colours: npt.NDArray[np.floating], *, top: int = 0) -> None:
        """Paint over whole rows.

        Args:
            thing: What it is part of.
            coverage: How much of each pixel, in 0 .. 1, ``(B, rows, size)`` or ``(1, rows, size)``.
            colours: In 0 .. 255; broadcasts to ``(B, 3, rows, size)``.
            top: The first row.
        """
        cover = coverage[..., None, :, :]
        region = self.pixels[:, :, top : top + cover.shape[-2]]
        region += ((self._kept(thing) if self.things else colours.astype(np.float32)) - region) * cover

    def bytes(self) -> Bytes:
        """The pictures."""
        levels = np.empty(self.pixels.shape, dtype=np.uint8)
        # Colours are mixtures of bytes. No copy of them is made: fresh memory takes longer than what is done with it.
        return np.rint(self.pixels, out=levels, casting="unsafe")

    def seen(self) -> npt.NDArray[np.bool_]:
        """In which pixels a thing fills more than a half; no pixel is of two."""
        return np.asarray(self.pixels > 0.5)

    def _kept(self, thing: str) -> Singles:
        """What stands for a colour where things are told apart: 1 in the channel of the thing."""
        return np.array([thing == one for one in self.things], dtype=np.float32)[:, None, None]
