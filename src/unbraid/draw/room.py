"""A room with one solid in it, ray-cast: what floor, walls, solid and highlight add to each pixel.

Lengths are in halves of the side of a cube at scale 1. The solid stands about the origin on the floor, z = 0; the walls
are the planes x = WALL and y = WALL, and the camera looks at the solid from the open corner.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.draw.camera import Camera
from unbraid.draw.solid import Solid, Vector, dot, turns, unit
from unbraid.types import Bytes, Floats, Integers

__all__ = ["SIZE", "raycast"]

SIZE = 64
SAMPLES = 4
"""Rays to a pixel's side; each of the 16 looks towards its own spot of the lamp."""

WALL, DISTANCE, HEIGHT, LOOK, FOCUS = 5.0, 10.0, 4.6, 1.05, 2.9
LAMP, LAMP_SIZE = (-5.6, -2.6, 8.0), 1.2
AMBIENT, DIFFUSE = 0.5, 0.57


def raycast(solid: Solid, middle: float, scale: float, degrees: float) -> Bytes:
    """Draw one geometry; an image is the sum of the first three layers, each times its part's colour, and the fourth.

    Args:
        solid: What stands in the room, at scale 1.
        middle: How high its origin is above its foot, at scale 1.
        scale: How large it is.
        degrees: The camera's azimuth; at 0 it faces the corner.

    Returns:
        Floor, walls, solid and highlight, ``(4, SIZE * SIZE)`` bytes. At no pixel is their sum above 255.
    """
    cos, sin = (float(c) for c in turns((degrees + 45) / 360))
    eye = (-DISTANCE * cos, -DISTANCE * sin, HEIGHT)
    camera = Camera(eye, (0.0, 0.0, LOOK), FOCUS)
    x, y, z = (along.ravel() for along in camera.rays(SIZE, SAMPLES))
    rays = (x, y, z)
    layers = np.zeros((4, len(x)))

    found, point = _solid_hits(solid, camera, middle, scale, rays)
    place = (scale * point[0], scale * point[1], scale * (point[2] + middle))
    light, gloss = _solid_light(solid.normal(point), place, _at(rays, found), _at(_lamp(), found))
    layers[2, found], layers[3, found] = light * (1 - gloss), gloss

    open_to = np.ones(len(x), dtype=bool)
    open_to[found] = False
    to_right, to_left = ((WALL - eye[i]) / np.maximum(rays[i], 1e-9) for i in (0, 1))
    to_wall = np.minimum(to_right, to_left)
    down = eye[2] + to_wall * z < 0

    (found,) = (open_to & down).nonzero()
    ray = _at(rays, found)
    far = -eye[2] / ray[2]
    place = (eye[0] + far * ray[0], eye[1] + far * ray[1], 0.0)
    layers[0, found] = _floor_light(solid, middle, scale, place, _at(_lamp(), found))

    (found,) = (open_to & ~down).nonzero()
    ray, far = _at(rays, found), to_wall[found]
    place = (eye[0] + far * ray[0], eye[1] + far * ray[1], eye[2] + far * ray[2])
    layers[1, found] = _wall_light((to_right < to_left)[found], place, _at(_lamp(), found))

    # Whole rows are summed first, which is quicker than a mean over both axes.
    sums = layers.reshape(4, SIZE, SAMPLES, SIZE * SAMPLES).sum(axis=2).reshape(4, SIZE * SIZE, SAMPLES).sum(axis=2)
    return _rounded(sums / SAMPLES**2)


def _solid_hits(solid: Solid, camera: Camera, middle: float, scale: float, rays: Vector) -> tuple[Integers, Vector]:
    """Which rays meet the solid, and where in its own frame: the origin in its middle, at scale 1."""
    x, y, z = camera.place
    eye = (x / scale, y / scale, z / scale - middle)
    # Only rays that pass through the ball around it are tried.
    along = dot(eye, rays)
    (near,) = (dot(eye, eye) - along * along <= solid.reach * solid.reach).nonzero()
    ray = _at(rays, near)
    far = solid.enter(eye, ray)
    (hit,) = np.isfinite(far).nonzero()
    far, ray = far[hit], _at(ray, hit)
    return near[hit], (eye[0] + far * ray[0], eye[1] + far * ray[1], eye[2] + far * ray[2])


@cache
def _lamp() -> Vector:
    """The spot of the square lamp that each ray looks at: over a pixel's rays every spot comes once."""
    row, column = np.divmod(np.arange(SAMPLES * SAMPLES), SAMPLES)
    # Neighbouring rays look at spots far apart.
    spots = np.stack([(2 * row + column) % SAMPLES, (row + 2 * column + row // 2) % SAMPLES])
    place = ((spots + 0.5) / SAMPLES - 0.5) * (2 * LAMP_SIZE)
    x, y = np.tile(place.reshape(2, SAMPLES, SAMPLES), (1, SIZE, SIZE)).reshape(2, -1)
    return LAMP[0] + x, LAMP[1] + y, np.full_like(x, LAMP[2])


def _floor_light(solid: Solid, middle: float, scale: float, place: Vector, lamp: Vector) -> Floats:
    x, y, _ = place
    towards = unit((lamp[0] - x, lamp[1] - y, lamp[2]))
    lit = towards[2].copy()
    # A ray to the lamp that does not pass through the ball around the solid cannot meet it.
    start = (x / scale, y / scale, np.full_like(x, 1e-6 - middle))
    along = dot(start, towards)
    (near,) = (dot(start, start) - along * along <= solid.reach * solid.reach).nonzero()
    lit[near] *= np.isinf(solid.enter(_at(start, near), _at(towards, near)))
    # The sky is hidden by the solid close to it, and by the walls.
    close = _hidden(np.maximum(np.sqrt(x * x + y * y) - 0.6 * scale, 0), 0.35)
    sky = (1 - 0.45 * close) * (1 - 0.35 * _hidden(WALL - x, 0.8)) * (1 - 0.35 * _hidden(WALL - y, 0.8))
    return np.asarray(AMBIENT * sky + DIFFUSE * lit)


def _wall_light(right: npt.NDArray[np.bool_], place: Vector, lamp: Vector) -> Floats:
    x, y, z = place
    towards = unit((lamp[0] - x, lamp[1] - y, lamp[2] - z))
    lit = np.where(right, -towards[0], -towards[1])
    to_corner = np.where(right, WALL - y, WALL - x)
    sky = (1 - 0.35 * _hidden(z, 0.8)) * (1 - 0.3 * _hidden(to_corner, 0.8))
    return np.asarray(AMBIENT * sky + DIFFUSE * np.maximum(lit, 0))


def _solid_light(normal: Vector, place: Vector, ray: Vector, lamp: Vector) -> tuple[Floats, Floats]:
    """How brightly its colour is seen, and the share of white light on top."""
    towards = unit((lamp[0] - place[0], lamp[1] - place[1], lamp[2] - place[2]))
    lit = np.maximum(dot(normal, towards), 0)
    # Light from above, and some from the floor below.
    sky = (0.8 + 0.2 * normal[2]) * (1 - 0.3 * _hidden(place[2], 0.25))
    between = unit((towards[0] - ray[0], towards[1] - ray[1], towards[2] - ray[2]))
    gloss = np.maximum(dot(normal, between), 0)
    for _ in range(5):  # to the 32nd power
        gloss = gloss * gloss
    return np.minimum(AMBIENT * sky + DIFFUSE * lit, 1), 0.75 * gloss * (lit > 0)


def _at(vector: Vector, where: npt.NDArray[Any]) -> Vector:
    return vector[0][where], vector[1][where], vector[2][where]


def _hidden(distance: Any, reach: float) -> Floats:
    """1 at a distance of 0, a half at ``reach``, falling with the square."""
    share = distance / reach
    return np.asarray(1 / (1 + share * share))


def _rounded(layers: Floats) -> Bytes:
    """Whole 255ths whose sum, too, is rounded and at most 255; what is 0 stays so."""
    total = layers.sum(axis=0)
    sums = np.rint(np.cumsum(layers * (255 / np.maximum(total, 1)), axis=0))
    return np.asarray(np.diff(sums, axis=0, prepend=0), dtype=np.uint8)
