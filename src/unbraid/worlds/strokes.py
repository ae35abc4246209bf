"""Strokes, digits drawn with a pen.

References:
    Castro et al., "Morpho-MNIST: quantitative assessment and diagnostics for representation learning", JMLR 2019.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import capsules, ink
from unbraid.draw.hashing import uniforms
from unbraid.draw.skeletons import DIGITS
from unbraid.errors import InvalidData, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers, numbers
from unbraid.world import World

__all__ = ["Strokes"]

BLOCK = 128
UNIT = 0.365
"""A skeleton is ``2 UNIT`` of the image wide and high at scale 1."""

BENDS = np.array([0.09, 0.04, 0.09, 0.04])


def _even(name: str, start: float, stop: float, size: int) -> Factor:
    return Factor(name, size, "ordinal", tuple(np.linspace(start, stop, size).round(9).tolist()))


SPACE = FactorSpace(
    [
        Factor("class", 10, "categorical", tuple("0123456789")),
        _even("slant", -0.4, 0.4, 9),
        _even("thickness", 0.045, 0.125, 6),
        _even("scale_x", 0.55, 1.0, 6),
        _even("scale_y", 0.65, 0.95, 6),
        _even("x", 0.44, 0.56, 8),
        _even("y", 0.45, 0.55, 8),
        _even("rotation", -0.24, 0.24, 9),
    ]
)


class Strokes(World):
    """Digits drawn with a pen, white on black: their class, and seven known properties of the hand that writes them.

    The factors are class 10, slant 9 (how far a line leans to the right as it rises, a tangent), thickness 6 (of the
    line, in parts of the image), scale_x 6, scale_y 6, x 8 and y 8 (the centre, in parts of the image from the left
    and the top) and rotation 9 (clockwise as seen, in radians). A skeleton is first bent, then scaled, slanted, turned
    and moved. A small slant and a small turn look alike, so one is hard to tell without the other.

    No hand draws the same line twice: each image is bent by a little wobble of its own, a nuisance that is no factor.
    It is a function of the image's number and ``seed``, so an image is always the same. With ``wobble=0`` the factors
    alone make the image, and two images that share all but one differ in nothing else.

    Args:
        size: Height and width in pixels, at least 16; 28 is MNIST's.
        wobble: How much lines are bent, 0 (not at all) to 1 (by up to a fourteenth of the digit's height).
        seed: What the wobble depends on besides the image's number, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    >>> world = Strokes(size=28)
    >>> world.images([0, len(world) - 1]).shape
    (2, 1, 28, 28)
    """

    citation = """@article{castro2019morpho, author = {Castro, Daniel C. and Tan, Jeremy and Kainz, Bernhard and
  Konukoglu, Ender and Glocker, Ben}, title = {{Morpho-MNIST}: Quantitative Assessment and Diagnostics for
  Representation Learning}, journal = {Journal of Machine Learning Research}, volume = {20}, year = {2019}}"""

    def __init__(self, *, size: int = 32, wobble: float = 1.0, seed: int = 0) -> None:
        require_at_least(16, size=size)
        require_at_least(0, wobble=wobble, **{"1 - wobble": 1 - wobble}, seed=seed)
        self.size, self.wobble, self.seed = size, wobble, seed
        self.space, self.shape = SPACE, (1, size, size)
        self._values = [np.asarray(factor.values, dtype=np.float64) for factor in SPACE.all[1:]]

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, size, size)``, unsigned bytes 0 .. 255."""
        index = numbers(indices)
        digit, *others = self.factors(index).T
        bend = 2 * uniforms(index, 4, seed=self.seed, purpose="wobble") - 1
        values = (values[i] for values, i in zip(self._values, others, strict=True))
        return self.draw(digit, *values, bend=self.wobble * bend)

    def draw(
        self,
        digit: npt.ArrayLike,
        slant: npt.ArrayLike,
        thickness: npt.ArrayLike,
        scale_x: npt.ArrayLike,
        scale_y: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        rotation: npt.ArrayLike,
        *,
        bend: npt.ArrayLike = 0.0,
    ) -> Bytes:
        """Images of factors between the values of the world; the arguments broadcast to ``(B,)``.

        Args:
            digit: The class, 0 .. 9.
            slant: How far the digit leans to the right, a tangent.
            thickness: Of the line, in parts of the image.
            scale_x: Of the width.
            scale_y: Of the height.
            x: Of the centre, in parts of the image from the left.
            y: Of the centre, in parts of the image from the top.
            rotation: Clockwise as seen, in radians.
            bend: How much x is bent into a bow and into a wave along y, and y along x; each within -1 .. 1,
                ``(B, 4)`` or what broadcasts to it.

        Returns:
            Bytes, ``(B, 1, size, size)``; what lies beyond the edges is cut.

        Raises:
            InvalidData: When there is no such digit, or a number is not finite.
        """
        which = np.atleast_1d(np.asarray(digit, dtype=np.int64))
        given = (slant, thickness, scale_x, scale_y, x, y, rotation)
        which, *style = np.broadcast_arrays(which, *(np.asarray(a, dtype=np.float64) for a in given))
        wobble = np.broadcast_to(np.asarray(bend, dtype=np.float64), (len(which), 4))
        if np.any((which < 0) | (which > 9)):
            raise InvalidData(f"digits are 0 .. 9, but {which.min()} .. {which.max()} was asked for")
        if not all(np.isfinite(a).all() for a in (*style, wobble)):
            raise InvalidData("the style of a digit must be finite numbers")
        images = np.zeros((len(which), self.size, self.size), dtype=np.uint8)
        # Images of one digit go together: they have as many lines as each other, and these are alike.
        order = np.argsort(which, kind="stable")
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            self._draw_block(images, block, which[block], [a[block] for a in style], wobble[block])
        return images[:, None]

    def _draw_block(self, images: Bytes, target: Integers, digit: Integers, style: list[Floats], bend: Floats) -> None:
        """Draw into ``images[target]``."""
        slant, thickness, scale_x, scale_y, x, y, rotation = (a[:, None] for a in style)
        counts = LENGTHS[digit]
        u, v = np.moveaxis(LINES[digit, : counts.max()], -1, 0)
        # Bows and double waves: neither looks like a slant or a turn.
        b0, b1, b2, b3 = (bend * BENDS).T[..., None, None]
        bent_u = u + b0 * np.cos(np.pi * v) + b1 * np.sin(2 * np.pi * v)
        bent_v = v + b2 * np.cos(np.pi * u) + b3 * np.sin(2 * np.pi * u)
        down = self.size * UNIT * scale_y[..., None] * bent_v
        right = self.size * UNIT * scale_x[..., None] * bent_u - slant[..., None] * down
        cos, sin = np.cos(rotation)[..., None], np.sin(rotation)[..., None]
        ends = np.stack(
            [self.size * x[..., None] + cos * right - sin * down, self.size * y[..., None] + sin * right + cos * down],
            axis=-1,
        )
        radius = self.size / 2 * thickness[:, 0]
        for k in range(ends.shape[1]):
            lines = np.flatnonzero(counts > k)
            ink(images, target[lines], capsules(ends[lines, k].reshape(-1, 4), radius[lines], self.size))


LENGTHS: Integers = np.array([len(lines) for lines in DIGITS])
LINES: Floats = np.stack([np.resize(lines, (LENGTHS.max(), 4)) for lines in DIGITS]).reshape(10, -1, 2, 2)
"""The ends of every digit's lines, ``(10, K, 2, 2)``; those beyond ``LENGTHS`` are not drawn."""
