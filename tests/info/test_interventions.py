"""Traversals and pairs change what they say and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.info.interventions import free_factors, pairs, traversals
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("colour", 1), Factor("x", 5)])


def identity(factors: Integers) -> Floats:
    return factors.astype(np.float64)


def test_a_traversal_goes_through_all_values_in_order_and_fixes_the_others() -> None:
    moved = traversals(identity, SPACE, 20, np.random.default_rng(0))
    assert list(moved) == [0, 2]
    assert moved[2].shape == (20, 5, 3)
    assert (moved[2][:, :, 2] == np.arange(5)).all()
    assert (np.ptp(moved[2][:, :, :2], axis=1) == 0).all()
    assert len(np.unique(moved[2][:, 0, 0])) == 3


def test_crossings_share_one_factor_with_the_second_and_the_others_with_the_first() -> None:
    drawn = pairs(identity, SPACE, 50, np.random.default_rng(0))
    assert drawn.crossed.shape == (2, 50, 3)
    for place, column in enumerate([0, 2]):
        others = np.setdiff1d(np.arange(3), column)
        assert (drawn.crossed[place][:, column] == drawn.second[:, column]).all()
        assert (drawn.crossed[place][:, others] == drawn.first[:, others]).all()


def test_a_representation_is_asked_once_and_its_dead_latents_are_zero() -> None:
    asked = []

    def counted(factors: Integers) -> Floats:
        asked.append(len(factors))
        return np.column_stack([factors, np.full(len(factors), 0.3)])

    assert (pairs(counted, SPACE, 10, np.random.default_rng(0)).crossed[:, :, 3] == 0).all()
    assert (traversals(counted, SPACE, 4, np.random.default_rng(0))[0][:, :, 3] == 0).all()
    assert asked == [40, 4 * (3 + 5)]


def test_a_space_in_which_too_little_varies_is_refused() -> None:
    with pytest.raises(InvalidData, match="2 factors of more than one value, but this needs at least 3"):
        free_factors(SPACE, least=3)
    with pytest.raises(InvalidData, match="0 factors"):
        traversals(identity, FactorSpace([Factor("colour", 1)]), 4, np.random.default_rng(0))
