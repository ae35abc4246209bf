"""Generalisation under covariate shift: is a factor still read rightly where another takes values never seen with it?

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without compromises",
    ICML 2020, arXiv:2002.02886.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.boosting import boost
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
def covariateshift(sampler: Sampler, *, train: int = 1000, asked: int = 500, seed: int = 0) -> Score:
    r"""How often boosted trees, shown a single value of one factor, read another factor rightly at all other values.

    For every target factor another factor and one value of it are drawn. The trees learn the target from samples with
    that value and are asked about samples with any other:

    .. math:: \frac1F \sum_t P \left( \hat y_t = v_t \mid v_s \ne w \right), \qquad \hat y_t \text{ learned where }
        v_s = w

    Where each factor has latents to itself, what was learned holds on; where the other factor moves the same latents it
    does not. Chance is 1 / K. The gap to the accuracy on samples like those learned from is what the shift alone costs.

    Factors of one value are left out. Where the latents do not vary, the trees name the commonest value.

    Args:
        sampler: The factors and their representation.
        train: How many samples the trees learn from, at least 2.
        asked: How many samples they are asked about, of each kind, at least 1.
        seed: Draws the shifts and all samples; at least 0.

    Returns:
        The mean accuracy in [0, 1]; that of each factor, ``unshifted`` (the mean accuracy at the value learned from)
        and ``gap`` (1 less the quotient of both, at least 0) as parts.

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
    for target in columns:
        shifted = generator.choice(columns[columns != target])
        size = space.sizes[shifted]
        value = int(generator.integers(size))
        block = space.sample(train + 2 * asked, generator)
        block[: train + asked, shifted] = value
        block[train + asked :, shifted] = (value + generator.integers(1, size, size=asked)) % size
        blocks.append(block)
    codes = living(as_codes(sampler.represent(np.concatenate(blocks)), "the sampler's codes"))
    right = []
    for target, block, own in zip(columns, blocks, np.split(codes, len(columns)), strict=True):
        values, truth = block[:train, target], block[train:, target]
        if np.ptp(values):
            answers = boost(own[:train], values, own[train:], seed=seed).test_answers
        else:
            answers = np.full(len(truth), values[0])
        right.append([float(np.mean(part)) for part in np.split(answers == truth, 2)])
    unshifted, each = np.array(right).T
    parts = {str(column): float(value) for column, value in zip(columns, each, strict=True)}
    parts["unshifted"] = float(unshifted.mean())
    parts["gap"] = max(0.0, 1.0 - float(each.mean()) / parts["unshifted"]) if parts["unshifted"] else 0.0
    return Score(float(each.mean()), parts)
