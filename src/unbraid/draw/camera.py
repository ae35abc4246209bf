"""A pinhole camera: the rays of every pixel, and where a point of the scene is seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unbraid.draw.solid import Vector, dot, minus, unit
from unbraid.types import Floats

__all__ = ["Camera"]


@dataclass(frozen=True)
class Camera:
    """A camera at a place that looks at another; z is up, and pixels are square.

    Args:
        place: Where it is; arrays for many cameras at once.
        target: What is in the middle of the image.
        focus: Half the image's width over the distance of the image plane is ``1 / focus``: larger is nearer.

    >>> camera = Camera((0.0, -5.0, 0.0), (0.0, 0.0, 0.0), 2.0)
    >>> [float(c) for c in camera.seen((0.0, 0.0, 0.0))]
    [0.0, 0.0, 5.0]
    """

    place: Vector
    target: Vector
    focus: float

    @cached_property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """The directions that point right, down and forward in the image."""
        forward = unit(minus(self.target, self.place))
        right = unit((forward[1], -forward[0], 0.0))
        down = (
            forward[1] * right[2] - forward[2] * right[1],
            forward[2] * right[0] - forward[0] * right[2],
            forward[0] * right[1] - forward[1] * right[0],
        )
        return right, down, forward

    def rays(self, size: int, samples: int) -> tuple[Floats, Floats, Floats]:
        """The directions, of length 1, of ``samples x samples`` rays through each of ``size x size`` pixels.

        Returns:
            Three coordinates, each ``(size * samples, size * samples)``, row by row from the top.
        """
        right, down, forward = self.axes
        place = ((np.arange(size * samples) + 0.5) * (2 / (size * samples)) - 1) / self.focus
        across, below = place[None, :], place[:, None]
        x, y, z = (across * right[i] + below * down[i] + forward[i] for i in range(3))
        return unit((x, y, z))

    def seen(self, point: Vector) -> Vector:
        """Where points are seen: from left -1 to right 1, from top -1 to bottom 1, and how far in front."""
        right, down, forward = self.axes
        away = minus(point, self.place)
        depth = dot(away, forward)
        return self.focus * dot(away, right) / depth, self.focus * dot(away, down) / depth, depth
