"""Restrictiveness against every change of every factor in the whole space, and on known codes."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.score import Sampler
from unbraid.scores.consistency import consistency
from unbraid.scores.restrictiveness import restrictiveness
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 5), Factor("y", 4)])
GRID = SPACE.factors(np.arange(len(SPACE)))


def mixed(factors: Integers) -> Floats:
    return factors @ np.array([[1.0, 0.2, 0.0, 0.4], [0.5, 1.0, 0.3, 0.0], [0.0, 0.4, 1.0, 0.0]])


def test_restrictiveness_is_one_less_what_moves_outside_the_latent_of_the_factor() -> None:
    codes, expected = mixed(GRID), []
    for f in range(3):
        others = [d for d in range(4) if d != [3, 1, 2][f]]  # the last latent is the first factor, pure
        moved = []
        for row, code in zip(GRID, codes, strict=True):
            for value in range(SPACE.sizes[f]):
                changed = row.copy()
                changed[f] = value
                moved.append((mixed(changed[None])[0] - code)[others] ** 2)
        free = 2 * codes[:, others].var(axis=0)
        expected.append(1 - np.sum(np.mean(moved, axis=0)) / free.sum())
    result = restrictiveness(Sampler(SPACE, mixed), pairs_drawn=40000)
    assert list(result.parts.values()) == pytest.approx(expected, abs=0.02)
    assert result.value == pytest.approx(np.mean(expected), abs=0.01)


def test_a_copy_costs_restrictiveness_and_not_consistency() -> None:
    copied = Sampler(SPACE, lambda f: np.column_stack([f, f[:, 1]]).astype(float))
    variance = (np.array(SPACE.sizes) ** 2 - 1) / 12
    own = 1 - variance[1] / (variance.sum())
    result = restrictiveness(copied, pairs_drawn=20000)
    assert result.parts == pytest.approx({"0": 1.0, "1": own, "2": 1.0}, abs=0.02)
    assert consistency(copied).value == pytest.approx(1.0)


def test_a_factor_in_no_latent_moves_nothing_and_one_alone_is_restricted() -> None:
    assert restrictiveness(Sampler(SPACE, lambda f: f[:, :2].astype(float))).parts["2"] == 1.0
    assert restrictiveness(Sampler(SPACE, lambda f: f[:, :1].astype(float))).parts["0"] == 1.0
    assert restrictiveness(Sampler(SPACE, lambda f: np.zeros((len(f), 5)))).value == 0.0


def test_one_pair_is_refused() -> None:
    with pytest.raises(InvalidOption, match="pairs_drawn"):
        restrictiveness(Sampler(SPACE, mixed), pairs_drawn=1)
