"""Explicitness, against scikit-learn's classifier and areas; and where the reference stops with an error."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from unbraid.scores.explicitness import explicitness
from unbraid.types import Floats, Integers


def representation() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 12), size=(900, 3))
    return np.column_stack([3.0 + factors + generator.normal(size=(900, 3)), factors[:, 2] - factors[:, 0]]), factors


def slow_areas(codes: Floats, factors: Integers, test_codes: Floats, test_factors: Integers) -> list[float]:
    mean, spread = codes.mean(axis=0), codes.std(axis=0)
    areas = []
    for f in range(factors.shape[1]):
        fitted = LogisticRegression().fit((codes - mean) / spread, factors[:, f])
        chance = fitted.predict_proba((test_codes - mean) / spread)
        areas.append(
            np.mean([roc_auc_score(test_factors[:, f] == v, chance[:, k]) for k, v in enumerate(fitted.classes_)])
        )
    return areas


def test_explicitness_is_the_mean_area_under_the_curves_of_every_value() -> None:
    codes, factors = representation()
    test = codes[600:], factors[600:]
    expected = slow_areas(codes[:600], factors[:600], *test)
    result = explicitness(codes[:600], factors[:600], test=test)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(expected, abs=1e-6)
    assert result.value == pytest.approx(np.mean(expected), abs=1e-6)
    train = slow_areas(codes[:600], factors[:600], codes[:600], factors[:600])
    assert result.parts["train"] == pytest.approx(np.mean(train), abs=1e-6)


def test_equal_probabilities_count_half() -> None:
    factors = np.arange(60)[:, None] % 3
    assert explicitness(np.zeros((60, 2)), factors).value == 0.5
    codes = (factors == 0) * 1.0  # tells the first value, and nothing of the other two
    assert explicitness(codes, factors, test=(codes, factors)).value == pytest.approx((1 + 0.75 + 0.75) / 3)


def test_a_dead_latent_neither_stops_nor_changes_the_score() -> None:
    # The reference divides by its deviation, 0, and ends with "Input X contains NaN".
    codes, factors = representation()
    dead = np.column_stack([codes, np.full(900, 0.7)])
    assert explicitness(dead, factors).value == pytest.approx(explicitness(codes, factors).value, abs=1e-3)
    assert explicitness(0 * codes, factors).value == 0.5


def test_values_that_only_one_side_has_are_left_out() -> None:
    codes, factors = representation()
    learned = factors[:, 2] < 10
    result = explicitness(codes[learned], factors[learned], test=(codes, factors))
    assert 0.5 < result.value < 1
    alone = explicitness(codes[learned], factors[learned], test=(codes[:1], factors[:1]))
    assert alone.value == 0.5


def test_a_rotation_costs_nothing() -> None:
    codes, factors = representation()
    turned = np.column_stack([codes[:, 0] + codes[:, 1], codes[:, 0] - codes[:, 1], codes[:, 2:]])
    assert explicitness(turned, factors).value == pytest.approx(explicitness(codes, factors).value, abs=0.01)
