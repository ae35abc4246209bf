"""Logistic regression as the scores of the literature use it: scikit-learn's, with its defaults, on any labels.

Labels of one value, or folds that miss one, leave nothing to fit: then the commonest value is the answer, or the usual
penalty serves.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["Answers", "logistic"]

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
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.model_selection import KFold

    seen = np.unique(values)
    if len(seen) == 1:
        return Answers(seen, np.ones((len(codes), 1)), np.ones((len(test_codes), 1)))
    # Numbers whose squares overflow would end the search where it starts.
    size = max(float(np.abs(codes).max()) / 1e6, 1.0)
    codes, test_codes = codes / size, test_codes / size
    with warnings.catch_warnings():
        # That the search ends after a hundred steps, and that a fold misses a value, is part of the definition.
        warnings.simplefilter("ignore")
        fitted = LogisticRegression()
        if chosen and len(codes) >= FOLDS:
            fitted = LogisticRegressionCV(Cs=PENALTIES, cv=KFold(n_splits=FOLDS))
        try:
            fitted.fit(codes, values)
        except ValueError:  # a fold of a single value
            fitted = LogisticRegression().fit(codes, values)
        return Answers(seen, fitted.predict_proba(codes), fitted.predict_proba(test_codes))
