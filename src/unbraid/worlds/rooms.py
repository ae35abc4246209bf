"""Rooms, a ray-cast world to the specification of 3D Shapes.

References:
    Burgess and Kim, "3D Shapes dataset", 2018.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.hue import rgb
from unbraid.draw.room import SIZE, raycast
from unbraid.draw.solid import Capsule, Cone, Solid, block, sphere
from unbraid.types import Bytes, Factor, FactorSpace, Integers
from unbraid.world import World

__all__ = ["Rooms"]

HUES = tuple(round(0.1 * i, 1) for i in range(10))
SPACE = FactorSpace(
    [
        *(Factor(f"{part} hue", 10, "cyclic", HUES) for part in ("floor", "wall", "object")),
        Factor("scale", 8, "ordinal", tuple(np.linspace(0.75, 1.25, 8).round(12).tolist())),
        Factor("shape", 4, "categorical", ("cube", "cylinder", "sphere", "capsule")),
        Factor("orientation", 15, "ordinal", tuple(np.linspace(-30, 30, 15).round(12).tolist())),
    ]
)

SOLIDS: tuple[tuple[Solid, float], ...] = (
    (block(1.0, 1.0, 1.0), 1.0),
    (Cone(1.1, 1.0, 1.0), 1.1),
    (sphere(1.2), 1.2),
    (Capsule((0.0, 0.0, -0.75), (0.0, 0.0, 0.75), 0.85), 1.6),
)
"""Each shape at scale 1, and how high its middle stands."""

COLOURS = np.round(256 * rgb(HUES)).astype(np.uint16)

BLOCK = 16
"""Images drawn at a time: their sums stay in the processor's cache."""


class Rooms(World):
    """The 480,000 images of a solid in a room, ray-cast to the specification of 3D Shapes, 64x64 in colour.

    The factors are floor hue 10, wall hue 10, object hue 10, scale 8, shape 4 and orientation 15, in the published
    order; orientation is the camera's azimuth in degrees. The pictures are our own: two walls that meet behind the
    solid, and one lamp with its soft shadow. Each of the 480 geometries is cast when it is first asked for and kept,
    8 MB in all; the hues are then laid over it.

    >>> world = Rooms()
    >>> world.images([0, 479999]).shape
    (2, 3, 64, 64)
    """

    citation = """@misc{burgess2018shapes, author = {Burgess, Chris and Kim, Hyunjik}, title = {{3D} Shapes Dataset},
  howpublished = {github.com/google-deepmind/3d-shapes}, year = {2018}}"""

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (3, SIZE, SIZE)
        self._layers = np.zeros((int(np.prod(SPACE.sizes[3:])), 4, SIZE * SIZE), dtype=np.uint8)
        self._cast = np.zeros(len(self._layers), dtype=bool)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, 64, 64)``, unsigned bytes."""
        factors = self.factors(indices)
        geometry = self._geometry(factors)
        colours = COLOURS[factors[:, :3], :, None]
        images = np.empty((len(factors), 3, SIZE * SIZE), dtype=np.uint8)
        for start in range(0, len(factors), BLOCK):
            block = slice(start, start + BLOCK)
            layers = self._layers[geometry[block]].astype(np.uint16)
            # Layers sum to 255 at most and colours are at most 256, so that with the half that rounds, 16 bits suffice.
            total = layers[:, 3:] * np.uint16(256) + np.uint16(128) + layers[:, :1] * colours[block, 0]
            for part in (1, 2):
                total += layers[:, part : part + 1] * colours[block, part]
            total >>= 8
            images[block] = total
        return images.reshape(-1, *self.shape)

    def masks(self, indices: npt.ArrayLike) -> Bytes:
        """Where floor, walls and object show: ``(B,)`` to ``(B, 3, 64, 64)``, bytes 0 or 255; several at edges."""
        layers = self._layers[self._geometry(self.factors(indices))]
        return np.where(layers[:, :3] > 0, np.uint8(255), np.uint8(0)).reshape(-1, *self.shape)

    def _geometry(self, factors: Integers) -> Integers:
        """The number of each image's geometry, after all of them have been cast."""
        scales, _, angles = self.space.all[3:]
        geometry = (factors[:, 3] * len(SOLIDS) + factors[:, 4]) * angles.size + factors[:, 5]
        for new in np.unique(geometry[~self._cast[geometry]]):
            which, angle = divmod(int(new), angles.size)
            scale, shape = divmod(which, len(SOLIDS))
            solid, middle = SOLIDS[shape]
            self._layers[new] = raycast(solid, middle, float(scales.values[scale]), float(angles.values[angle]))
            self._cast[new] = True
        return geometry
