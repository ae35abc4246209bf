r"""Convex solids and where rays enter them, whole batches of rays at a time.

A ray is :math:`o + t\,d`. Points and directions are given as three arrays of coordinates, which broadcast; z points up.
Only sums, products, quotients and roots are taken, which every computer rounds alike: a solid is the same everywhere.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Capsule", "Cone", "Placed", "Slabs", "Solid", "Vector",
    "block", "dot", "minus", "prism", "pyramid", "sphere", "turns", "unit",
]  # fmt: skip

Array: TypeAlias = npt.NDArray[Any]
Vector: TypeAlias = tuple[Any, Any, Any]
"""Three coordinates, each a number or an array."""

TINY = 1e-30


def dot(a: Vector, b: Vector) -> Any:
    """The scalar product, coordinate by coordinate, so that arrays broadcast."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def minus(a: Vector, b: Vector) -> Vector:
    """The difference, coordinate by coordinate."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def unit(a: Vector) -> Vector:
    """The vector of length 1 in the same direction.

    >>> [float(c) for c in unit((0.0, 3.0, 4.0))]
    [0.0, 0.6, 0.8]
    """
    length = np.sqrt(dot(a, a))
    return a[0] / length, a[1] / length, a[2] / length


def turns(share: npt.ArrayLike) -> tuple[Array, Array]:
    """Cosine and sine of a share of a full turn, rounded to the twelfth place so that every computer agrees.

    >>> [float(c) for c in turns(0.25)]
    [0.0, 1.0]
    """
    angle = 2 * np.pi * np.asarray(share, dtype=np.float64)
    # The sum turns -0.0 into 0.0.
    return np.round(np.cos(angle), 12) + 0.0, np.round(np.sin(angle), 12) + 0.0


class Solid(ABC):
    """A convex solid about the origin."""

    @property
    @abstractmethod
    def reach(self) -> Any:
        """The greatest distance of its points from the origin."""

    @abstractmethod
    def enter(self, origin: Vector, ray: Vector) -> Array:
        """How far along each ray the solid begins, t; infinite where the line misses it, negative where it lies behind.

        Args:
            origin: Where the rays start, outside the solid.
            ray: Their directions, of length 1.
        """

    @abstractmethod
    def normal(self, point: Vector) -> Vector:
        """The outward direction, of length 1, at points of the surface."""


@dataclass(frozen=True)
class Slabs(Solid):
    """What lies between pairs of parallel planes: ``low <= n . p <= high`` for each.

    Args:
        slabs: For each pair ``(n, low, high)``: n of length 1; ``low`` may be minus infinity, for a single plane.
        corner: The distance of the farthest corner from the origin.

    >>> block(1.0, 1.0, 1.0).enter((-5.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    array(4.)
    """

    slabs: tuple[tuple[tuple[float, float, float], float, float], ...]
    corner: float

    @property
    def reach(self) -> float:
        """The greatest distance of its points from the origin."""
        return self.corner

    def enter(self, origin: Vector, ray: Vector) -> Array:
        """How far along each ray the solid begins; see :meth:`Solid.enter`."""
        near: Any = -np.inf
        far: Any = np.inf
        for n, low, high in self.slabs:
            along = _flat_dot(n, ray)
            inverse = 1 / (along + TINY)  # A ray along the planes is between them all the way, or never.
            height = _flat_dot(n, origin)
            one, two = (low - height) * inverse, (high - height) * inverse
            near = np.maximum(near, np.minimum(one, two))
            far = np.minimum(far, np.maximum(one, two))
        return np.asarray(np.where(near <= far, near, near.dtype.type(np.inf)))

    def normal(self, point: Vector) -> Vector:
        """The outward direction at points of the surface."""
        most: Any = -np.inf
        x = y = z = point[0] * 0
        for n, low, high in self.slabs:
            height = _flat_dot(n, point)
            for sign, outside in ((1, height - high), (-1, low - height)):
                nearest = outside > most
                most = np.where(nearest, outside, most)
                x, y, z = (np.where(nearest, sign * c, old) for c, old in zip(n, (x, y, z), strict=True))
        return x, y, z


@dataclass(frozen=True)
class Cone(Solid):
    r"""A round solid with flat ends: all points with :math:`|z| \le h` and :math:`x^2 + y^2 \le (a + b z)^2`.

    Args:
        half: h, half of its height.
        bottom: The radius at the bottom.
        top: The radius at the top; the same as at the bottom for a cylinder, 0 for a cone with a tip.
    """

    half: float
    bottom: float
    top: float

    @property
    def reach(self) -> float:
        """The greatest distance of its points from the origin."""
        return math.hypot(self.half, max(self.bottom, self.top))

    def enter(self, origin: Vector, ray: Vector) -> Array:
        """How far along each ray the solid begins; see :meth:`Solid.enter`."""
        slope = (self.top - self.bottom) / (2 * self.half)
        radius, widening = (self.top + self.bottom) / 2 + slope * origin[2], slope * ray[2]
        a = ray[0] * ray[0] + ray[1] * ray[1] - widening * widening
        a = np.where(np.abs(a) < 1e-12, a.dtype.type(1e-12), a)
        b = origin[0] * ray[0] + origin[1] * ray[1] - radius * widening
        c = origin[0] * origin[0] + origin[1] * origin[1] - radius * radius
        within = b * b - a * c
        root = np.sqrt(np.maximum(within, 0))
        one, two = (-b - root) / a, (-b + root) / a
        # A ray steeper than the side is inside the double cone beyond both roots: it keeps the part on our half.
        opens = widening > 0
        near = np.where(a > 0, one, np.where(opens, one, -np.inf))
        far = np.where(a > 0, two, np.where(opens, np.inf, two))
        inverse = 1 / (ray[2] + TINY)
        ends = (-self.half - origin[2]) * inverse, (self.half - origin[2]) * inverse
        near = np.maximum(near, np.minimum(*ends))
        far = np.minimum(far, np.maximum(*ends))
        # A steep ray always meets the double cone, if only at its tip, where rounding may say otherwise.
        return np.asarray(np.where((near <= far) & ((within >= 0) | (a < 0)), near, near.dtype.type(np.inf)))

    def normal(self, point: Vector) -> Vector:
        """The outward direction at points of the surface."""
        x, y, z = point
        slope = (self.top - self.bottom) / (2 * self.half)
        steep = math.sqrt(1 + slope * slope)
        across = np.sqrt(x * x + y * y)
        side = (across - ((self.top + self.bottom) / 2 + slope * z)) / steep
        flat = np.abs(z) - self.half > side
        across = np.maximum(across, 1e-9) * steep
        return (
            np.where(flat, 0, x / across),
            np.where(flat, 0, y / across),
            np.where(flat, np.sign(z), -slope / steep),
        )


@dataclass(frozen=True)
class Capsule(Solid):
    """Everything within ``radius`` of the line from ``start`` to ``end``; these may be arrays that broadcast with rays.

    Args:
        start: One end of the line.
        end: The other.
        radius: The distance.
    """

    start: Vector
    end: Vector
    radius: Any

    @property
    def reach(self) -> Any:
        """The greatest distance of its points from the origin."""
        ends = np.maximum(dot(self.start, self.start), dot(self.end, self.end))
        return np.sqrt(ends) + self.radius

    def enter(self, origin: Vector, ray: Vector) -> Array:
        """How far along each ray the solid begins; see :meth:`Solid.enter`."""
        axis, from_start = minus(self.end, self.start), minus(origin, self.start)
        length, along, depth = dot(axis, axis), dot(axis, ray), dot(axis, from_start)
        b, c = dot(ray, from_start), dot(from_start, from_start) - self.radius * self.radius
        # The cylinder around the endless line.
        square = np.maximum(length - along * along, 1e-12 * length)
        middle = length * b - depth * along
        inside = middle * middle - square * (length * c - depth * depth)
        side = (-middle - np.sqrt(np.maximum(inside, 0))) / square
        height = depth + side * along
        # The ball at whichever end is nearer; b and c were those of the start.
        last = height >= length
        b = np.where(last, b - along, b)
        c = np.where(last, c - 2 * depth + length, c)
        within = b * b - c
        ball = -b - np.sqrt(np.maximum(within, 0))
        between = (height > 0) & ~last
        infinity = side.dtype.type(np.inf)
        far = np.where(between, side, ball)
        return np.asarray(np.where((inside >= 0) & (between | (within >= 0)), far, infinity))

    def normal(self, point: Vector) -> Vector:
        """The outward direction at points of the surface."""
        axis, from_start = minus(self.end, self.start), minus(point, self.start)
        length = dot(axis, axis)
        share = np.clip(dot(axis, from_start) / np.where(length == 0, 1, length), 0, 1)
        return unit(minus(from_start, (share * axis[0], share * axis[1], share * axis[2])))


@dataclass(frozen=True)
class Placed(Solid):
    """Another solid, made larger, turned about its upright axis and moved; all but the solid may be arrays.

    Args:
        solid: The other.
        place: Where its origin goes.
        size: How many times as large it becomes.
        turn: Cosine and sine of the angle, counter-clockwise as seen from above.
    """

    solid: Solid
    place: Vector
    size: Any = 1.0
    turn: tuple[Any, Any] = (1.0, 0.0)

    @property
    def reach(self) -> Any:
        """The greatest distance of its points from the origin, or a little more."""
        return np.sqrt(dot(self.place, self.place)) + self.size * self.solid.reach

    def enter(self, origin: Vector, ray: Vector) -> Array:
        """How far along each ray the solid begins; see :meth:`Solid.enter`."""
        x, y, z = self._back(minus(origin, self.place))
        return np.asarray(self.size * self.solid.enter((x / self.size, y / self.size, z / self.size), self._back(ray)))

    def normal(self, point: Vector) -> Vector:
        """The outward direction at points of the surface."""
        x, y, z = self._back(minus(point, self.place))
        x, y, z = self.solid.normal((x / self.size, y / self.size, z / self.size))
        cos, sin = self.turn
        return cos * x - sin * y, sin * x + cos * y, z

    def _back(self, vector: Vector) -> Vector:
        """A direction as the solid has it before it is turned."""
        cos, sin = self.turn
        return cos * vector[0] + sin * vector[1], cos * vector[1] - sin * vector[0], vector[2]


@dataclass(frozen=True)
class _Sphere(Solid):
    radius: float

    @property
    def reach(self) -> float:
        return self.radius

    def enter(self, origin: Vector, ray: Vector) -> Array:
        b, c = dot(origin, ray), dot(origin, origin) - self.radius * self.radius
        within = b * b - c
        return np.asarray(np.where(within >= 0, -b - np.sqrt(np.maximum(within, 0)), within.dtype.type(np.inf)))

    def normal(self, point: Vector) -> Vector:
        return unit(point)


def sphere(radius: float) -> Solid:
    """The ball of the given radius."""
    return _Sphere(radius)


def block(x: float, y: float, z: float) -> Slabs:
    """The block with the given half sides."""
    slabs = (((1.0, 0.0, 0.0), -x, x), ((0.0, 1.0, 0.0), -y, y), ((0.0, 0.0, 1.0), -z, z))
    return Slabs(slabs, math.sqrt(x * x + y * y + z * z))


def prism(sides: int, apothem: float, half: float) -> Slabs:
    """An upright prism on a regular polygon with an even number of sides.

    Args:
        sides: Of the polygon; even.
        apothem: The distance of each side from the axis.
        half: Half of the height.
    """
    cos, sin = turns(np.arange(sides // 2) / sides)
    around = [((float(c), float(s), 0.0), -apothem, apothem) for c, s in zip(cos, sin, strict=True)]
    return Slabs((*around, ((0.0, 0.0, 1.0), -half, half)), math.hypot(apothem / math.cos(math.pi / sides), half))


def pyramid(base: float, half: float) -> Slabs:
    """An upright pyramid on a square, its tip up.

    Args:
        base: Half the side of the square.
        half: Half of the height.
    """
    # A side plane goes through (base, -half) and (0, half): 2 half x + base z = base half.
    steep = float(np.sqrt(4 * half * half + base * base))
    across, up, height = 2 * half / steep, base / steep, base * half / steep
    flanks = [(across, 0.0, up), (-across, 0.0, up), (0.0, across, up), (0.0, -across, up)]
    slabs = (*((n, -np.inf, height) for n in flanks), ((0.0, 0.0, -1.0), -np.inf, half))
    return Slabs(slabs, math.sqrt(2 * base * base + half * half))


def _flat_dot(n: tuple[float, float, float], v: Vector) -> Any:
    """The scalar product with a constant, which is spared its zeros."""
    terms = [np.asarray(c) if k == 1 else k * np.asarray(c) for k, c in zip(n, v, strict=True) if k]
    return sum(terms[1:], terms[0])
