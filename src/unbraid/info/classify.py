"""The classifiers by which the scores of the literature read factors, on any labels.

Logistic regression is scikit-learn's with its defaults, in its own form where a penalty is chosen. Labels of one value,
or folds that miss one, leave nothing to fit: then that value is the answer, or the usual penalty serves.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.special import softmax

from unbraid.errors import InvalidOption
from unbraid.info.boosting import boost
from unbraid.info.softmax import softmax_regression
from unbraid.types import Floats, Integers

__all__ = ["Answers", "Predictor", "logistic", "read"]

Predictor: TypeAlias = Literal["lightgbm", "original", "logistic"]
"""Boosted trees of either kind (:mod:`unbraid.info.boosting`), or logistic regression with a penalty that is chosen."""

PENALTIES, FOLDS = 10, 5


class Answers(NamedTuple):
    """What was learned of one factor.

    Args:
        values: The K values seen, ascending, ``(K,)``.
        chance: Their probabilities for the samples learned from, ``(N, K)``.
        test_chance: And for the test samples, ``(M, K)``.
    """

    values: Integers
    chance: Floats
    test_chance: Floats

    def named(self) -> tuple[Integers, Integers]:
        """The likeliest values: of the samples learned from ``(N,)`` and of the test samples ``(M,)``."""
        return self.values[self.chance.argmax(axis=1)], self.values[self.test_chance.argmax(axis=1)]


def logistic(codes: Floats, values: Integers, test_codes: Floats, *, chosen: bool = False) -> Answers:
    """Fit a softmax regression with squared penalty to the values of one factor.

    Args:
        codes: ``(N, D)``; as they are, not standardised.
        values: ``(N,)``.
        test_codes: ``(M, D)``.
        chosen: Whether the penalty is chosen by five folds among ten from 1e-4 to 1e4, rather than 1.

    >>> codes = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> logistic(codes, np.array([3, 3, 7, 7]), np.array([[-5.0], [5.0]])).named()[1]
    array([3, 7])
    """
    seen, classes = np.unique(values, return_inverse=True)
    if len(seen) == 1:
        return Answers(seen, np.ones((len(codes), 1)), np.ones((len(test_codes), 1)))
    # Numbers whose squares overflow would end the search where it starts.
    size = max(float(np.abs(codes).max()) / 1e6, 1.0)
    codes, test_codes = codes / size, test_codes / size
    weights = _chosen(codes, classes, len(seen)) if chosen and len(codes) >= FOLDS else None
    if weights is None:
        weights = softmax_regression(codes, classes)
    chance, test_chance = (softmax(x @ weights[:, :-1].T + weights[:, -1], axis=1) for x in (codes, test_codes))
    return Answers(seen, chance, test_chance)


def _chosen(codes: Floats, classes: Integers, outputs: int) -> Floats | None:
    """Weights with the penalty that folds choose, or None where one of them holds a single class."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import KFold

    with warnings.catch_warnings():
        # That the search ends after a hundred steps, and that a fold misses a value, is part of the definition.
        warnings.simplefilter("ignore")
        try:
            fitted = LogisticRegressionCV(Cs=PENALTIES, cv=KFold(n_splits=FOLDS)).fit(codes, classes)
        except ValueError:
            return None
    weights = np.zeros((outputs, codes.shape[1] + 1))
    weights[-len(fitted.coef_) :] = np.column_stack([fitted.coef_, fitted.intercept_])
    return weights


def read(
    codes: Floats, values: Integers, test_codes: Floats, *, predictor: Predictor = "lightgbm", seed: int = 0
) -> tuple[Integers, Integers]:
    """What a predictor learned from some samples says of them ``(N,)`` and of the test samples ``(M,)``.

    Raises:
        InvalidOption: When the predictor is unknown.

    >>> codes = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> read(codes, np.array([3, 3, 7, 7]), np.array([[-5.0], [5.0]]))[1]
    array([3, 7])
    """
    if predictor not in ("lightgbm", "original", "logistic"):
        raise InvalidOption(f"the predictor must be 'lightgbm', 'original' or 'logistic', but is {predictor!r}")
    if predictor == "logistic" or (values == values[0]).all():
        return logistic(codes, values, test_codes, chosen=True).named()
    learned = boost(codes, values, test_codes, trees=predictor, seed=seed)
    return learned.answers, learned.test_answers
