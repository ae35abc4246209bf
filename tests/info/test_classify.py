"""Classifiers on labels that leave little to fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from unbraid.errors import InvalidOption
from unbraid.info.classify import logistic, read


def test_probabilities_are_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 4, 200) * 10
    codes = values[:, None] / 10 + generator.normal(size=(200, 2))
    found = logistic(codes[:150], values[:150], codes[150:])
    fitted = LogisticRegression().fit(codes[:150], values[:150])
    assert found.values.tolist() == fitted.classes_.tolist()
    assert found.chance == pytest.approx(fitted.predict_proba(codes[:150]), abs=1e-12)
    assert found.test_chance == pytest.approx(fitted.predict_proba(codes[150:]), abs=1e-12)


@pytest.mark.parametrize("predictor", ["lightgbm", "original", "logistic"])
def test_a_single_value_is_the_answer(predictor: Any) -> None:
    answers, test_answers = read(np.eye(3), np.full(3, 5), np.ones((2, 3)), predictor=predictor)
    assert answers.tolist() == [5, 5, 5]
    assert test_answers.tolist() == [5, 5]


def test_folds_that_hold_a_single_value_are_survived() -> None:
    values = np.array([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    found = logistic(values[:, None] * 10.0, values, np.array([[0.0], [10.0]]), chosen=True)
    assert np.isfinite(found.chance).all()
    assert found.test_chance[1, 1] > found.test_chance[0, 1]


def test_numbers_near_the_end_of_the_range_are_fitted() -> None:
    values = np.arange(40) % 2
    found = logistic(values[:, None] * 1e99, values, np.array([[0.0], [1e99]]))
    assert found.named()[1].tolist() == [0, 1]


def test_an_unknown_predictor_is_refused() -> None:
    with pytest.raises(InvalidOption, match="'oracle'"):
        read(np.eye(2), np.arange(2), np.eye(2), predictor="oracle")  # type: ignore[arg-type]
