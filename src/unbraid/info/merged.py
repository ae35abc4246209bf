r"""Boosted trees of scikit-learn's kind, grown by LightGBM in a tenth or less of the time.

LightGBM out of the box answers another question. It weighs splits by curvature, so that late trees, which fit noise,
count most; it cuts every latent into 255 bins, which miss the borders between classes; and it gives ties to the first
latent. Here it is given plain residuals, which makes its gains Friedman's; the leaves are set to Newton steps,
:math:`\frac{K-1}{K} \sum r / \sum p (1 - p)` for residuals r and probabilities p; latents come in several orders by
turns; and every class has bins of its own, all the cuts of :mod:`unbraid.info.cuts` that can part it from the rest.

Two things are left out that hardly count: cuts between neighbours on the same side, whose residuals are nearly alike,
and the trees of a class once its squared residuals, the most that splits can still remove, are below 1e-4 of what they
were at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unbraid.errors import InvalidOption
from unbraid.info.cuts import cut, numbered, sort_columns
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["grow_merged"]

MOST_BINS = 2**16 - 8
SOLVED = 1e-4
SETTINGS = {
    "objective": "none",
    "metric": "none",
    "learning_rate": 1.0,
    "min_data_in_leaf": 1,
    "min_sum_hessian_in_leaf": 0.5,
    "min_gain_to_split": 1e-5,
    "min_data_in_bin": 1,
    "feature_pre_filter": False,
    "use_missing": False,
    "enable_bundle": False,
    "force_row_wise": True,
    "deterministic": True,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}


def grow_merged(
    codes: Floats, classes: Integers, test_codes: Floats, *, rounds: int, rate: float, depth: int, seed: int
) -> tuple[Floats, Integers, Integers]:
    """Fit boosted trees to the classes of one factor.

    Args:
        codes: ``(N, D)``, no column constant.
        classes: From 0, none missing, at least two, ``(N,)``.
        test_codes: ``(M, D)``.
        rounds: How many trees a class has at most.
        rate: The share of a Newton step that is taken.
        depth: Of every tree.
        seed: Draws the orders of latents, which decide between equally good splits.

    Returns:
        The squared residual removed by splits on each latent ``(D,)``, and the classes named for the samples learned
        from ``(N,)`` and for the test samples ``(M,)``.
    """
    counts = np.bincount(classes)
    # Two classes need one score, log-odds of the second; more need one each.
    single = len(counts) == 2
    target = (classes == np.arange(1, 2) if single else classes == np.arange(len(counts))[:, None]).reshape(
        -1, len(codes)
    )
    start = np.log(counts[1:] / counts[:1]) if single else np.log(counts / len(codes))
    step = rate if single else rate * (len(counts) - 1) / len(counts)
    learners = _learners(codes, target, test_codes, 2**depth, depth, seed)
    height = np.repeat(start[:, None], len(codes), axis=1)
    solved: Any = None
    for turn in range(rounds):
        chance = _chance(height)
        bend = chance * (1.0 - chance)
        np.subtract(chance, target, out=chance)
        left = np.einsum("kn,kn->k", chance, chance)
        solved = SOLVED * left if solved is None else solved
        slope = chance.astype(np.float32)
        for k in np.flatnonzero(left > solved).tolist():
            learners[k].grow(turn + k, slope[k], bend[k], step, height[k])
    gains = np.sum([learner.gains() for learner in learners], axis=0)
    test_height = start[:, None] + np.stack([learner.test_height() for learner in learners])
    return gains, _named(height), _named(test_height)


def _chance(height: Floats) -> Floats:
    if len(height) == 1:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * height)))
    chance = np.exp(height - height.max(axis=0))
    chance /= chance.sum(axis=0)
    return np.asarray(chance)


def _named(height: Floats) -> Integers:
    return np.asarray(height[0] > 0 if len(height) == 1 else height.argmax(axis=0), dtype=np.int64)


def _learners(codes: Floats, target: Any, test_codes: Floats, leaves: int, depth: int, seed: int) -> list[_Learner]:
    lightgbm = _load()
    columns = sort_columns(codes)
    cuts = [cut(columns, inside) for inside in target]
    bins = min(max(len(between) for _, thresholds in cuts for between in thresholds) + 1, MOST_BINS)
    settings = SETTINGS | {"max_bin": bins + 1, "num_leaves": leaves, "max_depth": depth}
    # LightGBM finds bins by sorting; told them once, by a column that holds each, it need not for every class.
    latents = codes.shape[1]
    template = lightgbm.Dataset(
        np.tile(np.arange(bins, dtype=np.float64)[:, None], latents), params=settings
    ).construct()
    generator = numpy_generator(seed, "order of latents")
    learners = []
    for own, thresholds in cuts:
        # An order and its reverse, so that either of two copies comes first in half of the trees.
        orders = [generator.permutation(latents) for _ in range(1 if len(cuts) > 8 else 2)]
        # Of many classes one order each is fair enough, and half as many boosters fit into memory.
        orders = [order[::way] for order in orders for way in ((1, -1) if len(cuts) <= 64 else (1,))]
        within = _fitted(own, thresholds, bins)
        data = [
            lightgbm.Dataset(np.ascontiguousarray(within[:, order]), reference=template, params=settings)
            for order in orders
        ]
        boosters = [lightgbm.Booster(settings, one) for one in data]
        learners.append(_Learner(boosters, orders, _fitted(numbered(test_codes, thresholds), thresholds, bins)))
    return learners


def _fitted(own: Integers, thresholds: list[Floats], bins: int) -> Floats:
    """Bin numbers as LightGBM takes them, neighbours put together where there are more than it can hold."""
    counts = np.array([len(between) + 1 for between in thresholds])
    return (own * bins // np.maximum(counts, bins) if (counts > bins).any() else own).astype(np.float64)


class _Learner:
    """The trees of one class against the rest."""

    def __init__(self, boosters: list[Any], orders: list[Integers], test_bins: Floats) -> None:
        self.boosters, self.orders, self.test_bins = boosters, orders, test_bins
        samples = boosters[0].train_set.num_data()
        self.flat = np.ones(samples, dtype=np.float32)
        self.scores = [np.zeros(samples) for _ in boosters]
        self.splits = [0 for _ in boosters]

    def grow(self, turn: int, slope: Any, bend: Floats, step: float, height: Floats) -> None:
        """Add a tree fitted to the negative slope ``(N,)`` and raise the heights by a share of its Newton steps."""
        which = turn % len(self.boosters)
        booster = self.boosters[which]
        if booster.update(fobj=lambda scores, data: (slope, self.flat)):
            return  # no split removes anything
        splits = int(booster.feature_importance("split").sum())
        leaves, self.splits[which] = splits - self.splits[which] + 1, splits
        tree = booster.num_trees() - 1
        # What the tree added to every sample's score says which leaf it is in: the mean residual of that leaf.
        means = np.array([booster.get_leaf_output(tree, leaf) for leaf in range(leaves)])
        scores = _scores(booster)
        added, self.scores[which] = scores - self.scores[which], scores
        ranked = np.argsort(means)
        place: Any = np.zeros(len(added), dtype=np.int8)  # small numbers are added many at once
        for border in (means[ranked[1:]] + means[ranked[:-1]]) / 2:
            place += added > border
        place = place.astype(np.intp)
        rise = means[ranked] * np.bincount(place, minlength=leaves)
        curvature = np.bincount(place, bend, minlength=leaves)
        steps = step * np.divide(rise, curvature, out=np.zeros(leaves), where=curvature > 1e-150)
        for leaf, size in zip(ranked, steps, strict=True):
            booster.set_leaf_output(tree, int(leaf), float(size))
        height += steps[place]

    def gains(self) -> Floats:
        """The squared residual that splits on each latent removed, ``(D,)``."""
        gains = np.zeros(len(self.orders[0]))
        for booster, order in zip(self.boosters, self.orders, strict=True):
            gains[order] += booster.feature_importance("gain")
        return gains

    def test_height(self) -> Floats:
        """The sum of all steps for each test sample, ``(M,)``."""
        pairs = [one for one in zip(self.boosters, self.orders, strict=True) if one[0].num_trees()]
        return sum(
            (
                booster.predict(np.ascontiguousarray(self.test_bins[:, order]), raw_score=True, num_threads=1)
                for booster, order in pairs
            ),
            start=np.zeros(len(self.test_bins)),
        )


def _scores(booster: Any) -> Floats:
    """The sums of leaf outputs for the samples learned from: LightGBM hands them to a metric, and to nothing else."""
    handed: list[Floats] = []

    def metric(scores: Floats, data: object) -> tuple[str, float, bool]:
        handed.append(scores.copy())
        return "none", 0.0, False

    booster.eval_train(metric)
    return handed[0]


def _load() -> ModuleType:
    try:
        import lightgbm
    except OSError as error:
        raise InvalidOption(
            f"LightGBM cannot load the system's OpenMP library ({error}): install it (Debian and Ubuntu: "
            "apt-get install libgomp1; macOS: brew install libomp), or use trees='original'"
        ) from error
    return lightgbm
