"""Softmax regression, against scikit-learn's, and where its solution is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from unbraid.info.softmax import linear_cross_entropy, softmax_regression


@pytest.mark.parametrize("outputs", [2, 3, 20])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_probabilities_are_scikit_learns(outputs: int, strength: float) -> None:
    generator = np.random.default_rng(0)
    classes = generator.permutation(np.arange(500) % outputs)
    codes = np.column_stack([classes + generator.normal(size=500), generator.normal(size=(500, 3))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a search that ends after a hundred steps is meant to
        fitted = LogisticRegression(C=strength).fit(codes, classes)
    weights = softmax_regression(codes, classes, strength=strength)
    exponents = np.exp(codes @ weights[:, :-1].T + weights[:, -1])
    chance = exponents / exponents.sum(axis=1, keepdims=True)
    assert chance == pytest.approx(fitted.predict_proba(codes), abs=1e-3)
    assert np.mean(chance.argmax(axis=1) == fitted.predict(codes)) > 0.99


def test_codes_that_tell_nothing_leave_the_frequencies() -> None:
    classes = np.repeat([0, 1, 2], [50, 30, 20])
    weights = softmax_regression(np.zeros((100, 2)), classes)
    assert (weights[:, :2] == 0).all()
    chance = np.exp(weights[:, 2]) / np.exp(weights[:, 2]).sum()
    assert chance == pytest.approx([0.5, 0.3, 0.2], abs=1e-3)


def test_large_codes_do_not_overflow() -> None:
    classes = np.arange(40) % 4
    assert np.isfinite(softmax_regression(classes[:, None] * 1e6, classes)).all()
    assert np.isfinite(softmax_regression(classes[:, None] * 1e6, classes // 2)).all()


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("classes", [2, 5])
def test_what_is_left_unknown_is_the_cross_entropy_of_scikit_learns_regression(balanced: bool, classes: int) -> None:
    generator = np.random.default_rng(0)
    values = generator.binomial(classes - 1, 0.3, size=1000)
    codes = np.column_stack([values + generator.normal(size=1000), 50 + 7 * generator.normal(size=1000)])
    scaled = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    weight = "balanced" if balanced else None
    fitted = LogisticRegression(C=1e9, class_weight=weight, max_iter=1000, tol=1e-9).fit(scaled, values)
    expected = log_loss(values, fitted.predict_proba(scaled))
    assert linear_cross_entropy(codes, values, balanced=balanced) == pytest.approx(expected, abs=3e-4)


def test_codes_that_say_nothing_leave_log_k_when_balanced_and_the_entropy_when_not() -> None:
    values = np.repeat([0, 1, 2], [70, 20, 10])
    shares = np.array([0.7, 0.2, 0.1])
    assert linear_cross_entropy(np.ones((100, 2)), values) == pytest.approx(np.log(3))
    assert linear_cross_entropy(np.ones((100, 2)), values, balanced=False) == pytest.approx(
        -shares @ np.log(shares), abs=1e-6
    )


def test_classes_that_planes_part_leave_almost_nothing() -> None:
    values = np.random.default_rng(0).integers(0, 20, size=2000)
    assert linear_cross_entropy(values[:, None] * 1e6 - 3.0, values) < 0.01
