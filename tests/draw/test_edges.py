"""Edges: thin lines where grey changes, wherever and whichever way it does."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.edges import edges


def disc(radius: float = 9.0) -> np.ndarray:
    row, column = np.mgrid[:32, :32] - 15.5
    return np.clip(radius + 0.5 - np.hypot(row, column), 0, 1).astype(np.float32)[None]


def test_nothing_is_where_grey_does_not_change() -> None:
    assert not edges(np.full((2, 8, 8), 0.7, dtype=np.float32)).any()


def test_the_edge_of_a_disc_is_a_thin_ring() -> None:
    ring = edges(disc())[0]
    row, column = np.nonzero(ring)
    away = np.hypot(row - 15.5, column - 15.5)
    assert np.abs(away - 9).max() < 1
    assert 0.8 * 2 * np.pi * 9 < len(row) < 1.3 * 2 * np.pi * 9
    turns = np.sort(np.arctan2(row - 15.5, column - 15.5))
    assert np.diff(turns).max() < 0.35, "all around"
    assert ring.max() == 1


@pytest.mark.parametrize("axis", [1, 2])
def test_a_picture_and_its_mirror_image_have_mirrored_edges_up_to_a_pixel(axis: int) -> None:
    mirrored = np.flip(edges(np.flip(disc(8.3), axis)), axis)
    assert np.abs(mirrored.sum() - edges(disc(8.3)).sum()) < 4


def test_a_negative_has_the_same_edges() -> None:
    assert np.allclose(edges(1 - disc()), edges(disc()), atol=1e-6)


def test_a_faint_edge_is_fainter_and_the_faintest_none() -> None:
    darkest = [edges(share * disc()).max() for share in (1.0, 0.3, 0.05)]
    assert darkest[0] == 1
    assert 0 < darkest[1] < 1
    assert darkest[2] == 0


def test_each_picture_of_a_batch_is_looked_at_by_itself() -> None:
    batch = np.concatenate([disc(5.0), disc(9.0), 0 * disc()])
    assert np.array_equal(edges(batch), np.concatenate([edges(one[None]) for one in batch]))
