r"""Gradient-boosted trees that say which latents a factor is read from.

Both forms fit a hundred rounds of trees of depth 3 at rate 0.1 to the classes of one factor. The importance of a
latent is the squared residual that splits on it remove, summed over all trees (Friedman 2001), as a share of the whole.

``original`` is scikit-learn's ``GradientBoostingClassifier``, as in the reference. ``lightgbm`` grows the same trees
with LightGBM, which out of the box answers another question: it weighs splits by curvature, so that late trees, which
fit noise, count most; it cuts every latent into 255 bins; and it gives ties to the first latent. Here it is given plain
residuals, which makes its gains Friedman's, a bin for every sample, and the latents in several orders by turns; and the
leaves are set to Newton steps, :math:`\frac{K-1}{K} \sum r / \sum p (1 - p)` for residuals r and probabilities p,
outside it.

References:
    Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29, 2001.
    Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.special import expit, softmax

from unbraid.errors import InvalidOption
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Boosted", "Trees", "boost"]

Trees: TypeAlias = Literal["lightgbm", "original"]

ROUNDS, RATE, DEPTH = 100, 0.1, 3
LEAVES = 2**DEPTH
MOST_BINS = 2**16 - 1


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
    grow = _lightgbm if trees == "lightgbm" else _original
    # Trees see only order; LightGBM alone takes what is below 1e-35 for 0, hence the unit range.
    scaled, test_scaled = ((x[:, useful] - least[useful]) / span[useful] for x in (codes, test_codes))
    gains, answers, test_answers = grow(scaled, classes, test_scaled, seed)
    importance[useful] = gains / (gains.sum() or 1.0)
    return Boosted(importance, names[answers], names[test_answers])


def _original(codes: Floats, classes: Integers, test_codes: Floats, seed: int) -> tuple[Floats, Integers, Integers]:
    from sklearn.ensemble import GradientBoostingClassifier

    fitted = GradientBoostingClassifier(n_estimators=ROUNDS, learning_rate=RATE, max_depth=DEPTH, random_state=seed)
    fitted.fit(codes, classes)
    return fitted.feature_importances_, fitted.predict(codes), fitted.predict(test_codes)


def _lightgbm(codes: Floats, classes: Integers, test_codes: Floats, seed: int) -> tuple[Floats, Integers, Integers]:
    counts = np.bincount(classes)
    # Two classes need one score, log-odds of the second; more need one each.
    outputs = 1 if len(counts) == 2 else len(counts)
    settings = {
        "objective": "none",
        "num_class": outputs,
        "learning_rate": 1.0,
        "max_depth": DEPTH,
        "num_leaves": LEAVES,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0.5,
        "min_data_in_bin": 1,
        "max_bin": min(len(codes) + 1, MOST_BINS),
        "feature_pre_filter": False,
        "use_missing": False,
        "force_col_wise": True,
        "deterministic": True,
        "num_threads": 1,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    lightgbm = _load()
    orders = _orders(codes.shape[1], seed)
    data = [lightgbm.Dataset(codes[:, order], classes, params=settings) for order in orders]
    boosters = [lightgbm.Booster(settings, one) for one in data]
    samples, everything = len(codes), np.vstack([codes, test_codes])
    if outputs == 1:
        target = classes[:, None].astype(np.float64)
        height = np.full((len(everything), 1), np.log(counts[1] / counts[0]))
    else:
        target = np.eye(outputs)[classes]
        height = np.tile(np.log(counts / samples), (len(everything), 1))
    shrink = RATE * ((outputs - 1) / outputs if outputs > 1 else 1.0)
    curvature = np.ones((samples, outputs), dtype=np.float32)
    for turn in range(ROUNDS):
        tree, which = divmod(turn, len(orders))
        booster, order = boosters[which], orders[which]
        chance = expit(height[:samples]) if outputs == 1 else softmax(height[:samples], axis=1)
        residual = target - chance
        if booster.update(fobj=_residuals(residual, curvature)):
            break  # no tree found a split
        leaf = booster.predict(
            everything[:, order], pred_leaf=True, start_iteration=tree, num_iteration=1, num_threads=1
        )
        leaf = leaf.reshape(len(everything), outputs).astype(np.int64) + LEAVES * np.arange(outputs)
        learned = leaf[:samples].ravel()
        rise = np.bincount(learned, residual.ravel(), minlength=LEAVES * outputs)
        bend = np.bincount(learned, (chance * (1.0 - chance)).ravel(), minlength=LEAVES * outputs)
        height += (shrink * np.divide(rise, bend, out=np.zeros_like(rise), where=bend > 1e-150))[leaf]
    gains = np.zeros(codes.shape[1])
    answers = (height[:, 0] > 0).astype(np.int64) if outputs == 1 else height.argmax(axis=1)
    for booster, order in zip(boosters, orders, strict=True):
        gains[order] += booster.feature_importance("gain")
    return gains, answers[:samples], answers[samples:]


def _orders(latents: int, seed: int) -> list[Integers]:
    """Four orders of the latents, so that either of two copies comes first in half of them."""
    generator = numpy_generator(seed, "order of latents")
    orders = [generator.permutation(latents) for _ in range(2)]
    return [order[::direction] for order in orders for direction in (1, -1)] if latents > 1 else [np.zeros(1, np.int64)]


def _residuals(residual: Floats, curvature: Any) -> Any:
    gradient = (-residual).astype(np.float32)
    pair = (gradient, curvature) if gradient.shape[1] > 1 else (gradient.ravel(), curvature.ravel())
    return lambda scores, data: pair


def _load() -> ModuleType:
    try:
        import lightgbm
    except OSError as error:
        raise InvalidOption(
            f"LightGBM cannot load the system's OpenMP library ({error}): install it (Debian and Ubuntu: "
            "apt-get install libgomp1; macOS: brew install libomp), or use trees='original'"
        ) from error
    return lightgbm
