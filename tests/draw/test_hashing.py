"""Hashed numbers: what they depend on, and that they look random."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.hashing import integers, uniforms
from unbraid.errors import InvalidOption


def test_numbers_depend_on_seed_purpose_index_and_column_alone() -> None:
    index = np.random.default_rng(0).integers(0, 2**62, 50)
    numbers = uniforms(index, 3, seed=0, purpose="a")
    assert np.array_equal(uniforms(index[::-1], 3, seed=0, purpose="a"), numbers[::-1])
    assert np.array_equal(uniforms(index, 2, seed=0, purpose="a"), numbers[:, :2])
    assert (uniforms(index, 3, seed=1, purpose="a") != numbers).all()
    assert (uniforms(index, 3, seed=0, purpose="b") != numbers).all()


def test_numbers_of_neighbours_are_uniform_and_uncorrelated() -> None:
    numbers = uniforms(np.arange(50_000), 4, seed=0, purpose="a")
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.abs(numbers.mean(axis=0) - 0.5).max() < 0.006
    assert np.abs(numbers.var(axis=0) - 1 / 12).max() < 0.002
    beside = np.concatenate([numbers[:-1], numbers[1:]], axis=1)
    assert np.abs(np.corrcoef(beside.T) - np.eye(8)).max() < 0.02
    assert len(np.unique(numbers)) == numbers.size


def test_integers_take_every_value_below_their_bound_alike() -> None:
    drawn = integers(np.arange(30_000), 2, [3, 7], seed=0, purpose="a")
    for column, values in enumerate((3, 7)):
        counts = np.bincount(drawn[:, column], minlength=values)
        assert len(counts) == values
        assert np.abs(counts * values / 30_000 - 1).max() < 0.06


@pytest.mark.parametrize("below", [0, 2**32])
def test_a_bound_out_of_range_is_refused(below: int) -> None:
    with pytest.raises(InvalidOption, match="below must lie in"):
        integers([0], 1, below, seed=0, purpose="a")
