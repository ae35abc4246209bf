"""Sprites, the images of dSprites drawn on demand.

References:
    Matthey et al., "dSprites: disentanglement testing sprites dataset", 2017.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.dsprites import CITATION, NEAREST, OUTLINES, SIZE, SPACE, SPAN
from unbraid.draw.stamp import Stamp
from unbraid.errors import InvalidData
from unbraid.types import Bytes
from unbraid.world import World

__all__ = ["Sprites"]


class Sprites(World):
    """The 737,280 images of dSprites, drawn on demand: a white square, ellipse or heart on black, 64x64.

    The factors are shape 3, scale 6, orientation 40, x 32 and y 32, in the published order. Orientation runs from 0 to
    a full turn, both included, so that its first and last value draw the same image; a square looks the same after a
    quarter turn and an ellipse after half a turn.

    >>> world = Sprites()
    >>> world.images([0, 737279]).shape
    (2, 1, 64, 64)
    >>> int(world.draw(shape=[2], scale=[0.75], orientation=[0.1], x=[0.3], y=[0.8]).max())
    255
    """

    citation = CITATION

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (1, SIZE, SIZE)
        self._stamp = Stamp(OUTLINES, SIZE)
        self._values = [np.asarray(factor.values, dtype=np.float64) for factor in SPACE.all[1:]]

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, 64, 64)``, bytes 0 or 255."""
        shape, *others = self.factors(indices).T
        return self.draw(shape, *(values[i] for values, i in zip(self._values, others, strict=True)))

    def draw(
        self,
        shape: npt.ArrayLike,
        scale: npt.ArrayLike,
        orientation: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
    ) -> Bytes:
        """Images of factors between the values of the data set; the arguments broadcast to ``(B,)``.

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
        size, x, y = (np.asarray(a, dtype=np.float64) for a in (scale, x, y))
        for name, values in (("scale", size), ("x", x), ("y", y)):
            if values.size and not (values.min() >= 0 and values.max() <= 1):
                raise InvalidData(f"{name} must lie in 0 .. 1, but runs from {values.min()} to {values.max()}")
        return self._stamp.draw(shape, size, orientation, NEAREST + SPAN * x, NEAREST + SPAN * y)[:, None]
