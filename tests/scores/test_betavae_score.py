"""The beta-VAE score, against a loop over batches, and on representations whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from unbraid.errors import InvalidData
from unbraid.score import Sampler
from unbraid.scores.betavae_score import betavae_score
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("colour", 1), Factor("scale", 6), Factor("x", 8)])


def tangled(factors: Integers) -> Floats:
    x = factors - factors.mean(axis=0)
    return x @ np.random.default_rng(3).normal(size=(4, 5))


class Recorded(Sampler):
    """A sampler that remembers which factors were shared by which codes."""

    drawn: list[tuple[Integers, Floats]]

    def alike(self, columns: Integers, size: int, generator: np.random.Generator) -> Floats:
        codes = super().alike(columns, size, generator)
        self.drawn.append((columns, codes))
        return codes


def test_it_is_the_accuracy_on_mean_absolute_differences() -> None:
    sampler = Recorded(SPACE, tangled)
    object.__setattr__(sampler, "drawn", [])
    result = betavae_score(sampler, train=600, evaluation=300, batch=4)
    columns, pairs = (np.concatenate(each) for each in zip(*sampler.drawn, strict=True))
    features, shared = [], []
    for batch in range(900):
        own = slice(4 * batch, 4 * batch + 4)
        features.append(np.mean([np.abs(first - second) for first, second in pairs[own]], axis=0))
        shared.append(columns[own][0])
        assert (columns[own] == shared[-1]).all()
    fitted = LogisticRegression().fit(features[:600], shared[:600])
    assert result.value == pytest.approx(fitted.score(features[600:], shared[600:]), abs=1e-9)
    assert result.parts["train"] == pytest.approx(fitted.score(features[:600], shared[:600]), abs=1e-9)
    assert 0.5 < result.value < 0.99
    assert set(shared) == {0, 2, 3}
    assert result.settings["constant_factors"] == [1]


def test_a_mixture_of_all_factors_is_told_by_large_batches() -> None:
    small, large = (
        betavae_score(Sampler(SPACE, tangled), train=1000, evaluation=500, batch=batch) for batch in (4, 256)
    )
    assert small.value < large.value
    assert large.value > 0.9


def test_dead_latents_leave_chance() -> None:
    result = betavae_score(Sampler(SPACE, lambda factors: np.full((len(factors), 2), 0.3)), train=600, evaluation=600)
    assert result.value == pytest.approx(1 / 3, abs=0.06)
    assert result.settings["dead_latents"] == [0, 1]


def test_a_single_factor_leaves_nothing_to_tell() -> None:
    with pytest.raises(InvalidData, match="at least 2"):
        betavae_score(Sampler(FactorSpace([Factor("x", 3), Factor("y", 1)]), lambda factors: factors * 1.0))
