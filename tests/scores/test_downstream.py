"""Downstream accuracy, against scikit-learn's predictors fitted one by one."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import KFold

from unbraid.errors import InvalidOption
from unbraid.scores.downstream import downstream
from unbraid.types import Floats, Integers


def representation() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 6), size=(600, 3))
    return np.column_stack([factors + 0.4 * generator.normal(size=(600, 3)), generator.normal(size=600)]), factors


def fitted_accuracy(predictor: str, codes: Floats, values: Integers, test: Floats, asked: Integers) -> float:
    model: Any = GradientBoostingClassifier(random_state=0)
    if predictor == "logistic":
        model = LogisticRegressionCV(Cs=10, cv=KFold(5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.mean(model.fit(codes, values).predict(test) == asked))


@pytest.mark.parametrize(("predictor", "tolerance"), [("original", 1e-9), ("logistic", 1e-9), ("lightgbm", 0.01)])
def test_accuracy_with_all_labels_is_that_of_the_predictor(predictor: Any, tolerance: float) -> None:
    codes, factors = representation()
    test = codes[400:], factors[400:]
    result = downstream(codes[:400], factors[:400], test=test, sizes=(400,), predictor=predictor)
    expected = [fitted_accuracy(predictor, codes[:400], factors[:400, f], test[0], test[1][:, f]) for f in range(3)]
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(expected, abs=2 * tolerance)
    assert result.value == pytest.approx(np.mean(expected), abs=tolerance)


def test_fewer_labels_are_worth_less_and_the_efficiency_says_how_much() -> None:
    codes, factors = representation()
    result = downstream(codes, factors, sizes=(10, 100, 10_000))
    assert result.settings["labels"] == [10, 100, 400]
    few, some, all_of_them = (result.parts[f"{size} labels"] for size in (10, 100, 400))
    assert few < some < all_of_them == result.value
    assert result.parts["efficiency"] == pytest.approx(some / all_of_them)
    assert result.parts["400 labels, worst"] == min(result.parts[str(f)] for f in range(3))


@pytest.mark.parametrize("predictor", ["lightgbm", "original", "logistic"])
def test_labels_of_a_single_value_are_answered_with_it(predictor: Any) -> None:
    codes, factors = representation()
    result = downstream(codes, factors[:, :1], sizes=(1, 2, 3), predictor=predictor)
    assert 0.3 < result.parts["1 labels"] < 0.7


def test_unusable_sizes_and_predictors_are_refused() -> None:
    codes, factors = representation()
    for sizes in ((), (0,), (10, -1)):
        with pytest.raises(InvalidOption, match="sizes"):
            downstream(codes, factors, sizes=sizes)
    with pytest.raises(InvalidOption, match="'forest'"):
        downstream(codes, factors, predictor="forest")  # type: ignore[arg-type]
