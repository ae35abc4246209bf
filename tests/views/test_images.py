"""Single images: drawn uniformly, everywhere in a batch, at every step and seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from unbraid.types import Factor, FactorSpace
from unbraid.views.images import Images
from unbraid.world import LabelledWorld

SIZE = 50
SPACE = FactorSpace([Factor("row", 5), Factor("column", 10)])
PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE, 1, 4, 4), dtype=np.uint8)
WORLD = LabelledWorld(PIXELS, SPACE.factors(np.arange(SIZE)), SPACE)


def test_batches_are_the_ones_that_runs_before_the_shelf_saw() -> None:
    assert Images(WORLD, batch_size=6, seed=3).batch(5).index.tolist() == [1, 17, 43, 29, 16, 47]


def test_streams_of_other_batch_sizes_do_not_disturb_one_another() -> None:
    wide, narrow = Images(WORLD, batch_size=32), Images(WORLD, batch_size=8)
    alone = [Images(WORLD, batch_size=8).batch(step).index.tolist() for step in range(5)]
    for step in range(5):
        wide.batch(step)
        assert narrow.batch(step).index.tolist() == alone[step]


@pytest.mark.parametrize("seed", range(3))
def test_images_are_drawn_uniformly_at_every_place_of_a_batch(seed: int) -> None:
    stream = Images(WORLD, batch_size=100, seed=seed)
    index = np.stack([stream.batch(step).index.numpy() for step in range(200)])
    for part in (index, index[:, 0], index[:, -1], index[:, ::2], index[1::2]):
        assert chisquare(np.bincount(part.ravel(), minlength=SIZE)).pvalue > 1e-4


def test_neighbouring_seeds_and_steps_are_uncorrelated() -> None:
    drawn = np.stack([Images(WORLD, batch_size=500, seed=s).batch(t).index.numpy() for s in range(4) for t in range(4)])
    correlation = np.corrcoef(drawn)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5 / np.sqrt(500)
