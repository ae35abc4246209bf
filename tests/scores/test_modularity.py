"""Modularity, against loops over pairwise information and against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.scores.modularity import modularity


def test_modularity_is_that_of_squared_pairwise_information() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (3, 6, 40), size=(2000, 3))
    codes = np.column_stack([factors + generator.normal(size=(2000, 3)), factors[:, 1] - 0.3 * factors[:, 0]])
    codes = np.column_stack([codes, np.full(2000, 3.0)])
    each = []
    for column in codes.T:
        bins = np.digitize(column, np.histogram(column, 20)[1][:-1])
        squares = sorted(mutual_info_score(factors[:, f], bins) ** 2 for f in range(3))
        each.append(1 - (squares[0] + squares[1]) / (squares[2] * 2) if squares[2] > 1e-20 else 0.0)
    assert each[-1] == 0
    assert modularity(codes, factors, count_dead=True).value == pytest.approx(np.mean(each), rel=1e-10)
    assert modularity(codes, factors).value == pytest.approx(np.mean(each[:-1]), rel=1e-10)


def test_a_latent_that_knows_two_of_three_factors_alike_is_half_modular() -> None:
    factors = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)
    merged = 3 * factors[:, :1] + factors[:, 1:2]
    assert modularity(merged, factors).value == pytest.approx(0.5)


def test_one_factor_in_many_latents_is_modular() -> None:
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)
    assert modularity(np.column_stack([factors, factors[:, 0], -factors]), factors).value == pytest.approx(1.0)


def test_noise_is_far_from_zero_because_it_shares_most_with_the_factor_of_most_values() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (3, 6, 40, 32, 32), size=(10_000, 5))
    # (A - 1)(B - 1) / 2N of chance information for every factor: 2, 5, 39, 31 and 31 parts.
    chance = np.array([2, 5, 39, 31, 31]) ** 2
    expected = 1 - (chance.sum() - chance.max()) / (4 * chance.max())
    assert modularity(generator.normal(size=(10_000, 10)), factors).value == pytest.approx(expected, abs=0.05)
