"""Ridges lie before one another, and dots meet over the edges."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.canvas import Canvas
from unbraid.draw.landscape import BANDS, Landscape, ridges, sprinkled


@pytest.mark.parametrize("seed", range(8))
def test_mountains_hills_and_meadow_never_cross_and_keep_to_their_rows(seed) -> None:
    high = ridges(40, np.linspace(0, 1, 200), seed=seed)
    assert (np.diff(high, axis=1) > 0).all()
    for layer, (top, bottom) in enumerate(BANDS):
        assert high[:, layer].min() > top
        following = high[:, layer + 1].max() if layer < 2 else 1.0
        assert following <= bottom


def test_a_ridge_is_the_same_wherever_it_is_asked_for() -> None:
    places = np.linspace(0, 1, 11)
    assert np.allclose(ridges(5, places, seed=3)[..., 4:6], ridges(5, places[4:6], seed=3))


def test_dots_have_their_area_and_no_edges() -> None:
    assert not sprinkled(64, 0, seed=0).any()
    few = sprinkled(64, 5, seed=2)
    assert few.sum() == pytest.approx(5 * np.pi * 0.704**2, rel=0.35)
    many = [sprinkled(48, 40, seed=s) for s in range(60)]
    edge = np.mean([m[0].mean() + m[:, 0].mean() for m in many]) / 2
    assert edge == pytest.approx(np.mean([m.mean() for m in many]), rel=0.15)


def test_land_begins_at_its_height() -> None:
    canvas = Canvas(2, 32, ("land",))
    scene = Landscape(canvas, np.ones((2, 3)))
    scene.sky(np.zeros((2, 3)), np.zeros((2, 3)))
    scene.ridge(2, np.full((2, 32), 0.75), np.ones((2, 3)))
    assert np.array_equal(canvas.seen()[:, 0], np.broadcast_to(np.arange(32)[:, None] >= 24, (2, 32, 32)))
