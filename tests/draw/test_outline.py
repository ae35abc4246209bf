"""Outlines against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.outline import Outline, ellipse, heart, rectangle
from unbraid.errors import InvalidOption
from unbraid.types import Floats


def area(outline: Outline) -> float:
    u = (np.arange(20000) + 0.5) / 20000 * outline.width
    top, bottom = outline.heights(u)
    return float(2 * (bottom - top).mean() * outline.width)


def grid() -> tuple[Floats, Floats]:
    u, v = np.meshgrid(np.linspace(-3, 3, 121) + 0.007, np.linspace(-3, 3, 121) + 0.007)
    return u, v


def test_a_rectangle_is_where_both_coordinates_are_small() -> None:
    u, v = grid()
    assert np.array_equal(rectangle(2, 1).contains(u, v), (np.abs(u) <= 2) & (np.abs(v) <= 1))


def test_an_ellipse_is_where_its_quadratic_form_is_below_one() -> None:
    u, v = grid()
    assert np.array_equal(ellipse(2.5, 1.2, sides=4000).contains(u, v), (u / 2.5) ** 2 + (v / 1.2) ** 2 <= 1)


@pytest.mark.parametrize("sides", [4, 12, 72])
def test_an_ellipse_of_few_sides_has_the_area_of_its_polygon(sides: int) -> None:
    expected = sides / 2 * np.sin(2 * np.pi / sides) * 2.5 * 1.2
    assert area(ellipse(2.5, 1.2, sides=sides)) == pytest.approx(expected, rel=1e-4)


def test_a_heart_has_the_area_of_its_curve() -> None:
    # The integral of u dv around the curve is 180 pi for unit scales.
    assert area(heart(0.5, 0.25, sides=4000)) == pytest.approx(180 * np.pi * 0.5 * 0.25, rel=1e-3)


def test_points_of_the_heart_curve_lie_between_slightly_smaller_and_larger_hearts() -> None:
    a = np.linspace(0.05, 2 * np.pi - 0.05, 400)
    u = 16 * np.sin(a) ** 3
    v = -(13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a))
    outline = heart(1, 1, sides=4000)
    assert outline.contains(0.99 * u, 0.99 * v).all()
    assert not outline.contains(1.01 * u, 1.01 * v).any()


@pytest.mark.parametrize("outline", [rectangle(3, 4), ellipse(3, 5), heart(0.2, 0.2, shift=1)])
def test_nothing_lies_beyond_the_reach_and_something_just_within(outline: Outline) -> None:
    angle = np.linspace(0, 2 * np.pi, 20001)
    for factor, some in ((1.0001, False), (0.9999, True)):
        radius = outline.reach * factor
        assert outline.contains(radius * np.sin(angle), radius * np.cos(angle)).any() == some


@pytest.mark.parametrize("sides", [0, 3, 10])
def test_a_number_of_sides_that_is_no_multiple_of_four_is_refused(sides: int) -> None:
    with pytest.raises(InvalidOption, match="multiple of 4"):
        ellipse(1, 1, sides=sides)
    with pytest.raises(InvalidOption, match="multiple of 4"):
        heart(1, 1, sides=sides)


def test_negative_sizes_are_refused() -> None:
    with pytest.raises(InvalidOption, match="half_width"):
        rectangle(-1, 1)
