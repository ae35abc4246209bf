"""The mean correlation coefficient against every assignment tried, canonical correlations, and published values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import eigvals, inv
from scipy.stats import spearmanr

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.mcc import mcc
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))


def noisy() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(1)
    factors = generator.integers(0, (3, 4, 9), size=(500, 3))
    return factors @ generator.normal(size=(3, 4)) + generator.normal(size=(500, 4)), factors


@pytest.mark.parametrize("kind", ["pearson", "spearman"])
def test_the_strong_form_is_the_best_of_all_assignments(kind: str) -> None:
    codes, factors = noisy()
    related = np.zeros((4, 3))
    for d in range(4):
        for f in range(3):
            pair = codes[:, d], factors[:, f]
            related[d, f] = abs(np.corrcoef(*pair)[0, 1] if kind == "pearson" else spearmanr(*pair).statistic)
    best = max(np.mean([related[d, f] for f, d in enumerate(order)]) for order in permutations(range(4), 3))
    result = mcc(codes, factors, correlation=kind)  # type: ignore[arg-type]
    assert result.matrix == pytest.approx(related, abs=1e-9)
    assert result.value == pytest.approx(best, abs=1e-9)
    assert np.mean([result.parts[str(f)] for f in range(3)]) == pytest.approx(best, abs=1e-9)


def test_the_weak_form_is_the_mean_canonical_correlation() -> None:
    codes, factors = noisy()
    joint = np.cov(codes.T, factors.T)
    z, v, c = joint[:4, :4], joint[4:, 4:], joint[:4, 4:]
    squared = eigvals(inv(v) @ c.T @ inv(z) @ c).real
    result = mcc(codes, factors, identifiability="weak")
    assert result.value == pytest.approx(np.sqrt(squared).mean(), abs=1e-9)
    assert result.value == result.parts["weak"] >= result.parts["strong"]


@pytest.mark.parametrize(
    ("name", "published"),
    [("permuted", 1.0), ("duplicated", 1.0), ("periodic", 0.96), ("merged", 0.79), ("noisy", 0.89), ("rotated", 0.77)],
)
def test_known_codes_score_as_with_the_reference(name: str, published: float) -> None:
    assert mcc(representation(name, FACTORS), FACTORS).value == pytest.approx(published, abs=0.01)


def test_a_turn_costs_the_strong_form_only_and_a_warp_not_the_ranks() -> None:
    parts = mcc(representation("rotated", FACTORS), FACTORS).parts
    assert parts["weak"] == pytest.approx(1.0)
    assert parts["strong"] < 0.8
    warped = representation("warped", FACTORS)
    assert mcc(warped, FACTORS, correlation="spearman").value == pytest.approx(1.0)
    assert mcc(warped, FACTORS).value < 0.99


def test_dead_and_missing_latents_are_correlated_with_nothing() -> None:
    assert mcc(representation("dead", FACTORS), FACTORS).value == pytest.approx(0.6, abs=0.001)
    assert mcc(representation("all dead", FACTORS), FACTORS).parts["weak"] == 0.0
    assert mcc(FACTORS[:, :2], FACTORS).value == pytest.approx(0.4, abs=0.001)


@pytest.mark.parametrize("option", [{"correlation": "kendall"}, {"identifiability": "none"}])
def test_unknown_options_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(option.values()))):
        mcc(FACTORS, FACTORS, **option)  # type: ignore[arg-type]
