"""A canvas keeps what is painted last, in colour or by thing."""

from __future__ import annotations

import numpy as np

from unbraid.draw.canvas import Canvas
from unbraid.draw.capsule import Patch
from unbraid.draw.soft import polygons


def painted(canvas: Canvas) -> Canvas:
    canvas.start("sky", np.array([10.0, 20.0, 30.0])[:, None, None])
    left = np.where(np.arange(8) < 4, 1, 0).astype(np.float32)
    canvas.fill("land", np.tile(left, (1, 8, 1)), np.array([0.0, 255.0, 0.0])[:, None, None])
    square = np.array([[[2.0, 2.0], [6.0, 2.0], [6.0, 6.0], [2.0, 6.0]]])
    canvas.put("house", polygons(square, 8), np.array([200.0, 0.0, 0.0]), np.array([1]))
    return canvas


def test_what_is_painted_last_is_seen() -> None:
    pictures = painted(Canvas(2, 8)).bytes()
    assert pictures[:, :, 0, 0].tolist() == [[0, 255, 0]] * 2
    assert pictures[:, :, 0, 7].tolist() == [[10, 20, 30]] * 2
    assert pictures[:, :, 3, 3].tolist() == [[0, 255, 0], [200, 0, 0]]
    assert (pictures[0] != pictures[1]).any(axis=0).sum() == 16


def test_things_are_told_apart_where_they_are_asked_for() -> None:
    seen = painted(Canvas(2, 8, ("land", "house"))).seen()
    assert seen.shape == (2, 2, 8, 8)
    assert seen.sum(axis=(2, 3)).tolist() == [[32, 0], [24, 16]]
    assert not seen.all(axis=1).any()


def test_rows_may_begin_below_the_top() -> None:
    canvas = Canvas(2, 8)
    canvas.fill("", np.ones((1, 3, 8), dtype=np.float32), np.full((1, 1, 1), 9.0), top=4)
    assert np.array_equal(canvas.pixels[:, 0, :, 0] > 0, np.tile(np.isin(np.arange(8), [4, 5, 6]), (2, 1)))


def test_small_pictures_are_laid_by_as_much_as_they_cover() -> None:
    canvas = Canvas(3, 8)
    canvas.start("", np.full((1, 1, 1), 100.0))
    cover = np.array([[[1.0, 0.5]], [[0.25, 0.0]]], dtype=np.float32)
    patch = Patch(cover, np.array([2, 7]), np.array([1, 6]))
    canvas.lay("", patch, 200 * cover[:, None].repeat(3, axis=1), np.array([0, 2]))
    expected = np.full((3, 8, 8), 100)
    expected[0, 2, 1:3], expected[2, 7, 6] = (200, 150), 125
    assert np.array_equal(canvas.bytes(), np.repeat(expected[:, None], 3, axis=1))
