"""Unfairness: how much do predictions of one factor shift when another, which should not matter, is changed?

References:
    Locatello, Abbati, Rainforth, Bauer, Schölkopf and Bachem, "On the fairness of disentangled representations",
    NeurIPS 2019, arXiv:1905.13662.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.forest import Reader, answer
from unbraid.info.interventions import free_factors, living
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator
from unbraid.types import Integers

__all__ = ["fairness"]


@score(
    direction="lower",
    needs="sampler",
    reference="Locatello et al., NeurIPS 2019, arXiv:1905.13662",
    citation=r"""@inproceedings{locatello2019fairness,
  title = {On the Fairness of Disentangled Representations},
  author = {Locatello, Francesco and Abbati, Gabriele and Rainforth, Tom and Bauer, Stefan and Sch{\"o}lkopf, Bernhard
    and Bachem, Olivier},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019}
}""",
)
def fairness(
    sampler: Sampler,
    *,
    train: int = 1000,
    points: int = 50,
    predictor: Reader = "forest",
    seed: int = 0,
) -> Score:
    r"""Unfairness, 0 at best: how far a predictor of one factor is swayed by another that is independent of it.

    A predictor learns each target factor t from the codes. A sensitive factor s is then set to each of its values in
    turn, for the same samples; with P the distribution of the answers and TV the total variation distance,

    .. math:: \frac{1}{F (F - 1)} \sum_t \sum_{s \ne t} \frac{1}{K_s} \sum_{v = 1}^{K_s}
        \mathrm{TV} \left( P(\hat y_t), \; P(\hat y_t \mid s := v) \right)

    which is ``mean_fairness:mean_pred:mean_sens`` of the reference. A predictor that gives one answer to everything is
    perfectly fair: read it with the part ``accuracy``. The same samples serve all pairs, and there are fewer of them
    than the paper's 10000 and 100. Its predictor is ``"original"``; the forest costs a tenth of that.

    Args:
        sampler: The factors and their representation.
        train: How many samples are learned from, at least 2.
        points: How many samples are changed, at least 1.
        predictor: ``"forest"`` for randomised trees (:mod:`unbraid.info.forest`), ``"lightgbm"`` or ``"original"`` for
            boosted ones, ``"logistic"`` for logistic regression.
        seed: Draws all samples; at least 0.

    Returns:
        The mean distance in [0, 1]; that of each target factor, the ``worst`` single shift of any pair, and
        ``accuracy`` on the changed samples as parts.

    Raises:
        InvalidData: When fewer than two factors have more than one value, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 3), Factor("y", 2)])
    >>> print(fairness(Sampler(space, lambda factors: factors.astype(float)), train=100, points=10))
    fairness 0.000 (0 0.000, 1 0.000, worst 0.000, accuracy 1.000)
    """
    require_at_least(2, train=train)
    require_at_least(1, points=points)
    require_at_least(0, seed=seed)
    space, generator = sampler.space, numpy_generator(seed, "fairness")
    columns = free_factors(space, least=2)
    learned, originals = space.sample(train, generator), space.sample(points, generator)
    changed = {int(s): _every_value(originals, int(s), space.sizes[s]) for s in columns}
    everything = np.concatenate([learned, *changed.values()])
    codes = living(as_codes(sampler.represent(everything), "the sampler's codes"))
    asked = everything[train:]
    ends = np.cumsum([len(block) for block in changed.values()])[:-1]
    parts, means, worst, right = {}, [], 0.0, []
    for target in columns:
        answers = answer(codes[:train], learned[:, target], codes[train:], predictor=predictor, seed=seed)
        distances = []
        for sensitive, block in zip(columns, np.split(answers, ends), strict=True):
            if sensitive != target:
                shift = _shifts(block.reshape(space.sizes[sensitive], points), space.sizes[target])
                distances.append(float(np.mean(shift)))
                worst = max(worst, float(np.max(shift)))
        own = np.repeat(columns != target, [len(block) for block in changed.values()])
        right.append(float(np.mean(answers[own] == asked[own, target])))
        means.append(float(np.mean(distances)))
        parts[str(target)] = means[-1]
    parts |= {"worst": worst, "accuracy": float(np.mean(right))}
    return Score(float(np.mean(means)), parts)


def _every_value(originals: Integers, column: int, size: int) -> Integers:
    """The originals once for each value of one factor, ``(size * points, F)``."""
    changed = np.tile(originals, (size, 1))
    changed[:, column] = np.repeat(np.arange(size), len(originals))
    return changed


def _shifts(answers: Integers, outcomes: int) -> list[float]:
    """How far the answers to each row are, in total variation, from those to all rows together."""
    counts = np.stack([np.bincount(row, minlength=outcomes) for row in answers]) / answers.shape[1]
    return [float(distance) for distance in 0.5 * np.abs(counts - counts.mean(axis=0)).sum(axis=1)]
