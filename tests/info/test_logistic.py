"""The cross-entropy of softmax regression against scikit-learn's, and where it has a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from unbraid.info.logistic import linear_cross_entropy


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("classes", [2, 5])
def test_it_is_the_cross_entropy_of_scikit_learns_regression(balanced: bool, classes: int) -> None:
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
