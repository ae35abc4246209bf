"""Z-max against a vote taken batch by batch, and on merged, turned and dead codes."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.score import Sampler
from unbraid.scores.zmax import zmax
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 5), Factor("y", 4)])


def crossed(factors: Integers) -> Floats:
    """The latents of x and shape move by the product of both: whichever is free, either may move most."""
    a, b, c = factors.T
    return np.column_stack([a * (b - 2), b * (a - 1), c]).astype(float)


def test_zmax_is_the_share_of_votes_that_a_majority_names_rightly() -> None:
    generator = np.random.default_rng(0)
    overall = crossed(SPACE.factors(np.arange(len(SPACE)))).var(axis=0)
    tally: dict[int, list[int]] = {d: [] for d in range(3)}
    for vote in range(6000):
        f = vote % 3
        values = np.repeat(SPACE.sample(1, generator), 16, axis=0)
        values[:, f] = generator.integers(0, SPACE.sizes[f], size=16)
        tally[int(np.argmax(crossed(values).var(axis=0) / overall))].append(f)
    right = sum(np.bincount(named).max() for named in tally.values() if named)
    assert 0.5 < right / 6000 < 0.97  # a case in which something is at stake
    assert zmax(Sampler(SPACE, crossed), votes=6000).value == pytest.approx(right / 6000, abs=0.02)


def test_every_factor_with_a_latent_of_its_own_is_named_and_a_merged_one_is_not() -> None:
    assert zmax(Sampler(SPACE, lambda f: -7.0 * f[:, [2, 0, 1]])).value == 1.0
    merged = zmax(Sampler(SPACE, lambda f: np.column_stack([5.0 * f[:, 0] + f[:, 1], f[:, 2]])))
    assert merged.value == pytest.approx(2 / 3, abs=0.05)
    assert merged.parts["2"] == 1.0


def test_a_batch_in_which_nothing_moves_names_nothing() -> None:
    result = zmax(Sampler(SPACE, lambda f: f[:, 1:].astype(float)))
    assert result.parts == pytest.approx({"0": 0.0, "1": 1.0, "2": 1.0})
    assert zmax(Sampler(SPACE, lambda f: np.zeros((len(f), 5)))).value == 0.0


def test_latents_below_the_threshold_do_not_vote() -> None:
    noise = np.random.default_rng(0)
    with_dust = Sampler(SPACE, lambda f: np.column_stack([f, 0.01 * noise.normal(size=len(f))]))
    assert zmax(with_dust).value == 1.0
    assert zmax(with_dust, threshold=0.0).value < 0.9


@pytest.mark.parametrize("option", [{"votes": 2}, {"batch": 1}])
def test_too_few_votes_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(option))):
        zmax(Sampler(SPACE, crossed), **option)
