"""An empty stage: a wall, the ground and a pedestal, seen by a camera; what of it is lit by the lamp and what is not.

The ground is the plane z = 0, the wall y = WALL. The lamp is far away, so that a shadow is a distance in the plane
across its light.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.draw.camera import Camera
from unbraid.draw.solid import Cone, Vector, dot, turns, unit
from unbraid.types import Floats

__all__ = ["AMBIENT", "DIFFUSE", "FOCUS", "LIGHT", "SHOULDER", "TARGET", "Stage", "across"]

SHOULDER = (0.0, 0.9, 1.1)
PEDESTAL = Cone(0.5, 0.44, 0.26)
PEDESTAL_COLOUR = (0.36, 0.38, 0.43)
WALL = 3.4
GROUND_GREY = 0.35
"""How much grey there is in the ground's colour; the rest is the wall's."""

TARGET = (0.0, 0.1, 1.2)
DISTANCE = 9.0
FOCUS = 4.05
LIGHT: Vector = tuple(float(c) for c in unit((-0.5, -0.6, 0.85)))  # type: ignore[assignment]
AMBIENT = 0.5
DIFFUSE = 0.66

# The plane across the light.
ONE: Vector = tuple(float(c) for c in unit((LIGHT[1], -LIGHT[0], 0.0)))  # type: ignore[assignment]
TWO = (
    LIGHT[1] * ONE[2] - LIGHT[2] * ONE[1],
    LIGHT[2] * ONE[0] - LIGHT[0] * ONE[2],
    LIGHT[0] * ONE[1] - LIGHT[1] * ONE[0],
)


def across(point: Vector) -> tuple[Any, Any]:
    """Where points are in the plane across the light: two have the same place if one may shade the other."""
    return dot(ONE, point), dot(TWO, point)


class Stage:
    """The stage as a camera sees it.

    Args:
        elevation: How high the camera stands, in degrees as seen from what it looks at.
        size: Height and width of the image, in pixels.
        samples: Rays to a pixel's side.
    """

    def __init__(self, elevation: float, size: int, samples: int) -> None:
        cos, sin = (float(c) for c in turns(elevation / 360))
        place = (TARGET[0], TARGET[1] - DISTANCE * cos, TARGET[2] + DISTANCE * sin)
        self.camera, self.size, self.samples = Camera(place, TARGET, FOCUS), size, samples
        self.rays = self.camera.rays(size, samples)
        self.to_pedestal = PEDESTAL.enter(self._above(place), self.rays)
        to_ground = np.where(self.rays[2] < 0, -place[2] / np.minimum(self.rays[2], -1e-9), np.inf)
        to_wall = (WALL - place[1]) / self.rays[1]
        self.on_ground = to_ground < to_wall
        self._far = np.minimum(to_ground, to_wall)

    @property
    def on_pedestal(self) -> npt.NDArray[np.bool_]:
        """Whether each ray ends there."""
        return np.asarray(np.isfinite(self.to_pedestal))

    @cached_property
    def _point(self) -> Vector:
        x, y, z = (start + self._far * along for start, along in zip(self.camera.place, self.rays, strict=True))
        return x, y, z

    def across(self) -> tuple[Floats, Floats]:
        """Where ground and wall are in the plane across the light, in the middle of each pixel, ``(size, size)``."""
        one, two = across(self._point)
        return self._mean(one), self._mean(two)

    def light(self, colour: Floats) -> tuple[Floats, Floats]:
        """What each pixel shows of ground and wall, from all around and from the lamp, and of the pedestal.

        Args:
            colour: Of the wall, ``(3,)``.

        Returns:
            What is seen in the shadow of the lamp, and what its light adds, each ``(3, size, size)`` in 0 .. 1.
        """
        x, y, z = self._point
        ground = self.on_ground
        colours = np.where(
            ground, (GROUND_GREY * 0.75 + (1 - GROUND_GREY) * colour)[:, None, None], colour[:, None, None]
        )
        # The sky is hidden by the wall, by the ground and by the pedestal.
        corner = 1 - 0.3 * _hidden(np.where(ground, WALL - y, z), 1.0)
        away = np.sqrt(x * x + (y - SHOULDER[1]) * (y - SHOULDER[1]))
        sky = corner * np.where(ground, 1 - 0.5 * _hidden(np.maximum(away - 0.4, 0), 0.3), 1.0)
        start = self._above((x, y, np.where(ground, 1e-6, z)))
        shaded = np.isfinite(PEDESTAL.enter(start, tuple(np.full_like(x, c) for c in LIGHT)))
        lit = np.where(shaded, 0, np.where(ground, LIGHT[2], -LIGHT[1]))
        free = ~self.on_pedestal
        dim = np.where(free, AMBIENT * sky * colours, self._pedestal())
        return self._mean(dim), self._mean(np.where(free, DIFFUSE * lit * colours, 0))

    def _pedestal(self) -> Floats:
        """The pedestal's colour where it is seen."""
        seen = self.on_pedestal
        far = np.where(seen, self.to_pedestal, 1.0)
        x, y, z = (start + far * along for start, along in zip(self._above(self.camera.place), self.rays, strict=True))
        normal = PEDESTAL.normal((x, y, z))
        light = AMBIENT * (0.8 + 0.2 * normal[2]) + DIFFUSE * np.maximum(dot(normal, LIGHT), 0)
        return np.asarray(np.array(PEDESTAL_COLOUR)[:, None, None] * light)

    def _above(self, point: Vector) -> Vector:
        """A point in the pedestal's own frame."""
        return point[0] - SHOULDER[0], point[1] - SHOULDER[1], point[2] - PEDESTAL.half

    def _mean(self, values: Floats) -> Floats:
        """Rays to pixels, ``(..., size * samples, size * samples)`` to ``(..., size, size)``."""
        fine = values.reshape(*values.shape[:-2], self.size, self.samples, self.size, self.samples)
        return np.asarray(fine.mean(axis=(-3, -1)))


def _hidden(distance: Floats, reach: float) -> Floats:
    """1 at a distance of 0, a half at ``reach``, falling with the square."""
    share = distance / reach
    return np.asarray(1 / (1 + share * share))
