"""Softmax regression, against scikit-learn's, and where its solution is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from unbraid.info.softmax import softmax_regression


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
