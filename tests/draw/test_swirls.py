"""Swirls have no edges and are functions of their seed."""

from __future__ import annotations

import numpy as np

from unbraid.draw.swirls import swirls


def test_opposite_edges_meet() -> None:
    picture = swirls(128, seed=0).astype(np.int64)
    for axis in (1, 2):
        within = np.abs(np.diff(picture, axis=axis)).max()
        assert np.abs(picture.take(0, axis=axis) - picture.take(-1, axis=axis)).max() <= within


def test_a_seed_gives_one_picture() -> None:
    assert np.array_equal(swirls(64, seed=4), swirls(64, seed=4))
    assert not np.array_equal(swirls(64, seed=4), swirls(64, seed=5))


def test_light_and_dark_are_everywhere() -> None:
    quarters = swirls(128, seed=0).mean(axis=0).reshape(2, 64, 2, 64)
    assert (quarters.min(axis=(1, 3)) < 60).all()
    assert (quarters.max(axis=(1, 3)) > 150).all()
