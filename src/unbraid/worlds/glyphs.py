"""Glyphs, letters in many fonts.

References:
    Hunter, "Matplotlib: a 2D graphics environment", Computing in Science and Engineering 2007, whose fonts these are.
"""

from __future__ import annotations

import string
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from unbraid.draw.letters import CAPITAL, FONTS, font, letters
from unbraid.draw.place import Tiles
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace
from unbraid.world import World

__all__ = ["Glyphs"]

CASES = {"upper": string.ascii_uppercase, "lower": string.ascii_lowercase, "both": string.ascii_letters}


def _even(name: str, start: float, stop: float, size: int) -> Factor:
    return Factor(name, size, "ordinal", tuple(np.linspace(start, stop, size).round(9).tolist()))


class Glyphs(World):
    """Letters in the 21 text fonts that come with matplotlib, white on black: content is the letter, style the rest.

    The factors are letter 26 (or 52), font 21, scale 5 (the height of a capital, in parts of the image), slant 5 (how
    far it leans to the right beyond what its font does, a tangent), x 8 and y 8 (the middle of the letter's own
    rectangle, in parts of the image from the left and the top). Fonts are brought to the same height of capitals.

    Letters are drawn by Pillow with the fonts of the installed matplotlib: another version of either may draw a few
    pixels differently.

    Args:
        size: Height and width in pixels, at least 16.
        case: ``"upper"``, ``"lower"`` or ``"both"``.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When matplotlib's fonts are not installed.

    >>> world = Glyphs()
    >>> world.images(world.index([[0, 4, 4, 2, 3, 3]])).shape
    (1, 1, 32, 32)
    """

    citation = """@article{hunter2007matplotlib, author = {Hunter, John D.}, title = {Matplotlib: A {2D} Graphics
  Environment}, journal = {Computing in Science \\& Engineering}, volume = {9}, number = {3}, pages = {90--95},
  year = {2007}}"""

    def __init__(self, *, size: int = 32, case: Literal["upper", "lower", "both"] = "upper") -> None:
        require_at_least(16, size=size)
        if case not in CASES:
            raise InvalidOption(f"case must be upper, lower or both, but is {case!r}")
        for name in FONTS:
            font(name)  # For its check: better now than at the first image.
        self.size, self.case, self.shape = size, case, (1, size, size)
        self.space = FactorSpace(
            [
                Factor("letter", len(CASES[case]), "categorical", tuple(CASES[case])),
                Factor("font", len(FONTS), "categorical", FONTS),
                _even("scale", 0.32, 0.46, 5),
                _even("slant", -0.22, 0.22, 5),
                _even("x", 0.42, 0.58, 8),
                _even("y", 0.42, 0.58, 8),
            ]
        )
        self._values = [np.asarray(factor.values, dtype=np.float64) for factor in self.space.all[2:]]

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, size, size)``, unsigned bytes 0 .. 255."""
        letter, face, *others = self.factors(indices).T
        scale, slant, x, y = (values[i] for values, i in zip(self._values, others, strict=True))
        which, unit = letter * len(FONTS) + face, self.size * scale / CAPITAL
        return self._tiles.place(which, unit, self.size * x, self.size * y, self.size, slant=slant)[:, None]

    @cached_property
    def _tiles(self) -> Tiles:
        pictures = letters(CASES[self.case])
        return Tiles(pictures.reshape(-1, *pictures.shape[2:]))
