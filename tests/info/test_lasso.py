"""The lasso from second moments, against scikit-learn's from samples."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from unbraid.info.lasso import lasso


@pytest.mark.parametrize("penalty", [0.01, 0.1, 1.0])
def test_weights_are_those_fitted_to_samples(penalty: float) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(200, 5)) @ generator.normal(size=(5, 5))
    inputs[:, 2] = 0.0
    targets = inputs @ generator.normal(size=(5, 3)) + generator.normal(size=(200, 3))
    fitted = Lasso(alpha=penalty, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(inputs, targets)
    found = lasso(inputs.T @ inputs / 200, inputs.T @ targets / 200, penalty)
    assert found == pytest.approx(fitted.coef_.T, abs=1e-8)
    assert (found[2] == 0).all()
