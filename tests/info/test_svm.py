"""Machines that see one number: the minimum they reach is the minimum."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from unbraid.info.svm import single_latent_accuracy


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_accuracy_is_liblinears_at_every_scale(scale: float, shift: float) -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 7), size=(600, 2))
    codes = scale * (shift + factors + generator.normal(size=(600, 2)).round(1))
    expected = np.zeros((2, 2))
    for d in range(2):
        for f in range(2):
            machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10, max_iter=100000)
            machine.fit(codes[:400, d : d + 1], factors[:400, f])
            expected[d, f] = machine.score(codes[400:, d : d + 1], factors[400:, f])
    found = single_latent_accuracy(codes[:400], factors[:400], codes[400:], factors[400:])
    # On data so alike a sample or two may lie on the border itself.
    assert found == pytest.approx(expected, abs=0.011)


def test_a_constant_latent_names_the_commonest_of_many_values() -> None:
    factors = np.repeat([0, 1, 2, 3], [10, 40, 20, 30])[:, None]
    assert single_latent_accuracy(np.ones((100, 1)), factors, np.ones((100, 1)), factors) == pytest.approx(0.4)
