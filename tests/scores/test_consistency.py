"""Consistency against the variance that a factor explains, over the whole space, and on known codes."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.score import Sampler
from unbraid.scores.consistency import consistency
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 5), Factor("y", 4)])
GRID = SPACE.factors(np.arange(len(SPACE)))


def mixed(factors: Integers) -> Floats:
    return factors @ np.array([[1.0, 0.2, 0.0, 1.0], [0.5, 1.0, 0.3, 0.0], [0.0, 0.4, 1.0, 0.0]])


def explained(column: Floats, values: Integers) -> float:
    """By the law of total variance, half the mean square of a pair that shares the factor is the variance within."""
    within = np.mean([column[values == value].var() for value in np.unique(values)])
    return float(1 - within / column.var())


def test_consistency_is_the_variance_explained_of_the_best_latent_of_each_factor() -> None:
    codes = mixed(GRID)
    matrix = np.array([[explained(column, values) for values in GRID.T] for column in codes.T])
    best = max(permutations(range(4), 3), key=lambda order: sum(matrix[d, f] for f, d in enumerate(order)))
    own = [matrix[d, f] for f, d in enumerate(best)]
    result = consistency(Sampler(SPACE, mixed), pairs_drawn=40000)
    assert result.matrix == pytest.approx(matrix, abs=0.02)
    assert list(result.parts.values()) == pytest.approx(own, abs=0.02)
    assert result.value == pytest.approx(np.mean(own), abs=0.01)


def test_a_turn_by_45_degrees_leaves_half_of_two_factors() -> None:
    result = consistency(Sampler(SPACE, lambda f: representation("rotated", f, sizes=SPACE.sizes)))
    assert result.parts == pytest.approx({"0": 0.5, "1": 0.5, "2": 1.0}, abs=0.06)


def test_each_latent_stands_for_one_factor_only() -> None:
    result = consistency(Sampler(SPACE, lambda f: f[:, :2].astype(float)))
    assert result.parts == pytest.approx({"0": 1.0, "1": 1.0, "2": 0.0})
    assert consistency(Sampler(SPACE, lambda f: np.zeros((len(f), 5)))).value == 0.0


def test_one_pair_is_refused() -> None:
    with pytest.raises(InvalidOption, match="pairs_drawn"):
        consistency(Sampler(SPACE, mixed), pairs_drawn=1)
