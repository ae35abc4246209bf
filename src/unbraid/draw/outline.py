r"""Outlines: flat shapes that are their own mirror image, each given by two heights.

A shape that is symmetric about its vertical axis, and that every vertical line crosses in one piece, is known by the
height of its top and of its bottom at each distance from the axis: :math:`(u, v)` is inside if and only if
:math:`\mathrm{top}(|u|) \le v \le \mathrm{bottom}(|u|)`. As in images, u points right and v points down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Floats

__all__ = ["Outline", "ellipse", "heart", "rectangle"]


@dataclass(frozen=True)
class Outline:
    """A polygon that is its own mirror image, as two lines of corners.

    Args:
        top: Corners above, from the axis outwards: rows ``(distance from the axis, height)``, ``(P, 2)``.
        bottom: Corners below, likewise; both end at the same distance.

    >>> Outline(np.array([[0, -1], [1, 0]]), np.array([[0, 1], [1, 0]])).contains(0.4, 0.5)
    array(True)
    """

    top: Floats
    bottom: Floats

    @property
    def width(self) -> float:
        """The greatest distance from the axis."""
        return float(self.top[-1, 0])

    @property
    def reach(self) -> float:
        """The greatest distance from the origin: the outline turned any way stays within this circle."""
        return float(np.hypot(*np.concatenate([self.top, self.bottom]).T).max())

    def heights(self, u: npt.ArrayLike) -> tuple[Floats, Floats]:
        """The top and the bottom at each place; +infinity and -infinity beyond the outline, where nothing is inside."""
        distance = np.abs(np.asarray(u, dtype=np.float64))
        top = np.interp(distance, self.top[:, 0], self.top[:, 1], right=np.inf)
        bottom = np.interp(distance, self.bottom[:, 0], self.bottom[:, 1], right=-np.inf)
        return np.asarray(top), np.asarray(bottom)

    def contains(self, u: npt.ArrayLike, v: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each point lies inside or on the outline; ``u`` and ``v`` broadcast."""
        top, bottom = self.heights(u)
        height = np.asarray(v, dtype=np.float64)
        return np.asarray((top <= height) & (height <= bottom))


def rectangle(half_width: float, half_height: float) -> Outline:
    """The rectangle of width ``2 half_width`` and height ``2 half_height`` about the origin."""
    require_at_least(0, half_width=half_width, half_height=half_height)
    bottom = np.array([[0.0, half_height], [half_width, half_height]])
    return Outline(bottom * [1, -1], bottom)


def ellipse(semi_u: float, semi_v: float, *, sides: int = 720) -> Outline:
    """The ellipse about the origin, as a polygon whose corners lie on it.

    Args:
        semi_u: The semi-axis along u.
        semi_v: The semi-axis along v.
        sides: Of the polygon; a multiple of 4.

    Raises:
        InvalidOption: When ``sides`` is not a positive multiple of 4, or a semi-axis is negative.
    """
    require_at_least(0, semi_u=semi_u, semi_v=semi_v)
    if sides < 4 or sides % 4:
        raise InvalidOption(f"an ellipse needs a number of sides that is a multiple of 4, but was given {sides}")
    a = np.linspace(0, np.pi / 2, sides // 4 + 1)
    bottom = np.stack([semi_u * np.sin(a), semi_v * np.cos(a)], axis=1)
    return Outline(bottom * [1, -1], bottom)


def heart(scale_u: float, scale_v: float, *, shift: float = 0.0, sides: int = 720) -> Outline:
    r"""The classic heart curve with its tip down, as a polygon whose corners lie on it.

    .. math:: u = 16\,s_u \sin^3 a, \qquad v = c - s_v\,(13 \cos a - 5 \cos 2a - 2 \cos 3a - \cos 4a)

    Each \|u\| is reached at two heights: in the lobes, where :math:`\cos a \ge 0`, and towards the tip.

    Args:
        scale_u: :math:`s_u`; the heart is 32 times as wide.
        scale_v: :math:`s_v`; the heart is about 29 times as high.
        shift: :math:`c`, how far down the curve is moved.
        sides: Of the polygon; a multiple of 4. The axis crosses the middle of its first side.

    Raises:
        InvalidOption: When ``sides`` is not a positive multiple of 4, or a scale is negative.
    """
    require_at_least(0, scale_u=scale_u, scale_v=scale_v)
    if sides < 4 or sides % 4:
        raise InvalidOption(f"a heart needs a number of sides that is a multiple of 4, but was given {sides}")
    a = (np.arange(sides // 2) + 0.5) * (2 * np.pi / sides)
    height = 13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)
    corners = np.stack([16 * scale_u * np.sin(a) ** 3, shift - scale_v * height], axis=1)
    quarter = sides // 4
    return Outline(corners[:quarter], corners[quarter:][::-1])
