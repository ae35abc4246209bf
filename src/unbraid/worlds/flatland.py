"""FlatLand, a disc on a grid without edges.

References:
    Caselles-Dupré, Garcia Ortiz and Filliat, "Symmetry-based disentangled representation learning requires interaction
    with environments", NeurIPS 2019, arXiv:1904.00243.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from unbraid.draw.hue import rgb
from unbraid.draw.torus import centres, disc, offsets
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers, numbers
from unbraid.world import World

__all__ = ["FlatLand"]

KEPT = 1024
"""Worlds of so many images are kept whole: 12 MB at 64 x 64 pixels in colour."""


class FlatLand(World):
    r"""A disc on black whose place, x and y, is cyclic: a step beyond the last value comes back to the first.

    The group :math:`C_n \times C_m` acts on it: with ``wrap``, a step of x is a roll of the image by
    ``size / columns`` pixels, of y by ``size / rows``. An axis with one value is no factor.

    Args:
        columns: How many values x takes, n.
        rows: How many values y takes, m.
        radius: Of the disc, in pixels; at least 1.
        size: Height and width of the image, in pixels.
        hue: The disc's colour, as a share of a turn of the colour wheel; None for white, in an image of one channel.
        wrap: Whether the disc itself is drawn across the border. If not, it stays two pixels inside, and the step from
            the last value to the first is a leap, as in the paper: 7 columns, 7 rows and a radius of 15.

    Raises:
        InvalidOption: When there is one place only, or the disc does not fit.

    >>> world = FlatLand(columns=4, rows=4, radius=3, size=16)
    >>> here, below = world.images([0, 1])
    >>> np.array_equal(np.roll(here, 4, axis=1), below)
    True
    """

    citation = """@inproceedings{casellesdupre2019symmetry, author = {Caselles-Dupr{\\'e}, Hugo and
  Garcia Ortiz, Michael and Filliat, David},
  title = {Symmetry-Based Disentangled Representation Learning Requires Interaction with Environments},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2019}}"""

    def __init__(
        self,
        *,
        columns: int = 8,
        rows: int = 8,
        radius: float = 12.0,
        size: int = 64,
        hue: float | None = None,
        wrap: bool = True,
    ) -> None:
        require_at_least(1, columns=columns, rows=rows, radius=radius, size=size)
        if columns * rows == 1:
            raise InvalidOption("the disc needs more than one place: give columns or rows more than 1")
        room = size / 2 - (0.5 if wrap else 2)
        if radius > room:
            raise InvalidOption(f"radius must be at most {room} in an image of {size} pixels, but is {radius}")
        self.columns, self.rows, self.radius, self.size, self.hue, self.wrap = columns, rows, radius, size, hue, wrap
        self.shape = (1 if hue is None else 3, size, size)
        colour = np.ones(1) if hue is None else rgb(hue)
        self._colour = 255 * colour[:, None, None]
        axes = [("x", columns), ("y", rows)]
        self.space = FactorSpace([Factor(n, c, "cyclic", self._centres(c)) for n, c in axes if c > 1])

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, size, size)``, unsigned bytes."""
        index = numbers(indices)
        if len(self) > KEPT:
            return self._drawn(index)
        self.factors(index)  # refuses numbers that are none of its images
        return np.asarray(self._all[index])

    @cached_property
    def _all(self) -> Bytes:
        """Every image: a few places are drawn once, not for every batch."""
        return self._drawn(np.arange(len(self)))

    def _drawn(self, index: Integers) -> Bytes:
        factors = self.factors(index)
        columns = factors[:, 0] if self.columns > 1 else np.zeros(len(factors), dtype=np.int64)
        rows = factors[:, -1] if self.rows > 1 else np.zeros(len(factors), dtype=np.int64)
        drawn = disc(self._offsets(columns, self.columns), self._offsets(rows, self.rows), self.radius)
        return np.asarray(np.rint(drawn[:, None] * self._colour), dtype=np.uint8)

    def _centres(self, count: int) -> tuple[float, ...]:
        if self.wrap:
            return centres(count, self.size)
        edge = self.radius + 2
        return tuple(np.linspace(edge, self.size - edge, count).tolist())

    def _offsets(self, place: Integers, count: int) -> Floats:
        if self.wrap:
            return offsets(place, count, self.size)
        return np.asarray(np.arange(self.size) + 0.5 - np.asarray(self._centres(count))[place, None])
