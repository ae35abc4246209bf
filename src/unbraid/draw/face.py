"""The face of an animal: pieces on a round head that is turned and tilted, painted from back to front.

Lengths are in parts of the head's half width, about its middle: x to the right, y down, as in images. A piece lies on
the head's surface, so that it moves aside and narrows as the head turns, or at a depth of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unbraid.draw.canvas import Canvas
from unbraid.draw.capsule import Patch, capsules
from unbraid.draw.soft import ellipses, polygons
from unbraid.types import Floats, Integers

__all__ = ["Face"]

Point = tuple[float, float]


class Face:
    """A batch of heads, and what is painted on them.

    Args:
        canvas: What they are painted on.
        middle: The middles of the heads in pixels, ``(B, 2)``.
        radius: Half of their width in pixels, ``(B,)``.
        turn: How far each is turned to the right as seen, in radians, ``(B,)``.
        tilt: How far it is tilted clockwise, in radians, ``(B,)``.
    """

    def __init__(self, canvas: Canvas, middle: Floats, radius: Floats, turn: Floats, tilt: Floats) -> None:
        self.canvas, self.middle, self.radius = canvas, middle, radius
        one, two = _Heads(middle, radius, turn, tilt, np.ones_like(turn)), np.tile(np.arange(len(turn)), 2)
        # What is on both sides is shaped in one go.
        sides = _Heads(middle[two], radius[two], turn[two], tilt[two], np.repeat([-1.0, 1.0], len(turn)))
        self._heads = {False: one, True: sides}

    def ellipse(
        self,
        thing: str,
        colour: Floats,
        at: Point,
        semi: Point,
        *,
        angle: float = 0.0,
        depth: float | None = None,
        moved: Floats | None = None,
        grown: Floats | float = 1.0,
        which: Integers | None = None,
        both: bool = False,
    ) -> None:
        """An ellipse at a point of the head.

        Args:
            thing: What it is part of.
            colour: In 0 .. 255, ``(3,)`` or ``(B, 3)``.
            at: Its middle.
            semi: Its semi-axes, across and down.
            angle: How far it is turned clockwise, in radians.
            depth: How far before the middle of the head it lies; on its surface by default, where it narrows too.
            moved: Where else its middle is, ``(2,)`` or ``(B, 2)``, in parts of the head.
            grown: How many times as high it is, with its top in place.
            which: In which pictures; all by default.
            both: Whether its mirror image is painted before it; that is moved to the same side.
        """
        heads = self._heads[both]
        high = semi[1] * self._each(grown, both)
        x, y = heads.side * at[0], at[1] + high - semi[1]
        if moved is not None:
            right, down = np.broadcast_to(moved, (len(self.radius), 2)).T
            x, y = x + self._each(right, both), y + self._each(down, both)
        across = np.full_like(x, semi[0])
        if depth is None:
            around = _around(x, y)
            across *= np.round(np.minimum(np.maximum(np.cos(around + heads.turn) / np.cos(around), 0.3), 1.4), 9)
        axes = np.stack([across, high], axis=1) * heads.radius[:, None]
        centre, turned, some = heads.seen(x, y, depth), heads.tilt + heads.side * angle, self._some(which, both)
        patch = ellipses(centre[some], axes[some], turned[some], self.canvas.size)
        self._put(thing, patch, colour, which, both)

    def polygon(
        self,
        thing: str,
        colour: Floats,
        corners: list[Point],
        *,
        depth: float | None = None,
        which: Integers | None = None,
        both: bool = False,
    ) -> None:
        """A convex polygon whose corners are points of the head; arguments as for :meth:`ellipse`."""
        placed = np.stack([self._heads[both].point(x, y, depth) for x, y in corners], axis=1)
        self._put(thing, polygons(placed[self._some(which, both)], self.canvas.size), colour, which, both)

    def line(
        self,
        thing: str,
        colour: Floats,
        start: Point,
        stop: Point,
        width: float,
        *,
        depth: float | None = None,
        which: Integers | None = None,
        both: bool = False,
    ) -> None:
        """A line between two points of the head, with round ends; arguments as for :meth:`ellipse`."""
        heads, some = self._heads[both], self._some(which, both)
        ends = np.concatenate([heads.point(x, y, depth) for x, y in (start, stop)], axis=1)
        self._put(thing, capsules(ends[some], width / 2 * heads.radius[some], self.canvas.size), colour, which, both)

    def _each(self, values: Floats | float, both: bool) -> Floats:
        """A value for each picture, and for each side."""
        full = np.broadcast_to(values, self.radius.shape)
        return np.concatenate([full, full]) if both else full

    def _some(self, which: Integers | None, both: bool) -> Integers | slice:
        """The rows of some pictures, on both sides or not."""
        if which is None:
            return slice(None)
        return np.concatenate([which, which + len(self.radius)]) if both else which

    def _put(self, thing: str, patch: Patch, colour: Floats, which: Integers | None, both: bool) -> None:
        if colour.ndim > 1 and which is not None:
            colour = colour[which]
        count = len(patch.top) // (1 + both)
        for rows in (slice(count), slice(count, None))[: 1 + both]:
            part = Patch(patch.coverage[rows], patch.top[rows], patch.left[rows])
            self.canvas.put(thing, part, colour, which)


@dataclass(frozen=True)
class _Heads:
    """Heads, or their two sides, each on its own."""

    middle: Floats
    radius: Floats
    turn: Floats
    tilt: Floats
    side: Floats

    @cached_property
    def _turned(self) -> tuple[Floats, Floats]:
        return np.cos(self.turn), np.sin(self.turn)

    @cached_property
    def _tilted(self) -> tuple[Floats, Floats]:
        return np.cos(self.tilt), np.sin(self.tilt)

    def point(self, x: float, y: float, depth: float | None) -> Floats:
        """One point of each head in the picture, ``(B, 2)``, in pixels."""
        return self.seen(x * self.side, np.full_like(self.side, y), depth)

    def seen(self, x: Floats, y: Floats, depth: float | None) -> Floats:
        """Points of the heads in the picture, ``(B, 2)``, in pixels."""
        if depth is None:
            across = _girth(y) * np.sin(_around(x, y) + self.turn)
        else:
            aside, ahead = self._turned
            across = x * aside + depth * ahead
        cos, sin = self._tilted
        offset = np.empty((len(self.tilt), 2))
        offset[:, 0], offset[:, 1] = cos * across - sin * y, sin * across + cos * y
        # Rounded, since the last bit of a sine may depend on where in an array it is computed.
        return np.asarray(self.middle + self.radius[:, None] * np.round(offset, 9))


def _around(x: Floats, y: Floats) -> Floats:
    """How far around the head from its front a point of its surface lies, in radians."""
    return np.asarray(np.arcsin(np.minimum(np.maximum(x / _girth(y), -0.97), 0.97)))


def _girth(y: Floats) -> Floats:
    """How far from its axis the head's surface is, a little less than as seen: what is on it stays on it."""
    return np.asarray(0.9 * np.sqrt(np.maximum(1 - y * y, 0.2)))
