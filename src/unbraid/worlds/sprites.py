"""Sprites, the images of dSprites drawn on demand, and harder ones in colour or before something.

References:
    Matthey et al., "dSprites: disentanglement testing sprites dataset", 2017.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, which made the coloured, noisy and painted variants.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unbraid.draw.dsprites import CITATION, NEAREST, OUTLINES, SIZE, SPACE, SPAN
from unbraid.draw.hashing import integers, uniforms
from unbraid.draw.stamp import Stamp
from unbraid.draw.swirls import swirls
from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.types import Bytes, Integers, numbers
from unbraid.world import World

__all__ = ["Sprites"]

PICTURE = 256
"""Height and width of the picture that backgrounds are cut out of."""

COLOURS = ("white", "random", "inverse")
BACKGROUNDS = ("black", "noise", "texture")


class Sprites(World):
    """The 737,280 images of dSprites, drawn on demand: a white square, ellipse or heart on black, 64x64.

    The factors are shape 3, scale 6, orientation 40, x 32 and y 32, in the published order. Orientation runs from 0 to
    a full turn, both included, so that its first and last value draw the same image; a square looks the same after a
    quarter turn and an ellipse after half a turn.

    With ``colour`` and ``background`` these become the three variants of Locatello et al., in colour: dSprites in
    colour (``random`` on ``black``), noisy dSprites (``white`` on ``noise``) and, with a picture of our own, scream
    dSprites (``inverse`` on ``texture``). Theirs draw the nuisance anew whenever an image is asked for; here it is a
    function of the image's number and ``seed`` alone, so that an image is always the same.

    Args:
        colour: Of the sprite: ``"white"``, ``"random"`` (each primary between a half and full) or ``"inverse"``, the
            negative of what lies behind it.
        background: ``"black"``, ``"noise"`` (every pixel any colour) or ``"texture"`` (a piece of a picture of
            swirls, mixed half and half with a random colour).
        seed: What colours, noise and pieces depend on, at least 0.

    Raises:
        InvalidOption: When an option is none of these.

    >>> world = Sprites()
    >>> world.images([0, 737279]).shape
    (2, 1, 64, 64)
    >>> int(world.draw(shape=[2], scale=[0.75], orientation=[0.1], x=[0.3], y=[0.8]).max())
    255
    >>> Sprites(colour="inverse", background="texture").images([0]).shape
    (1, 3, 64, 64)
    """

    citation = CITATION

    def __init__(
        self,
        *,
        colour: Literal["white", "random", "inverse"] = "white",
        background: Literal["black", "noise", "texture"] = "black",
        seed: int = 0,
    ) -> None:
        for option, value, known in (("colour", colour, COLOURS), ("background", background, BACKGROUNDS)):
            if value not in known:
                raise InvalidOption(f"{option} must be one of {', '.join(known)}, but is {value!r}")
        require_at_least(0, seed=seed)
        self.colour, self.background, self.seed = colour, background, seed
        self._plain = background == "black" and colour != "random"
        self.space, self.shape = SPACE, (1 if self._plain else 3, SIZE, SIZE)
        self._stamp = Stamp(OUTLINES, SIZE)
        self._values = [np.asarray(factor.values, dtype=np.float64) for factor in SPACE.all[1:]]
        if background == "texture":
            # Its edges meet, so that a piece may begin anywhere.
            picture = np.pad(swirls(PICTURE, seed=seed), ((0, 0), (0, SIZE - 1), (0, SIZE - 1)), mode="wrap")
            self._pieces = sliding_window_view(picture, (SIZE, SIZE), axis=(1, 2)).transpose(1, 2, 0, 3, 4)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, 64, 64)``, unsigned bytes; plain ones 0 or 255."""
        index = numbers(indices)
        drawn = self.draw(*self._meant(index))
        if self._plain:
            return drawn
        behind = self._behind(index)
        if self.colour == "inverse":
            # The sprite is 255 where it is, and 255 - b is b with every bit turned.
            return np.bitwise_xor(behind, drawn, out=behind)
        sprite = np.broadcast_to(np.uint8(255), (len(index), 3)) if self.colour == "white" else self._colours(index)
        # A sprite has every bit of its colour where it is and none elsewhere: many times as fast as to choose.
        behind &= ~drawn
        behind |= drawn & sprite[:, :, None, None]
        return behind

    def fractions(self, indices: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The same images as models see them: ``(B,)`` to ``(B, C, 64, 64)``, float32; plain ones 0 or 1."""
        if not self._plain:
            return super().fractions(indices)
        return self._inside(*self._meant(indices)).astype(np.float32)

    def draw(
        self,
        shape: npt.ArrayLike,
        scale: npt.ArrayLike,
        orientation: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
    ) -> Bytes:
        """Images of factors between the values of the data set, white on black; the arguments broadcast to ``(B,)``.

        Args:
            shape: 0 square, 1 ellipse, 2 heart.
            scale: Above 0, at most 1.
            orientation: Counter-clockwise, in radians.
            x: From left 0 to right 1.
            y: From top 0 to bottom 1.

        Returns:
            Bytes 0 or 255, ``(B, 1, 64, 64)``.

        Raises:
            InvalidData: When a value is out of range.
        """
        on = self._inside(shape, scale, orientation, x, y).view(np.uint8)
        return np.negative(on, out=on)  # -1 is 255 in a byte.

    def _inside(self, *meant: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which pixels the sprite covers; arguments and errors as for :meth:`draw`."""
        shape, scale, orientation, x, y = meant
        size, x, y = (np.asarray(a, dtype=np.float64) for a in (scale, x, y))
        for name, values in (("scale", size), ("x", x), ("y", y)):
            if values.size and not (values.min() >= 0 and values.max() <= 1):
                raise InvalidData(f"{name} must lie in 0 .. 1, but runs from {values.min()} to {values.max()}")
        return self._stamp.draw(shape, size, orientation, NEAREST + SPAN * x, NEAREST + SPAN * y)[:, None]

    def _meant(self, indices: npt.ArrayLike) -> list[npt.NDArray[Any]]:
        """What the factors of the given images stand for, as :meth:`draw` takes them, each ``(B,)``."""
        shape, *others = self.factors(indices).T
        return [shape, *(values[i] for values, i in zip(self._values, others, strict=True))]

    def _colours(self, index: Integers) -> Bytes:
        """The colour of each sprite, ``(B, 3)``."""
        shares = uniforms(index, 3, seed=self.seed, purpose="sprite")
        return np.asarray(np.rint(255 * (0.5 + 0.5 * shares)), dtype=np.uint8)

    def _behind(self, index: Integers) -> Bytes:
        """What lies behind each sprite, ``(B, 3, 64, 64)``."""
        if self.background == "black":
            return np.zeros((len(index), *self.shape), dtype=np.uint8)
        if self.background == "noise":
            # Four bytes out of each number, since there are many.
            words = integers(index, 3 * SIZE * SIZE // 4, 2**32 - 1, seed=self.seed, purpose="noise")
            return words.astype("<u4").view(np.uint8).reshape(-1, *self.shape)
        down, across = integers(index, 2, PICTURE, seed=self.seed, purpose="piece").T
        # The mean of two bytes, rounded down.
        piece = self._pieces[down, across] >> 1
        piece += (integers(index, 3, 256, seed=self.seed, purpose="tint").astype(np.uint8) >> 1)[:, :, None, None]
        return np.asarray(piece)
