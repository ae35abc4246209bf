"""A jointed arm that holds a solid on a stage, ray-cast: whole batches of poses at a time.

Its shoulder turns and lifts the arm, its elbow is stiff, and the solid stays upright. Only the tiles of an image where
the arm, the solid or their shadow may be seen are drawn anew; the empty stage is drawn once for each camera and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.draw.camera import Camera
from unbraid.draw.solid import Capsule, Placed, Solid, Vector, dot, turns, unit
from unbraid.draw.stage import AMBIENT, DIFFUSE, FOCUS, LIGHT, SHOULDER, TARGET, Stage, across
from unbraid.types import Bytes, Floats, Integers

__all__ = ["SIZE", "Arm", "Poses"]

Array: TypeAlias = npt.NDArray[Any]

SIZE = 64
TILE = 4
"""Height and width of an image, and those of a tile, in pixels."""

ROW = SIZE // TILE
TILES, PIXELS = ROW * ROW, TILE * TILE

FINE, SAMPLES = 5, 5
"""Rays to a pixel: of a fine grid over it, one in each row and each column, so that edges of any slope are smooth."""

COARSE = 3
"""Rays to a pixel's side for the empty stage."""

RAYS = SAMPLES * PIXELS
"""Rays to a tile."""

CHOSEN = tuple(FINE * i + (2 * i + 3) % FINE for i in range(SAMPLES))

LENGTHS, BENDS, RADII = (1.0, 1.0), (35.0, -30.0), (0.2, 0.15)
"""Of the upper arm and the forearm: how long they are, how many degrees above the lift, and how thick."""

COLOURS = ((0.80, 0.82, 0.86), (0.30, 0.32, 0.37))
SHINE = (1.6, 0.5)
"""How bright a highlight is on the arm and on a solid: its colour must not be lost where a whole face shines."""

SOFT = 0.3
"""Width of the edge of a shadow."""

BLOCK = 32
"""Images drawn at a time: their rays stay in the processor's cache."""


@dataclass(frozen=True)
class Poses:
    """What is to be drawn, an entry for each image.

    Args:
        camera: Which camera, ``(B,)``.
        background: Which background.
        solid: Which solid.
        size: How large the solid is.
        colour: Its colour, ``(B, 3)``.
        turn: How far the arm is turned, in degrees: at 0 it points to the viewer, at 90 to the right.
        lift: How far it is lifted, in degrees.
    """

    camera: Integers
    background: Integers
    solid: Integers
    size: Floats
    colour: Floats
    turn: Floats
    lift: Floats

    def at(self, where: Array) -> Poses:
        """Some of them."""
        return Poses(*(getattr(self, field.name)[where] for field in fields(self)))


class Arm:
    """Draws the arm.

    Args:
        solids: What it can hold.
        elevations: How high each camera stands, in degrees.
        backgrounds: The colours of the wall, ``(n, 3)``.
    """

    def __init__(self, solids: Sequence[Solid], elevations: Sequence[float], backgrounds: Floats) -> None:
        self.solids = tuple(solids)
        stages = [Stage(elevation, SIZE, FINE) for elevation in elevations]
        self._eyes = _single([stage.camera.place for stage in stages]).T
        # Everything that is kept of a tile lies together; tiles are numbered through all cameras.
        self._rays = tuple(_chosen(_tiled([stage.rays[i] for stage in stages])) for i in range(3))
        # Halfway between the eye and the lamp, where a surface shines.
        x, y, z = self._rays
        self._gloss = unit((LIGHT[0] - x, LIGHT[1] - y, LIGHT[2] - z))
        self._pedestal = _chosen(_tiled([stage.to_pedestal for stage in stages]))
        stages = [Stage(elevation, SIZE, COARSE) for elevation in elevations]
        # Where the pixels of each tile are in the plane across the light, and a circle around them.
        self._across = tuple(_tiled([stage.across()[i] for stage in stages]) for i in (0, 1))
        ends = [(edge.min(axis=1), edge.max(axis=1)) for edge in self._across]
        self._middle = tuple(((low + high) / 2).reshape(-1, TILES) for low, high in ends)
        self._radius = np.hypot(*((high - low) / 2 for low, high in ends)).reshape(-1, TILES)
        light = 255 * np.array([[stage.light(colour) for colour in backgrounds] for stage in stages])
        self._dim, self._lit = (
            np.stack([_tiled(light[:, :, i, c]) for c in range(3)], axis=1).reshape(*light.shape[:2], TILES, 3, PIXELS)
            for i in (0, 1)
        )
        self._empty = _bytes(_single(light[:, :, 0]) + _single(light[:, :, 1]))

    def draw(self, poses: Poses) -> Bytes:
        """One image for each pose, ``(B, 3, SIZE, SIZE)`` bytes."""
        images = np.empty((len(poses.camera), 3, SIZE, SIZE), dtype=np.uint8)
        # A line of a tile is one word of four bytes.
        words = images.view(np.uint32).reshape(-1, 3, ROW, TILE, ROW)
        # Those with the same solid go together.
        order = np.argsort(poses.solid, kind="stable")
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            some = poses.at(block)
            images[block] = self._empty[some.camera, some.background]
            image, tile, drawn = self._changed(some)
            lines = drawn.view(np.uint32).reshape(-1, 3, TILE)
            words[block[image], :, tile // ROW, :, tile % ROW] = lines
        return images

    def _changed(self, poses: Poses) -> tuple[Integers, Integers, Bytes]:
        """The tiles that differ from the empty stage: their image, their number and their bytes, ``(T, 3, PIXELS)``."""
        eye = _at(self._eyes, poses.camera)
        parts = self._parts(poses)
        touched = np.stack([_touched(part, eye) for part in parts])
        image, tile = (touched.any(axis=0) | self._shaded(parts, poses.camera)).nonzero()
        which = poses.camera[image] * TILES + tile
        drawn = self._lit[poses.camera[image], poses.background[image], tile]
        drawn *= 1 - _shadow(parts, image, _at(self._across, which))[:, None]
        drawn += self._dim[poses.camera[image], poses.background[image], tile]

        near, ends, bodies = self._pedestal[which], np.zeros((len(which), RAYS), dtype=np.uint8), []
        for part, touches in zip(parts, touched, strict=True):
            for rows in part.alike(touches[image, tile].nonzero()[0], image):
                owner = image[rows][:, None]
                far = part.body(owner).enter(_at(eye, owner), _at(self._rays, which[rows]))
                before, ended = near[rows], ends[rows]
                bodies.append(part)
                ended[far < before] = len(bodies)
                near[rows], ends[rows] = np.minimum(far, before), ended
        # Only what is seen in the end is given its colour.
        colours = np.zeros((3, ends.size), dtype=np.float32)
        for number, part in enumerate(bodies, start=1):
            at = np.flatnonzero(ends == number)
            row, ray = np.divmod(at, RAYS)
            owner, cast = image[row], which[row] * RAYS + ray
            seen = part.seen(owner, _at(eye, owner), _cast(self._rays, cast), _cast(self._gloss, cast), near.take(at))
            for channel, values in zip(colours, seen, strict=True):
                channel[at] = values
        drawn *= 1 - _sum((ends > 0).astype(np.float32).reshape(-1))[:, None] / SAMPLES
        drawn += _sum(colours).transpose(1, 0, 2) * np.float32(255 / SAMPLES)
        return image, tile, _bytes(drawn)

    def _shaded(self, parts: Sequence[_Part], camera: Integers) -> npt.NDArray[np.bool_]:
        """The tiles of each image in which a shadow may be seen, ``(B, TILES)``."""
        shaded = np.zeros((len(camera), TILES), dtype=bool)
        for part in parts:
            start, end, radius = _thrown(part)
            away = _distance(_at(self._middle, camera), start, end)
            shaded |= away <= self._radius[camera] + radius[:, None] + SOFT / 2
        return shaded

    def _parts(self, poses: Poses) -> tuple[_Part, ...]:
        """Upper arm, forearm and solid."""
        cos, sin = turns(poses.turn / 360)
        x, y, z = (np.full_like(cos, c) for c in SHOULDER)
        parts, no_solid = [], np.zeros_like(poses.solid)
        for length, bend, radius, colour in zip(LENGTHS, BENDS, RADII, COLOURS, strict=True):
            level, up = turns((poses.lift + bend) / 360)
            start = _single([x, y, z])
            x, y, z = x + length * level * sin, y - length * level * cos, z + length * up
            reach, every = np.full_like(start[0], radius), _single(np.tile(np.array(colour)[:, None], len(cos)))
            parts.append(_Part(start, _single([x, y, z]), reach, every, no_solid, reach, reach, reach, ()))
        end, reach = _single([x, y, z]), np.array([solid.reach for solid in self.solids])[poses.solid] * poses.size
        held = (_single(reach), _single(poses.colour.T), poses.solid, _single(poses.size), _single(cos), _single(sin))
        return (*parts, _Part(end, end, *held, self.solids))


@dataclass(frozen=True)
class _Part:
    """One of the things that move, in every image of a block: a link of the arm, or a solid, if there are any."""

    start: Array
    end: Array
    reach: Array
    colour: Array
    solid: Integers
    size: Array
    cos: Array
    sin: Array
    solids: tuple[Solid, ...]

    def alike(self, rows: Integers, image: Integers) -> Iterator[Integers]:
        """The given rows, each of which belongs to an image, by the kind of solid."""
        kinds = self.solid[image[rows]]
        for kind in np.unique(kinds):
            yield rows[kinds == kind]

    def body(self, image: Integers) -> Solid:
        """The part in some images, in all of which it is alike."""
        if not self.solids:
            return Capsule(_at(self.start, image), _at(self.end, image), self.reach[image])
        solid = self.solids[int(self.solid[image.flat[0]])]
        return Placed(solid, _at(self.end, image), self.size[image], (self.cos[image], self.sin[image]))

    def seen(self, image: Integers, eye: Vector, ray: Vector, shine: Vector, far: Array) -> Vector:
        """The colours of rays that end on the part, in all of whose images it is alike."""
        if not len(image):
            return (ray[0],) * 3
        point = (eye[0] + far * ray[0], eye[1] + far * ray[1], eye[2] + far * ray[2])
        normal = self.body(image).normal(point)
        light = AMBIENT * (0.8 + 0.2 * normal[2])
        lit = np.maximum(dot(normal, LIGHT), 0)
        gloss = np.maximum(dot(normal, shine), 0)
        for _ in range(5):  # to the 32nd power
            gloss = gloss * gloss
        gloss = np.minimum(SHINE[bool(self.solids)] * gloss, 1) * (lit > 0)
        light = np.minimum(light + DIFFUSE * lit, 1) * (1 - gloss)
        red, green, blue = (colour[image] * light + gloss for colour in self.colour)
        return red, green, blue


def _touched(part: _Part, eye: Vector) -> npt.NDArray[np.bool_]:
    """The tiles of each image in which a part may be seen, ``(B, TILES)``."""
    camera = Camera(eye, TARGET, FOCUS)
    (x, y, depth), (end_x, end_y, end_depth) = camera.seen(_at(part.start, ...)), camera.seen(_at(part.end, ...))
    # A ball is seen as an ellipse, less than a tenth longer than this circle within the image.
    radius = 1.1 * FOCUS * part.reach / (np.minimum(depth, end_depth) - part.reach)
    centre = ((np.arange(ROW) + 0.5) * (2 / ROW) - 1).astype(np.float32)
    across, below = np.tile(centre, ROW), np.repeat(centre, ROW)
    away = _distance((across, below), (x, y), (end_x, end_y))
    return np.asarray(away <= radius[:, None] + np.float32(1.42 / ROW))


def _thrown(part: _Part) -> tuple[Any, Any, Array]:
    """A part's shadow in the plane across the light: its ends and how wide it is."""
    # A solid is not so wide as the ball around it.
    radius = part.reach * np.float32(0.8 if part.solids else 1.0)
    return across(_at(part.start, ...)), across(_at(part.end, ...)), radius


def _shadow(parts: Sequence[_Part], image: Integers, place: tuple[Array, Array]) -> Array:
    """The share of the lamp's light that is kept from pixels of the stage.

    Args:
        parts: What throws the shadow.
        image: Which image each tile belongs to, ``(T,)``.
        place: Where its pixels are in the plane across the light, each ``(T, PIXELS)``.
    """
    shadow: Any = 0
    for part in parts:
        start, end, radius = _thrown(part)
        away = _distance(place, _at(start, image), _at(end, image))
        shadow = np.maximum(shadow, np.clip((radius[image][:, None] - away) / SOFT + 0.5, 0, 1))
    return np.asarray(shadow)


def _distance(point: tuple[Array, Array], start: tuple[Array, Array], end: tuple[Array, Array]) -> Array:
    """How far points of a plane are from the line between two others: these ``(B,)``, those ``(B, P)`` or ``(P,)``."""
    x, y = end[0] - start[0], end[1] - start[1]
    square = np.maximum(x * x + y * y, 1e-9)
    right, below = point[0] - start[0][:, None], point[1] - start[1][:, None]
    share = np.clip(right * (x / square)[:, None] + below * (y / square)[:, None], 0, 1)
    right -= share * x[:, None]
    below -= share * y[:, None]
    return np.asarray(np.sqrt(right * right + below * below))


def _tiled(images: Any) -> Array:
    """Rays or pixels, ``(..., n SIZE, n SIZE)``, to ``(all tiles, n n PIXELS)``, those of the same n together."""
    values = np.asarray(images)
    n = values.shape[-1] // SIZE
    fine = values.reshape(-1, ROW, TILE, n, ROW, TILE, n).transpose(0, 1, 4, 3, 6, 2, 5)
    return _single(fine.reshape(-1, n * n * PIXELS))


def _chosen(rays: Array) -> Array:
    """Of all rays to the pixels of each tile those that are cast, ``(T, SAMPLES * PIXELS)``."""
    return np.ascontiguousarray(rays.reshape(len(rays), -1, PIXELS)[:, CHOSEN].reshape(len(rays), -1))


def _sum(rays: Array) -> Array:
    """Over the rays to each pixel, ``(..., T * RAYS)`` to ``(..., T, PIXELS)``."""
    first, *others = np.moveaxis(rays.reshape(*rays.shape[:-1], -1, SAMPLES, PIXELS), -2, 0)
    total = first.copy()
    for other in others:
        total += other
    return np.asarray(total)


def _bytes(images: Array) -> Bytes:
    return np.asarray(np.minimum(np.rint(images), 255), dtype=np.uint8)


def _single(values: Any) -> Array:
    return np.ascontiguousarray(values, dtype=np.float32)


def _cast(tables: tuple[Array, ...], rays: Integers) -> Vector:
    """Rays by their number among all that are cast."""
    x, y, z = (table.take(rays) for table in tables)
    return x, y, z


def _at(arrays: Any, where: Any) -> Any:
    """The same part of each array."""
    return tuple(array[where] for array in arrays)
