"""Cuts that can part a class from the rest, against trying every one; and the trees grown on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier

from unbraid.info.boosting import boost
from unbraid.info.cuts import cut, numbered, sort_columns
from unbraid.types import Floats


def parted(x: Floats, side: Floats, threshold: float) -> float:
    """The squared deviation from the mean that a cut removes."""
    return float(sum(side[one].mean() ** 2 * one.sum() for one in (x <= threshold, x > threshold) if one.any()))


@given(seed=st.integers(0, 10_000), values=st.integers(2, 30))
def test_the_best_of_all_cuts_is_never_left_out(seed: int, values: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.integers(0, values, 25).astype(np.float64)
    inside = generator.random(25) < 0.3
    if inside.all() or not inside.any() or np.ptp(x) == 0:
        return
    side = inside - inside.mean()
    everywhere = [(a + b) / 2 for a, b in pairwise(np.unique(x))]
    kept = cut(sort_columns(x[:, None]), inside)[1][0]
    assert set(kept) <= set(everywhere)
    best = max(parted(x, side, threshold) for threshold in everywhere)
    assert max(parted(x, side, threshold) for threshold in kept) == pytest.approx(best, abs=1e-12)


def test_bins_of_the_same_codes_are_the_same_and_a_threshold_is_below_itself() -> None:
    generator = np.random.default_rng(0)
    codes = generator.normal(size=(200, 3)).round(1)
    bins, thresholds = cut(sort_columns(codes), generator.random(200) < 0.2)
    assert np.array_equal(numbered(codes, thresholds), bins)
    assert numbered(np.array([[thresholds[0][4]] * 3]), thresholds[:1] * 3).tolist() == [[4, 4, 4]]


def test_neighbouring_numbers_of_a_float_are_parted() -> None:
    low = 1.0
    codes = np.array([[low], [np.nextafter(low, 2)]])
    bins, thresholds = cut(sort_columns(codes), np.array([True, False]))
    assert bins.ravel().tolist() == numbered(codes, thresholds).ravel().tolist() == [0, 1]


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_merged_trees_find_the_importance_that_exact_trees_find(classes: int) -> None:
    generator = np.random.default_rng(classes)
    values = generator.integers(0, classes, 600)
    codes = np.column_stack(
        [values + generator.normal(size=600), values % 3 + generator.normal(size=600), generator.normal(size=(600, 2))]
    )
    exact = GradientBoostingClassifier(random_state=0).fit(codes[:400], values[:400])
    found = boost(codes[:400], values[:400], codes[400:])
    assert found.importance == pytest.approx(exact.feature_importances_, abs=0.02)
    assert np.mean(found.answers == exact.predict(codes[:400])) > 0.97
    assert np.mean(found.test_answers == exact.predict(codes[400:])) > 0.85


def test_trees_ask_only_for_the_order_of_codes() -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 4, 200)
    codes = values[:, None] + generator.normal(size=(200, 2))
    found = boost(codes, values, codes)
    warped = boost(np.exp(codes) * 1e-30, values, np.exp(codes) * 1e-30)
    assert np.array_equal(found.importance, warped.importance)
    assert np.array_equal(found.test_answers, warped.test_answers)
