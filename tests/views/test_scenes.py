"""Scenes bring along what the world can tell of its objects."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.types import Factor, FactorSpace
from unbraid.views.scenes import Scenes
from unbraid.world import World


class Squares(World):
    """One or two columns of pixels are lit."""

    def __init__(self) -> None:
        self.space, self.shape = FactorSpace([Factor("left", 3), Factor("right", 4)]), (1, 2, 6)

    def masks(self, indices):
        left, right = self.factors(indices).T
        masks = np.zeros((len(left), 2, 2, 6), dtype=np.uint8)
        masks[np.arange(len(left)), 0, :, left] = 255
        present = np.flatnonzero(right > 0)
        masks[present, 1, :, 2 + right[present]] = 255
        return masks

    def images(self, indices):
        return self.masks(indices).max(axis=1)[:, None]

    def count(self, indices):
        return 1 + (self.factors(indices)[:, 1] > 0)


def test_masks_and_counts_are_those_of_the_images_shown() -> None:
    batch = Scenes(Squares(), batch_size=100).batch(0)
    assert (batch.masks.dtype, batch.count.dtype) == (batch.masks.bool().dtype, batch.index.dtype)
    assert batch.masks.shape == (100, 2, 2, 6)
    assert np.array_equal(batch.masks.any(dim=1, keepdim=True), batch.x > 0)
    assert np.array_equal(batch.masks.flatten(2).any(dim=2).sum(dim=1), batch.count)
    assert set(batch.count.tolist()) == {1, 2}


@pytest.mark.parametrize("can", ["masks", "count"])
def test_what_a_world_cannot_tell_is_none(monkeypatch, can) -> None:
    class Plain(Squares):
        """Tells less."""

        def images(self, indices):
            return np.zeros((len(indices), 1, 2, 6), np.uint8)

    monkeypatch.delattr(Squares, can)
    batch = Scenes(Plain(), batch_size=3).batch(0)
    assert getattr(batch, can) is None
    assert (batch.masks is None) != (batch.count is None)
