"""Ellipses and polygons cover the area they should, where they should."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.capsule import Patch, capsules
from unbraid.draw.soft import ellipses, polygons

SIZE = 40


def whole(patch: Patch) -> np.ndarray:
    """Patches in their images."""
    images = np.zeros((len(patch.coverage), SIZE, SIZE))
    height, width = patch.coverage.shape[1:]
    for image, coverage, top, left in zip(images, patch.coverage, patch.top, patch.left, strict=True):
        image[top : top + height, left : left + width] = coverage
    return images


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.3, np.pi / 2])
def test_an_ellipse_has_its_area_middle_and_moments(angle: float) -> None:
    semi = np.array([[11.0, 5.0], [6.5, 6.5], [3.0, 12.0]])
    images = whole(ellipses(np.full((3, 2), 20.3), semi, np.full(3, angle), SIZE))
    assert images.sum(axis=(1, 2)) == pytest.approx(np.pi * semi.prod(axis=1), rel=0.02)
    middle = np.arange(SIZE) + 0.5 - 20.3
    for image, (a, b) in zip(images / images.sum(axis=(1, 2), keepdims=True), semi, strict=True):
        assert np.abs([image.sum(axis=0) @ middle, image.sum(axis=1) @ middle]).max() < 0.05
        mixed = middle @ image @ middle
        # Clockwise, as y points down.
        assert mixed == pytest.approx((a * a - b * b) / 4 * np.sin(angle) * np.cos(angle), abs=0.5)
        across = np.cos(angle) ** 2 * a * a + np.sin(angle) ** 2 * b * b
        assert image.sum(axis=0) @ middle**2 == pytest.approx(across / 4, rel=0.05)


def test_a_round_ellipse_is_a_disc() -> None:
    centre = np.array([[12.2, 17.9], [25.0, 8.5]])
    radius = np.array([6.3, 2.2])
    disc = whole(capsules(np.concatenate([centre, centre], axis=1), radius, SIZE))
    found = whole(ellipses(centre, np.stack([radius, radius], axis=1), np.array([0.3, 2.0]), SIZE))
    assert np.abs(found - disc).max() < 1e-4


@pytest.mark.parametrize("angle", [0.0, 0.2, 1.1])
@pytest.mark.parametrize("way", [1, -1])
def test_a_polygon_has_its_area_and_covers_its_inside_whichever_way_it_is_named(angle: float, way: int) -> None:
    corners = turned(np.array([[-9.0, -6.0], [10.0, -4.0], [1.0, 11.0]]), angle)[::way] + 20.2
    image = whole(polygons(corners[None], SIZE))[0]
    x, y = corners.T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert image.sum() == pytest.approx(area, rel=0.03)
    inside = corners.mean(axis=0)
    assert image[int(inside[1]), int(inside[0])] == 1
    for first, second in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        row, column = np.rint((first + second) / 2 + 0.4 * ((first + second) / 2 - inside) - 0.5).astype(int)[::-1]
        assert image[row, column] == 0


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    one = np.ones((1, 2))
    assert whole(ellipses(-30 * one, 5 * one, np.zeros(1), SIZE)).sum() == 0
    assert whole(polygons(np.array([[[-9.0, -9.0], [-1.0, -9.0], [-4.0, -2.0]]]), SIZE)).sum() == 0
    half = whole(ellipses(np.array([[0.0, 20.0]]), 8 * one, np.zeros(1), SIZE)).sum()
    assert half == pytest.approx(np.pi * 64 / 2, rel=0.02)


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    generator = np.random.default_rng(0)
    centre, semi, angle = generator.uniform(0, 40, (20, 2)), generator.uniform(0.2, 15, (20, 2)), generator.random(20)
    together = whole(ellipses(centre, semi, angle, SIZE))
    alone = np.concatenate(
        [whole(ellipses(centre[i : i + 1], semi[i : i + 1], angle[i : i + 1], SIZE)) for i in range(20)]
    )
    assert np.abs(together - alone).max() < 1e-5
