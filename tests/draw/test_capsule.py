"""Capsules against their area and against geometry, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.capsule import capsules, ink, outer_sum, paint
from unbraid.types import Bytes, Floats

SIZE = 32


def some(count: int) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(0)
    return generator.uniform(8, 24, (count, 4)), generator.uniform(1, 5, count)


def drawn(ends: Floats, radius: Floats) -> Bytes:
    images = np.zeros((len(ends), SIZE, SIZE), dtype=np.uint8)
    ink(images, np.arange(len(ends)), capsules(ends, radius, SIZE))
    return images


def distance(end: Floats) -> Floats:
    """From every pixel centre to the axis, for one capsule and by sampling it finely."""
    axis = end[:2] + np.linspace(0, 1, 2001)[:, None] * (end[2:] - end[:2])
    row, column = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.asarray(np.hypot(column[..., None] - axis[:, 0], row[..., None] - axis[:, 1]).min(axis=-1))


def test_an_outer_sum_is_rounded_once() -> None:
    generator = np.random.default_rng(0)
    rows, columns = (generator.normal(0, 30, (5, n)) for n in (7, 23))
    singles = rows.astype(np.float32)[:, :, None] + columns.astype(np.float32)[:, None]
    assert np.array_equal(outer_sum(rows, columns), singles)


def test_every_pixel_is_covered_as_its_centre_lies() -> None:
    ends, radius = some(20)
    expected = [np.clip(r + 0.5 - distance(e), 0, 1) for e, r in zip(ends, radius, strict=True)]
    assert np.abs(drawn(ends, radius) / 255 - np.stack(expected)).max() < 0.01


def test_the_ink_of_a_capsule_is_its_area() -> None:
    ends, radius = some(200)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    area = np.pi * radius**2 + 2 * radius * length
    assert drawn(ends, radius).sum(axis=(1, 2)) / 255 == pytest.approx(area, rel=0.03, abs=0.3)


def test_a_capsule_whose_ends_meet_is_a_disc() -> None:
    image = drawn(np.array([[16.0, 16.0, 16.0, 16.0]]), np.array([5.0]))[0]
    assert np.array_equal(image, image.T)
    assert np.array_equal(image, image[::-1])
    assert image.sum() / 255 == pytest.approx(np.pi * 25, rel=0.02)


def test_an_image_does_not_depend_on_its_batch() -> None:
    ends, radius = some(50)
    assert np.array_equal(
        drawn(ends, radius), np.concatenate([drawn(ends[i : i + 1], radius[i : i + 1]) for i in range(50)])
    )


def test_a_capsule_beyond_an_edge_is_cut_there() -> None:
    ends = np.array([[-10.0, 16.0, 4.0, 16.0], [-9.0, -9.0, -9.0, -9.0], [16.0, 16.0, 99.0, 16.0]])
    cut = drawn(ends, np.full(3, 2.0))
    assert cut.sum(axis=(1, 2)).tolist() == [(4 * 4) * 255 + cut[0, :, 4:].sum(), 0, 64 * 255 + cut[2, :, :16].sum()]


def test_a_capsule_without_a_radius_draws_nothing() -> None:
    ends, _ = some(5)
    assert not drawn(ends, np.full(5, -0.5)).any()
    assert not drawn(ends, np.full(5, -9.0)).any()


def test_ink_over_ink_keeps_the_brighter() -> None:
    ends, radius = some(2)
    images = np.zeros((1, SIZE, SIZE), dtype=np.uint8)
    for k in range(2):
        ink(images, np.array([0]), capsules(ends[k : k + 1], radius[k : k + 1], SIZE))
    assert np.array_equal(images[0], drawn(ends, radius).max(axis=0))


def test_paint_covers_what_lies_below_in_the_images_named_only() -> None:
    images = np.full((3, 2, SIZE, SIZE), 10, dtype=np.float32)
    patch = capsules(np.array([[16.0, 16.0, 16.0, 16.0]]), np.array([4.0]), SIZE)
    paint(images, np.array([1]), patch, np.array([[110.0, 10.0]]))
    assert (images[[0, 2]] == 10).all()
    assert (images[1, 1] == 10).all()
    assert images[1, 0, 16, 16] == 110
    assert images[1, 0].sum() - 10 * SIZE**2 == pytest.approx(100 * np.pi * 16, rel=0.02)
