"""Samplers: groups share what they should, whether they are drawn or picked from a pool."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.score import Pool, Sampler
from unbraid.types import Factor, FactorSpace, Integers

SPACE = FactorSpace([Factor("a", 3), Factor("b", 40), Factor("c", 7)])
COLUMNS = np.random.default_rng(1).integers(0, 3, 200)
VALUES = SPACE.sample(3000, np.random.default_rng(0))


def identity(values: Integers) -> np.ndarray:
    return values.astype(float)


@pytest.mark.parametrize("sampler", [Sampler(SPACE, identity), Pool(SPACE, identity, identity(VALUES), VALUES)])
def test_a_group_shares_its_factor_and_no_other(sampler: Sampler) -> None:
    codes = sampler.alike(COLUMNS, 30, np.random.default_rng(2))
    assert codes.shape == (200, 30, 3)
    varies = (codes != codes[:, :1]).any(axis=1)
    assert not varies[np.arange(200), COLUMNS].any()
    assert varies.sum() == 400


@pytest.mark.parametrize("sampler", [Sampler(SPACE, identity), Pool(SPACE, identity, identity(VALUES), VALUES)])
def test_shared_values_and_samples_are_drawn_alike(sampler: Sampler) -> None:
    shared = sampler.alike(np.zeros(3000, dtype=np.int64), 2, np.random.default_rng(3))[:, 0, 0]
    single = sampler.codes(3000, np.random.default_rng(4))[:, 0]
    for values in (shared, single):
        assert np.abs(np.bincount(values.astype(int), minlength=3) - 1000).max() < 120


def test_a_pool_without_two_samples_alike_says_so() -> None:
    pool = Pool(SPACE, identity, identity(VALUES[:1]), VALUES[:1])
    with pytest.raises(InvalidData, match="no two of the 1 samples share a value of factor b"):
        pool.alike(np.array([1]), 4, np.random.default_rng(0))
