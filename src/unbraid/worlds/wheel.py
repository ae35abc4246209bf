"""Wheel, a coloured wheel that turns and rolls, every factor cyclic.

References:
    Tonnaer, Perez Rey, Menkovski, Holenderski and Portegies, "Quantifying and learning linear symmetry-based
    disentanglement", ICML 2022, arXiv:2011.06070.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.hue import rgb
from unbraid.draw.solid import turns
from unbraid.draw.torus import centres, disc, offsets
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Integers
from unbraid.world import World

__all__ = ["Wheel"]

BLOCK = 8
"""Images drawn at a time: their sums stay in the processor's cache."""


class Wheel(World):
    r"""A coloured wheel with a white mark near its rim, on black; its hue, angle, x and y are all cyclic.

    The group :math:`C_h \times C_a \times C_n \times C_m` acts on it: a third of a turn of hue passes each channel on
    to the next, a quarter turn of the angle turns the wheel's image by as much, and a step of x or y rolls the image
    by ``size / columns`` or ``size / rows`` pixels, around the border. A factor with one value is left out.

    Args:
        hues: How many hues, h.
        angles: How many angles, a; with 1 the wheel has no mark.
        columns: How many values x takes, n.
        rows: How many values y takes, m.
        radius: Of the wheel, in pixels; at least 4.
        size: Height and width of the image, in pixels.

    Raises:
        InvalidOption: When every factor has one value, or the wheel does not fit.

    >>> world = Wheel(hues=3, angles=1, columns=4, rows=1)
    >>> world.space
    FactorSpace(hue 3, x 4)
    >>> red, green = world.images(world.index([[0, 0], [1, 0]]))
    >>> np.array_equal(np.roll(red, 1, axis=0), green)
    True
    """

    citation = """@inproceedings{tonnaer2022quantifying, author = {Tonnaer, Loek and Perez Rey, Luis A. and
  Menkovski, Vlado and Holenderski, Mike and Portegies, Jim},
  title = {Quantifying and Learning Linear Symmetry-Based Disentanglement},
  booktitle = {International Conference on Machine Learning}, year = {2022}}"""

    def __init__(
        self,
        *,
        hues: int = 6,
        angles: int = 8,
        columns: int = 8,
        rows: int = 8,
        radius: float = 14.0,
        size: int = 64,
    ) -> None:
        require_at_least(1, hues=hues, angles=angles, columns=columns, rows=rows, size=size)
        require_at_least(4, radius=radius)
        if hues * angles * columns * rows == 1:
            raise InvalidOption("the wheel needs a factor: give hues, angles, columns or rows more than 1")
        if radius > size / 2 - 0.5:
            raise InvalidOption(f"radius must be at most {size / 2 - 0.5} in {size} pixels, but is {radius}")
        self.hues, self.angles, self.columns, self.rows = hues, angles, columns, rows
        self.radius, self.size, self.shape = radius, size, (3, size, size)
        share = {count: tuple(i / count for i in range(count)) for count in (hues, angles)}
        every = [
            Factor("hue", hues, "cyclic", share[hues]),
            Factor("angle", angles, "cyclic", tuple(2 * np.pi * part for part in share[angles])),
            Factor("x", columns, "cyclic", centres(columns, size)),
            Factor("y", rows, "cyclic", centres(rows, size)),
        ]
        self.space = FactorSpace([factor for factor in every if factor.size > 1])
        self._present = [factor.size > 1 for factor in every]
        self._colours = rgb(share[hues])
        self._cos, self._sin = turns(share[angles])

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, size, size)``, unsigned bytes."""
        present = self.factors(indices)
        factors = np.zeros((len(present), 4), dtype=np.int64)
        factors[:, self._present] = present
        images = np.empty((len(factors), *self.shape), dtype=np.uint8)
        for start in range(0, len(factors), BLOCK):
            self._draw(factors[start : start + BLOCK], images[start : start + BLOCK])
        return images

    def _draw(self, factors: Integers, images: Bytes) -> None:
        hue, angle, column, row = factors.T
        right, below = offsets(column, self.columns, self.size), offsets(row, self.rows, self.size)
        coloured = 255 * disc(right, below, self.radius)
        white = np.zeros_like(coloured)
        if self.angles > 1:
            # The mark is a disc of its own, which lies within the wheel and so never wraps apart from it.
            out = 0.6 * self.radius
            across, up = (out * self._cos[angle])[:, None], (out * self._sin[angle])[:, None]
            mark = disc(right - across, below + up, 0.25 * self.radius)
            white = mark * coloured
            coloured -= white
        total = coloured[:, None] * self._colours[hue][:, :, None, None]
        total += white[:, None]
        images[:] = np.rint(total, out=total)
