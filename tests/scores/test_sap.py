"""Separated attribute predictability, against loops over scikit-learn's machines and numpy's covariance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from unbraid.scores.sap import sap
from unbraid.types import Floats, Integers


def representation() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 12), size=(900, 3))
    return np.column_stack([factors + generator.normal(size=(900, 3)), 0.01 * factors[:, 2] + 5.0]), factors


def test_sap_is_the_gap_of_accuracies_of_linear_machines() -> None:
    codes, factors = representation()
    accuracy = np.zeros((4, 3))
    for d in range(4):
        for f in range(3):
            machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-9, max_iter=10000)
            machine.fit(codes[:600, d : d + 1], factors[:600, f])
            accuracy[d, f] = np.mean(machine.predict(codes[600:, d : d + 1]) == factors[600:, f])
    result = sap(codes[:600], factors[:600], test=(codes[600:], factors[600:]))
    assert result.matrix == pytest.approx(accuracy, abs=1e-9)
    ranked = np.sort(accuracy, axis=0)
    assert result.value == pytest.approx(np.mean(ranked[-1] - ranked[-2]))


def test_continuous_sap_is_the_gap_of_squared_correlations() -> None:
    codes, factors = representation()
    codes = np.column_stack([codes, np.full(900, 3.0), 1e-7 * codes[:, 0]])
    explained = np.zeros((6, 3))
    for d in range(6):
        for f in range(3):
            covariance = np.cov(codes[:, d], factors[:, f], ddof=1)
            if covariance[0, 0] > 1e-12:
                explained[d, f] = covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1])
    result = sap(codes, factors, continuous=True)
    assert result.matrix == pytest.approx(explained)
    assert result.matrix is not None
    assert (result.matrix[4:] == 0).all()
    ranked = np.sort(explained, axis=0)
    assert result.value == pytest.approx(np.mean(ranked[-1] - ranked[-2]))


def test_two_classes_far_apart_are_told_without_error() -> None:
    factors = np.random.default_rng(0).integers(0, 2, size=(300, 2))
    result = sap(20.0 * factors - 10.0, factors)
    assert result.matrix is not None
    assert np.diag(result.matrix) == pytest.approx([1.0, 1.0])
