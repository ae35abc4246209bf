"""Two small worlds: one that draws every combination, and one of collected images in which some are missing."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld, World

SPACE = FactorSpace([
    Factor("class", 4, "categorical"), Factor("hue", 7, "cyclic"),
    Factor("x", 9, "ordinal"), Factor("y", 9, "ordinal"), Factor("only", 1),
])  # fmt: skip


class Drawn(World):
    """Every combination; an image shows its factors as grey values."""

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (1, 1, 5)

    def images(self, indices):
        return self.factors(indices).astype(np.uint8)[:, None, None]


@pytest.fixture
def drawn() -> World:
    return Drawn()


@pytest.fixture
def collected() -> LabelledWorld:
    factors = SPACE.sample(600, np.random.default_rng(0))
    return LabelledWorld(factors.astype(np.uint8)[:, None, None], factors, SPACE)
