"""A canvas keeps what is painted last, in colour or by thing."""

from __future__ import annotations

import numpy as np

from unbraid.draw.canvas import Canvas
from unbraid.draw.soft import polygons


def painted(canvas: Canvas) -> Canvas:
    canvas.start("sky", np.array([10.0, 20.0, 30.0])[:, None, None])
    left = np.where(np.arange(8) < 4, 1, 0).astype(np.float32)
    canvas.fill("land", left[None, None], np.array([0.0, 255.0, 0.0])[:, None, None])
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
