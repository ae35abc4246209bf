"""Mutual information of latents with one another, against a loop over pairs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.scores.mutualinformation import mutualinformation


def test_it_is_the_mean_over_pairs_of_different_latents() -> None:
    generator = np.random.default_rng(0)
    codes = generator.normal(size=(800, 4))
    codes = np.column_stack([codes, codes[:, 0] + 0.1 * codes[:, 1], np.full(800, -2.0)])
    cut = [np.digitize(column, np.histogram(column, 20)[1][:-1]) for column in codes.T]
    total = sum(mutual_info_score(a, b) for i, a in enumerate(cut) for j, b in enumerate(cut) if i != j)
    assert mutualinformation(codes, count_dead=True).value == pytest.approx(total / 30, rel=1e-10)
    assert mutualinformation(codes).value == pytest.approx(total / 20, rel=1e-10)


def test_independent_latents_share_what_chance_gives() -> None:
    codes = np.random.default_rng(0).uniform(size=(10_000, 3))
    assert mutualinformation(codes).value == pytest.approx(19**2 / 20_000, rel=0.1)


def test_a_single_latent_shares_nothing() -> None:
    assert mutualinformation(np.arange(9.0)[:, None]).value == 0.0
    assert mutualinformation(np.zeros((9, 4))).value == 0.0
