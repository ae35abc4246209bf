"""Generalisation under covariate shift: is a factor still read rightly where another takes values never seen with it?

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without compromises",
    ICML 2020, arXiv:2002.02886.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.forest import Reader, answer
from unbraid.info.interventions import free_factors, living
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator

__all__ = ["covariateshift"]


@score(
    needs="sampler",
    reference="Locatello et al., ICML 2020, arXiv:2002.02886",
    citation=r"""@inproceedings{locatello2020weakly,
  title = {Weakly-Supervised Disentanglement Without Compromises},
  author = {Locatello, Francesco and Poole, Ben and R{\"a}tsch, Gunnar and Sch{\"o}lkopf, Bernhard and Bachem, Olivier
    and Tschannen, Michael},
  booktitle = {International Conference on Machine Learning},
  year = {2020}
}""",
)
def covariateshift(
    sampler: Sampler,
    *,
    train: int = 1000,
    asked: int = 250,
    predictor: Reader = "forest",
    seed: int = 0,
) -> Score:
    r"""How often a predictor, shown a single value of one factor, reads another factor rightly at all other values.

    For every factor s one of its values is drawn. Each other factor t is learned from samples with that value and read
    from samples with any other:

    .. math:: \frac{1}{F (F - 1)} \sum_s \sum_{t \ne s} P \left( \hat y_t = v_t \mid v_s \ne w_s \right), \qquad
        \hat y_t \text{ learned where } v_s = w_s

    Where each factor has latents to itself, what was learned holds on; where the other factor moves the same latents it
    does not. Chance is 1 / K. The gap to the accuracy on samples like those learned from is what the shift alone costs.
    The reference draws one s for every t, which leaves much to chance, and has boosted trees: ``"original"``.

    Factors of one value are left out. Where the latents do not vary, the answer is the commonest value.

    Args:
        sampler: The factors and their representation.
        train: How many samples are learned from for each factor that is held, at least 2.
        asked: How many samples are read, of each kind, at least 1.
        predictor: ``"forest"`` for randomised trees (:mod:`unbraid.info.forest`), ``"lightgbm"`` or ``"original"`` for
            boosted ones, ``"logistic"`` for logistic regression.
        seed: Draws the values held and all samples; at least 0.

    Returns:
        The mean accuracy in [0, 1]; that of each factor read, ``unshifted`` (the mean accuracy at the value learned
        from) and ``gap`` (1 less the quotient of both, at least 0) as parts.

    Raises:
        InvalidData: When fewer than two factors have more than one value, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 3), Factor("y", 4)])
    >>> print(covariateshift(Sampler(space, lambda factors: factors.astype(float)), train=100))
    covariateshift 1.000 (0 1.000, 1 1.000, unshifted 1.000, gap 0.000)
    """
    require_at_least(2, train=train)
    require_at_least(1, asked=asked)
    require_at_least(0, seed=seed)
    space, generator = sampler.space, numpy_generator(seed, "shift")
    columns = free_factors(space, least=2)
    blocks = []
    for held in columns:
        size = space.sizes[held]
        value = int(generator.integers(size))
        block = space.sample(train + 2 * asked, generator)
        block[: train + asked, held] = value
        block[train + asked :, held] = (value + generator.integers(1, size, size=asked)) % size
        blocks.append(block)
    codes = living(as_codes(sampler.represent(np.concatenate(blocks)), "the sampler's codes"))
    right = np.full((2, len(columns), len(columns)), np.nan)
    for h, (block, own) in enumerate(zip(blocks, np.split(codes, len(columns)), strict=True)):
        for t, target in enumerate(columns):
            if t != h:
                named = answer(own[:train], block[:train, target], own[train:], predictor=predictor, seed=seed)
                right[:, h, t] = (named == block[train:, target]).reshape(2, asked).mean(axis=1)
    unshifted, each = np.nanmean(right[0]), np.nanmean(right[1], axis=0)
    parts = {str(column): float(value) for column, value in zip(columns, each, strict=True)}
    parts["unshifted"] = float(unshifted)
    parts["gap"] = float(max(0.0, 1.0 - each.mean() / unshifted)) if unshifted else 0.0
    return Score(float(each.mean()), parts)
