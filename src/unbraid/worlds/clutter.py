"""Clutter, a digit among things that do not matter.

References:
    Achille and Soatto, "Information dropout: learning optimal representations through noisy computation", PAMI 2018.
    Mnih et al., "Recurrent models of visual attention", NIPS 2014, whose cluttered digits these resemble.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unbraid.draw.handwritten import SIDE, Handwritten
from unbraid.draw.hashing import integers
from unbraid.draw.place import Tiles
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Integers, numbers
from unbraid.world import World

__all__ = ["Clutter"]

# The image is a grid of 24 x 24 cells, on which everything lies: a digit is 8 cells wide, a mark 6 and a piece 4.
CELLS, DIGIT, MARK, PIECE = 24, 8, 6, 4
CORNERS = np.array([0, 2, 5, 7, 9, 11, 14, 16])
"""Where a digit's left or top edge may be."""

MARKS = {
    "ring": ("######", "#....#", "#....#", "#....#", "#....#", "######"),
    "plus": ("..##..", "..##..", "######", "######", "..##..", "..##.."),
    "checks": ("##..##", "##..##", "..##..", "..##..", "##..##", "##..##"),
    "corner": ("##....", "##....", "##....", "##....", "######", "######"),
}
"""All of 20 cells, so that their amount of ink says nothing."""

MOST = 4096
Layers = npt.NDArray[np.float32]


class Clutter(World):
    """A handwritten digit, a mark beside or over it, and pieces of other digits: what matters and what does not.

    The factors are class 10, x 8 and y 8 (the middle of the digit, in parts of the image), mark 4 (which pattern),
    place 5 and clutter (which arrangement of the pieces). Beside the digit, place counts the spots of a 3x3 grid that
    the digit leaves free, row by row; over it, it is one of its four corners or its middle. All but the class are
    nuisances, independent of it and known: how much of them a representation keeps can be measured. Which of the
    handwritten digits of its class is shown is a nuisance too, a function of the image's number and ``seed`` alone.

    The squares of the digit and of the mark are clear: nothing behind them shines through.

    Args:
        size: Height and width in pixels, at least 24; everything is in proportion.
        mark: Whether the mark lies ``"beside"`` the digit or ``"over"`` it, where it hides part of it.
        pieces: How many pieces of other digits are strewn about.
        arrangements: How many arrangements of them there are, 1 to 4,096.
        split: Of the handwritten digits, ``"all"``, ``"train"`` (four in five) or ``"test"``.
        seed: What arrangements, and the choice of handwritten digits, depend on, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    >>> world = Clutter(size=24)
    >>> world.images([0, 1]).shape, world.masks([0, 1]).shape
    ((2, 1, 24, 24), (2, 3, 24, 24))
    """

    citation = """@article{achille2018information, author = {Achille, Alessandro and Soatto, Stefano}, title =
  {Information Dropout: Learning Optimal Representations Through Noisy Computation}, journal = {IEEE Transactions on
  Pattern Analysis and Machine Intelligence}, volume = {40}, number = {12}, pages = {2897--2905}, year = {2018}}"""

    def __init__(
        self,
        *,
        size: int = 32,
        mark: Literal["beside", "over"] = "beside",
        pieces: int = 4,
        arrangements: int = 64,
        split: Literal["all", "train", "test"] = "all",
        seed: int = 0,
    ) -> None:
        require_at_least(CELLS, size=size)
        require_at_least(0, pieces=pieces, seed=seed)
        require_at_least(1, arrangements=arrangements)
        if mark not in ("beside", "over"):
            raise InvalidOption(f"mark must be beside or over, but is {mark!r}")
        if arrangements > MOST:
            raise InvalidOption(f"arrangements must be at most {MOST}, but is {arrangements}")
        self.size, self.mark, self.pieces, self.arrangements = size, mark, pieces, arrangements
        self.split, self.seed, self.shape = split, seed, (1, size, size)
        self._digits = Handwritten(split)
        self._digit_tiles = Tiles(self._digits.pictures)
        patterns = np.array([[list(row) for row in rows] for rows in MARKS.values()])
        self._mark_tiles = Tiles(np.where(patterns == "#", np.uint8(255), np.uint8(0)))
        middles = tuple(((CORNERS + DIGIT / 2) / CELLS).round(9).tolist())
        self.space = FactorSpace(
            [
                Factor("class", 10, "categorical", tuple("0123456789")),
                Factor("x", len(CORNERS), "ordinal", middles),
                Factor("y", len(CORNERS), "ordinal", middles),
                Factor("mark", len(MARKS), "categorical", tuple(MARKS)),
                Factor("place", 5, "categorical"),
                Factor("clutter", arrangements if pieces else 1, "categorical"),
            ]
        )

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, size, size)``, unsigned bytes 0 .. 255."""
        return np.asarray(np.rint(self._layers(indices).sum(axis=1, keepdims=True)), dtype=np.uint8)

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Where one sees the digit, the mark and the pieces: ``(B,)`` to ``(B, 3, size, size)``."""
        return np.asarray(self._layers(indices) > 127.5)

    def _layers(self, indices: npt.ArrayLike) -> Layers:
        """What is seen of digit, mark and pieces, 0 .. 255; their sum is the image: ``(B, 3, size, size)``."""
        index = numbers(indices)
        digit, x, y, mark, place, clutter = self.factors(index).T
        exemplar = integers(index, 1, self._digits.counts[digit][:, None], seed=self.seed, purpose="exemplars")[:, 0]
        corner = np.stack([CORNERS[x], CORNERS[y]], axis=1)
        beside = _free(corner, place) if self.mark == "beside" else _upon(corner, place)
        shown = self._digits.picture(digit, exemplar)
        layers = np.empty((len(index), 3, self.size, self.size), dtype=np.float32)
        layers[:, 0] = self._placed(self._digit_tiles, shown, corner, DIGIT)
        layers[:, 1] = self._placed(self._mark_tiles, mark, beside, MARK)
        layers[:, 2] = self._strewn[clutter]
        layers[:, 2] *= 1 - self._square(corner, DIGIT)
        layers[:, [0, 2]] *= 1 - self._square(beside, MARK)[:, None]
        return layers

    def _placed(self, tiles: Tiles, which: Integers, corner: Integers, cells: int) -> Bytes:
        """Pictures so many cells wide with their left and top edges at ``corner``: ``(B, size, size)``."""
        cell = self.size / CELLS
        middle = (corner + cells / 2) * cell
        return tiles.place(which, cells * cell / tiles.width, middle[:, 0], middle[:, 1], self.size)

    def _square(self, corner: Integers, cells: int) -> Layers:
        """How much of each pixel lies in a square so many cells wide: ``(B, size, size)``."""
        cell, edge = self.size / CELLS, np.arange(self.size)
        low, high = (corner * cell)[..., None], ((corner + cells) * cell)[..., None]
        along = np.clip(np.minimum(edge + 1, high) - np.maximum(edge, low), 0, 1).astype(np.float32)
        return np.asarray(along[:, 1, :, None] * along[:, 0, None, :])

    @cached_property
    def _strewn(self) -> Bytes:
        """Every arrangement by itself: ``(arrangements, size, size)``."""
        number = self.space["clutter"].size
        drawn = np.zeros((number, self.size, self.size), dtype=np.uint8)
        kept = np.concatenate([self._digits.picture(d, np.arange(n)) for d, n in enumerate(self._digits.counts)])
        # A window starts where digits have ink: not at their left or right edge.
        bounds = [len(kept), 5, 3, CELLS - PIECE + 1, CELLS - PIECE + 1]
        step = SIDE // DIGIT
        windows = sliding_window_view(self._digits.pictures, (PIECE * step, PIECE * step), axis=(1, 2))
        for k in range(self.pieces):
            which, down, right, x, y = integers(np.arange(number), 5, bounds, seed=self.seed, purpose=f"piece {k}").T
            piece = np.ascontiguousarray(windows[kept[which], step * down, step * (right + 1)])
            corner = np.stack([x, y], axis=1)
            np.maximum(drawn, self._placed(Tiles(piece), np.arange(number), corner, PIECE), out=drawn)
        return drawn


def _free(corner: Integers, place: Integers) -> Integers:
    """The spot of a 3x3 grid that is number ``place`` of those the digit leaves free; there are always five."""
    step = (CELLS - MARK) // 2
    spots = step * np.stack(np.meshgrid(np.arange(3), np.arange(3)), axis=-1).reshape(9, 2)
    meets = (spots < corner[:, None] + DIGIT) & (corner[:, None] < spots + MARK)
    free = ~meets.all(axis=2)
    chosen = (np.cumsum(free, axis=1) > place[:, None]).argmax(axis=1)
    return np.asarray(spots[chosen])


def _upon(corner: Integers, place: Integers) -> Integers:
    """A corner of the digit or its middle, within the image."""
    far = DIGIT - PIECE
    offsets = np.array([[-2, -2], [far, -2], [-2, far], [far, far], [1, 1]])
    return np.asarray(np.clip(corner + offsets[place], 0, CELLS - MARK))
