"""Calibration: right as often as said."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.info.calibration import calibration_error, negative_log_likelihood


def test_labels_drawn_by_the_probabilities_are_calibrated_and_those_of_the_sure_are_not() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1.0, 1.0, 1.0], 40_000)
    labels = (rng.random((40_000, 1)) > probabilities.cumsum(1)).sum(1)
    assert calibration_error(probabilities, labels) < 0.012
    sure = np.eye(3)[probabilities.argmax(1)]
    wrong = (probabilities.argmax(1) != labels).mean()
    assert calibration_error(sure, labels) == pytest.approx(wrong)


def test_the_error_is_the_mean_gap_by_confidence() -> None:
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    labels = np.array([0] * 7 + [1] * 3 + [0] * 9 + [1])
    assert calibration_error(probabilities, labels, bins=10) == pytest.approx((0.2 + 0.3) / 2)


def test_a_label_that_was_impossible_costs_much_but_not_infinity() -> None:
    assert 500 < negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) < 1000


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidData, match="do not fit together"):
        calibration_error(np.ones((3, 2)) / 2, np.zeros(4, dtype=np.int64))
