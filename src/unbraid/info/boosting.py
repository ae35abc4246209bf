r"""Gradient-boosted trees that say which latents a factor is read from.

Both forms fit a hundred rounds of trees of depth 3 at rate 0.1 to the classes of one factor. The importance of a
latent is the squared residual that splits on it remove, summed over all trees (Friedman 2001), as a share of the whole.

``original`` is scikit-learn's ``GradientBoostingClassifier``, as in the reference. ``lightgbm`` grows nearly the same
trees far faster, as :mod:`unbraid.info.merged` says.

References:
    Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29, 2001.
    Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from unbraid.errors import InvalidOption
from unbraid.info.merged import grow_merged
from unbraid.info.shared import shared
from unbraid.types import Floats, Integers

__all__ = ["Boosted", "Trees", "boost"]

Trees: TypeAlias = Literal["lightgbm", "original"]

ROUNDS, RATE, DEPTH = 100, 0.1, 3


class Boosted(NamedTuple):
    """What boosted trees learned of one factor.

    Args:
        importance: The share of each latent, ``(D,)``, summing to 1, or all 0 when no split was made.
        answers: The values named for the samples learned from, ``(N,)``.
        test_answers: The values named for the test samples, ``(M,)``.
    """

    importance: Floats
    answers: Integers
    test_answers: Integers


@shared
def boost(codes: Floats, values: Integers, test_codes: Floats, *, trees: Trees = "lightgbm", seed: int = 0) -> Boosted:
    """Learn one factor from codes by boosted trees.

    Args:
        codes: ``(N, D)``.
        values: The factor's values, at least two different ones, ``(N,)``.
        test_codes: ``(M, D)``.
        trees: ``"lightgbm"``, or ``"original"`` for scikit-learn's, which are exact and far slower.
        seed: Decides between equally good splits.

    Raises:
        InvalidOption: When ``trees`` is unknown, or LightGBM cannot be loaded.
    """
    if trees not in ("lightgbm", "original"):
        raise InvalidOption(f"trees must be 'lightgbm' or 'original', but is {trees!r}")
    names, classes = np.unique(values, return_inverse=True)
    # Nothing can be split on a constant latent; without it the work is less and the trees are the same.
    least, span = codes.min(axis=0), np.ptp(codes, axis=0)
    useful = span > 0
    importance = np.zeros(codes.shape[1])
    if not useful.any():
        commonest = np.bincount(classes).argmax()
        return Boosted(importance, np.full(len(codes), names[commonest]), np.full(len(test_codes), names[commonest]))
    if trees == "lightgbm":
        gains, answers, test_answers = grow_merged(
            codes[:, useful], classes, test_codes[:, useful], rounds=ROUNDS, rate=RATE, depth=DEPTH, seed=seed
        )
    else:
        # Trees see only order; scikit-learn alone computes in single precision, hence the unit range.
        scaled, test_scaled = ((x[:, useful] - least[useful]) / span[useful] for x in (codes, test_codes))
        gains, answers, test_answers = _original(scaled, classes, test_scaled, seed)
    importance[useful] = gains / (gains.sum() or 1.0)
    return Boosted(importance, names[answers], names[test_answers])


def _original(codes: Floats, classes: Integers, test_codes: Floats, seed: int) -> tuple[Floats, Integers, Integers]:
    from sklearn.ensemble import GradientBoostingClassifier

    fitted = GradientBoostingClassifier(n_estimators=ROUNDS, learning_rate=RATE, max_depth=DEPTH, random_state=seed)
    fitted.fit(codes, classes)
    return fitted.feature_importances_, fitted.predict(codes), fitted.predict(test_codes)
