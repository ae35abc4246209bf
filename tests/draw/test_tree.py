"""Trees stand on their foot, are as high as they should be, and bear as much snow as there is."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.tree import Tree, broadleaf, fir

SIZE = 80
TRUNK, GREEN, SNOW = range(3)


def grown(kind, x=0.5, y=0.9, high=0.7, snow=None, size=SIZE) -> Tree:
    x, y, high, *rest = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, float)) for a in (x, y, high, snow or 0.0)))
    return kind(x, y, high, None if snow is None else rest[0], size)


def whole(tree: Tree) -> np.ndarray:
    images = np.zeros((len(tree.shares), 3, SIZE, SIZE))
    height, width = tree.shares.shape[2:]
    for image, shares, top, left in zip(images, tree.shares, tree.patch.top, tree.patch.left, strict=True):
        image[:, top : top + height, left : left + width] = shares
    return images


@pytest.mark.parametrize("kind", [fir, broadleaf])
@pytest.mark.parametrize("snow", [None, 0.6])
def test_a_tree_reaches_from_its_foot_to_its_height_and_is_upright(kind, snow) -> None:
    tree = grown(kind, snow=snow)
    covered = whole(tree)[0].sum(axis=0)
    assert covered.max() <= 1 + 1e-6
    assert np.allclose(tree.patch.coverage, tree.shares.sum(axis=1))
    rows = np.flatnonzero((covered > 0.3).any(axis=1))
    assert abs(rows[-1] + 1 - 0.9 * SIZE) <= 2.5
    assert abs(rows[0] - 0.2 * SIZE) <= 2.5
    assert covered.sum(axis=0) @ (np.arange(SIZE) + 0.5) / covered.sum() == pytest.approx(0.5 * SIZE, abs=0.8)


def test_a_fir_has_the_area_of_its_triangles() -> None:
    image = whole(grown(fir))[0, GREEN]
    # On a fine grid, a point is in the fir if it is in one of its tiers.
    place = (np.arange(800) + 0.5) / 800 * 1.2
    up, right = place[:, None], place[None] - 0.6
    inside = np.zeros((800, 800), dtype=bool)
    for low, tip, wide in ((0.12, 0.58, 0.27), (0.34, 0.78, 0.21), (0.56, 1.0, 0.14)):
        inside |= (up > low) & (np.abs(right) < wide * (tip - up) / (tip - low))
    expected = inside.mean() * 1.2**2 * (0.7 * SIZE) ** 2
    assert image.sum() == pytest.approx(expected, rel=0.03)


def test_the_more_snow_the_whiter() -> None:
    for kind in (fir, broadleaf):
        white = [whole(grown(kind, snow=snow))[0, SNOW].sum() for snow in (0.1, 0.4, 0.7, 1.0)]
        assert (np.diff(white) > 0).all()
    assert not whole(grown(fir))[0, SNOW].any()


def test_a_round_tree_is_bare_in_winter() -> None:
    assert whole(grown(broadleaf))[0, GREEN].sum() > 300
    assert not whole(grown(broadleaf, snow=0.5))[0, GREEN].any()


@pytest.mark.parametrize("kind", [fir, broadleaf])
def test_a_tree_does_not_depend_on_its_neighbours_and_may_stand_at_an_edge(kind) -> None:
    generator = np.random.default_rng(0)
    x, y, high = generator.uniform(-0.1, 1.1, 20), generator.uniform(0.5, 1.1, 20), generator.uniform(0.05, 0.9, 20)
    together = whole(kind(x, y, high, None, SIZE))
    alone = np.concatenate([whole(kind(x[i : i + 1], y[i : i + 1], high[i : i + 1], None, SIZE)) for i in range(20)])
    assert np.array_equal(together, alone)
