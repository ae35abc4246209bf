"""The FactorVAE score, against a loop over votes, and on representations whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.score import Sampler
from unbraid.scores.factorvae_score import factorvae_score
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("colour", 1), Factor("scale", 6), Factor("x", 8)])


def tangled(factors: Integers) -> Floats:
    return factors @ np.random.default_rng(3).normal(size=(4, 5)) * [1.0, 1.0, 1.0, 1.0, 1e-3]


class Recorded(Sampler):
    """A sampler that remembers its codes, and which factors were held."""

    overall: list[Floats]
    drawn: list[tuple[Integers, Floats]]

    def codes(self, count: int, generator: np.random.Generator) -> Floats:
        self.overall.append(super().codes(count, generator))
        return self.overall[-1]

    def alike(self, columns: Integers, size: int, generator: np.random.Generator) -> Floats:
        self.drawn.append((columns, super().alike(columns, size, generator)))
        return self.drawn[-1][1]


def test_it_is_the_share_of_votes_that_the_majority_names() -> None:
    sampler = Recorded(SPACE, tangled)
    object.__setattr__(sampler, "overall", [])
    object.__setattr__(sampler, "drawn", [])
    result = factorvae_score(sampler, train=600, evaluation=300, batch=4)
    variance = np.var(sampler.overall[0], axis=0, ddof=1)
    active = np.sqrt(variance) >= 0.05
    assert active.tolist() == [True] * 4 + [False]
    held, batches = (np.concatenate(each) for each in zip(*sampler.drawn, strict=True))
    tables = np.zeros((2, 4, 4), dtype=np.int64)
    for place, (k, codes) in enumerate(zip(held, batches, strict=True)):
        local = np.var(codes, axis=0, ddof=1)
        tables[int(place >= 600), k, np.argmin(local[active] / variance[active])] += 1
    named = tables[0].argmax(axis=0)
    learned, judged = (table[named, np.arange(4)].sum() / table.sum() for table in tables)
    assert result.value == pytest.approx(judged, abs=1e-12)
    assert result.parts["train"] == pytest.approx(learned, abs=1e-12)
    assert 0.4 < judged < 0.99
    assert result.matrix is not None
    assert np.array_equal(result.matrix[:4].T, tables[1])
    assert (result.matrix[4] == 0).all()
    assert (result.matrix[:, 1] == 0).all()


def test_one_factor_in_two_latents_costs_nothing() -> None:
    result = factorvae_score(
        Sampler(SPACE, lambda factors: np.column_stack([factors, -factors]) * 1.0), train=500, evaluation=500
    )
    assert result.value == 1.0


def test_two_factors_in_one_latent_cost_one_of_them() -> None:
    def merged(factors: Integers) -> Floats:
        return np.column_stack([factors[:, 0] + 0.9 * factors[:, 2], factors[:, 3]]).astype(np.float64)

    result = factorvae_score(Sampler(SPACE, merged), train=3000, evaluation=3000)
    assert result.value == pytest.approx(2 / 3, abs=0.05)


def test_dead_latents_neither_vote_nor_count_as_active() -> None:
    # A copy of the metric elsewhere gives 0.2 for 0.6 here, and the reference reports all latents as active.
    def with_dead(factors: Integers) -> Floats:
        return np.column_stack([factors, np.zeros((len(factors), 6)), 0.01 * factors])

    few = {"train": 500, "evaluation": 500}
    result = factorvae_score(Sampler(SPACE, with_dead), **few)
    assert result.value == factorvae_score(Sampler(SPACE, lambda factors: factors * 1.0), **few).value == 1.0
    assert result.settings["active_latents"] == 3
    assert result.settings["dead_latents"] == [1, *range(4, 10), 11]
    assert factorvae_score(Sampler(SPACE, lambda factors: 0.0 * factors), **few).value == 0.0


def test_a_batch_of_one_has_no_variance_and_is_refused() -> None:
    with pytest.raises(InvalidOption, match="batch"):
        factorvae_score(Sampler(SPACE, tangled), batch=1)
