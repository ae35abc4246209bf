"""The total AUROC difference against scikit-learn's area, and on redundant, duplicated and dead columns."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unbraid.errors import InvalidOption
from unbraid.info.ranking import concordance
from unbraid.info.representations import representation
from unbraid.scores.tad import tad


def test_for_factors_of_two_values_it_is_the_papers_sum_of_differences_of_areas() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, 2, size=(800, 4))
    codes = (factors @ generator.normal(size=(4, 6)) + 0.5 * generator.normal(size=(800, 6))).round(1)
    total, count = 0.0, 0
    for values in factors.T:
        areas = [roc_auc_score(values, column) for column in codes.T]
        second, best = sorted(max(area, 1 - area) for area in areas)[-2:]
        if best >= 0.75:
            total, count = total + best - second, count + 1
    result = tad(codes, factors)
    assert 0 < count < 5
    assert result.parts["total"] == pytest.approx(total, abs=1e-9)
    assert result.parts["captured"] == count
    assert result.value == pytest.approx(2 * total / 4, abs=1e-9)


def test_areas_of_more_values_are_the_shares_of_pairs_in_order() -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 5, size=(60, 1))
    codes = (values + generator.normal(size=(60, 2))).round(0) * [1, -1]
    for d in range(2):
        right = pairs = 0.0
        for a, b in combinations(range(60), 2):
            step, rise = np.sign(values[a, 0] - values[b, 0]), np.sign(codes[a, d] - codes[b, d])
            if step:
                pairs, right = pairs + 1, right + (0.5 if not rise else float(rise == step))
        assert concordance(codes, values)[d, 0] == pytest.approx(max(right, pairs - right) / pairs, abs=1e-12)


def test_a_copied_latent_has_no_difference_and_a_warped_one_all() -> None:
    factors = np.random.default_rng(0).integers(0, (3, 6, 8), size=(2000, 3))
    assert tad(representation("duplicated", factors), factors).parts["2"] == pytest.approx(0.0, abs=1e-9)
    assert tad(representation("warped", factors), factors).value > 0.95
    assert tad(representation("random", factors), factors).value == 0.0


def test_factors_that_another_tells_are_left_out() -> None:
    factors = np.random.default_rng(0).integers(0, 2, size=(1000, 3))
    factors[:, 2] = np.where(np.arange(1000) % 10 == 0, 1 - factors[:, 0], factors[:, 0])
    result = tad(factors, factors)
    assert result.settings["redundant_factors"] == [0, 2]
    assert result.parts["captured"] == 1
    assert tad(factors, factors, redundant=1.0).parts["captured"] == 3


def test_dead_latents_are_at_chance() -> None:
    factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    result = tad(np.column_stack([factors, np.ones(300)]), factors)
    assert result.value == tad(factors, factors).value
    assert result.matrix is not None
    assert result.matrix[2].tolist() == [0.5, 0.5]
    assert tad(np.zeros((300, 4)), factors).value == 0.0


@pytest.mark.parametrize("option", [{"captured": 0.3}, {"redundant": 1.5}])
def test_options_out_of_range_are_refused(option: dict[str, float]) -> None:
    with pytest.raises(InvalidOption, match="captured"):
        tad(np.eye(3), np.arange(3)[:, None], **option)
