"""The face of an animal: pieces on a round head that is turned and tilted, painted from back to front.

Lengths are in parts of the head's half width, about its middle: x to the right, y down, as in images. A piece lies on
the head's surface, so that it moves aside and narrows as the head turns, or at a depth of its own.
"""

from __future__ import annotations

import numpy as np

from unbraid.draw.canvas import Canvas
from unbraid.draw.capsule import capsules
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
        self.canvas, self.middle, self.radius, self.turn = canvas, middle, radius, turn
        self.tilt = tilt
        self._cos, self._sin = np.cos(tilt), np.sin(tilt)

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
    ) -> None:
        """An ellipse at a point of the head.

        Args:
            thing: What it is part of.
            colour: In 0 .. 255, ``(3,)`` or ``(B, 3)``.
            at: Its middle.
            semi: Its semi-axes, across and down.
            angle: How far it is turned clockwise, in radians.
            depth: How far before the middle of the head it lies; on its surface by default, where it narrows too.
            moved: Where else its middle is, ``(B, 2)``, in parts of the head.
            grown: How many times as high it is, with its top in place.
            which: In which pictures; all by default.
        """
        full = np.ones_like(self.turn)
        high = semi[1] * grown * full
        x, y = at[0] * full, at[1] + high - semi[1]
        if moved is not None:
            x, y = x + moved[:, 0], y + moved[:, 1]
        narrow = full
        if depth is None:
            around = self._around(x, y)
            narrow = np.asarray(np.round(np.clip(np.cos(around + self.turn) / np.cos(around), 0.3, 1.4), 9))
        axes = np.stack([semi[0] * narrow, high], axis=1) * self.radius[:, None]
        centre, turned, some = self._seen(x, y, depth), self.tilt + angle, slice(None) if which is None else which
        patch = ellipses(centre[some], axes[some], turned[some], self.canvas.size)
        self.canvas.put(thing, patch, colour[some] if colour.ndim > 1 else colour, which)

    def polygon(
        self,
        thing: str,
        colour: Floats,
        corners: list[Point],
        *,
        depth: float | None = None,
        which: Integers | None = None,
    ) -> None:
        """A convex polygon whose corners are points of the head; arguments as for :meth:`ellipse`."""
        full, some = np.ones_like(self.turn), slice(None) if which is None else which
        placed = np.stack([self._seen(x * full, y * full, depth)[some] for x, y in corners], axis=1)
        self.canvas.put(thing, polygons(placed, self.canvas.size), colour[some] if colour.ndim > 1 else colour, which)

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
    ) -> None:
        """A line between two points of the head, with round ends; arguments as for :meth:`ellipse`."""
        full, some = np.ones_like(self.turn), slice(None) if which is None else which
        ends = [self._seen(x * full, y * full, depth)[some] for x, y in (start, stop)]
        patch = capsules(np.concatenate(ends, axis=1), width / 2 * self.radius[some], self.canvas.size)
        self.canvas.put(thing, patch, colour[some] if colour.ndim > 1 else colour, which)

    def _around(self, x: Floats, y: Floats) -> Floats:
        """How far around the head from its front a point of its surface lies, in radians."""
        return np.asarray(np.arcsin(np.clip(x / _girth(y), -0.97, 0.97)))

    def _seen(self, x: Floats, y: Floats, depth: float | None) -> Floats:
        """Points of the head in the picture, ``(B, 2)``, in pixels."""
        if depth is None:
            across = _girth(y) * np.sin(self._around(x, y) + self.turn)
        else:
            across = x * np.cos(self.turn) + depth * np.sin(self.turn)
        offset = np.stack([self._cos * across - self._sin * y, self._sin * across + self._cos * y], axis=1)
        # Rounded, since the last bit of a sine may depend on where in an array it is computed.
        return np.asarray(self.middle + self.radius[:, None] * np.round(offset, 9))


def _girth(y: Floats) -> Floats:
    """How far from its axis the head's surface is, a little less than as seen: what is on it stays on it."""
    return np.asarray(0.9 * np.sqrt(np.maximum(1 - y * y, 0.2)))
