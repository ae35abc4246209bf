"""OMES against its formula in loops over exact correlations, and on what its pairs had got wrong."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.score import Sampler
from unbraid.scores.omes import omes
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 5), Factor("y", 4)])
GRID = SPACE.factors(np.arange(len(SPACE)))


def mixed(factors: Integers) -> Floats:
    return factors @ np.array([[1.0, 0.2, 0.0, 0.4], [0.5, 1.0, 0.3, 0.0], [0.0, 0.4, 1.0, 0.0]])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_omes_is_its_formula_over_every_pair_of_the_space(alpha: float) -> None:
    moved = np.zeros((4, 3))
    for f in range(3):
        first, second = [], []
        for row in GRID:
            for value in range(SPACE.sizes[f]):
                changed = row.copy()
                changed[f] = value
                first.append(row)
                second.append(changed)
        a, b = mixed(np.array(first)), mixed(np.array(second))
        moved[:, f] = [1 - abs(np.corrcoef(a[:, d], b[:, d])[0, 1]) for d in range(4)]
    each = []
    for f in range(3):
        overlap = max(moved[d, f] * (1 - np.mean(abs(np.eye(3)[f] - moved[d]))) for d in range(4))
        encoding = max(moved[d, f] * (1 - np.mean(abs(np.eye(4)[d] - moved[:, f]))) for d in range(4))
        each.append(alpha * overlap + (1 - alpha) * encoding)
    result = omes(Sampler(SPACE, mixed), alpha=alpha, pairs_drawn=60000)
    assert result.matrix == pytest.approx(moved, abs=0.02)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(each, abs=0.02)


def test_a_latent_of_two_values_is_perfect_too() -> None:
    # Pairs of different values only are correlated by -1 / (K - 1): the reference gives two values nothing.
    space = FactorSpace([Factor("left", 2), Factor("up", 2)])
    assert omes(Sampler(space, lambda f: f.astype(float)), pairs_drawn=20000).value > 0.97


def test_copies_cost_the_second_term_and_mergers_the_first() -> None:
    copied = omes(Sampler(SPACE, lambda f: np.column_stack([f, f]).astype(float))).parts
    assert copied["overlap"] > 0.9 > copied["encoding"] + 0.05
    merged = omes(Sampler(SPACE, lambda f: np.column_stack([5.0 * f[:, 0] + f[:, 1], f[:, 2]]))).parts
    assert merged["overlap"] < 0.8


def test_dead_latents_and_those_below_the_threshold_are_left_out() -> None:
    alone = omes(Sampler(SPACE, lambda f: f.astype(float)))
    noise = np.random.default_rng(0)
    beside = omes(Sampler(SPACE, lambda f: np.column_stack([f, 0 * f, 0.01 * noise.normal(size=len(f))])))
    assert beside.parts == pytest.approx(alone.parts)
    assert omes(Sampler(SPACE, lambda f: np.zeros((len(f), 5)))).value == 0.0


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="alpha"):
        omes(Sampler(SPACE, mixed), alpha=1.5)
    with pytest.raises(InvalidOption, match="pairs_drawn"):
        omes(Sampler(SPACE, mixed), pairs_drawn=1)
