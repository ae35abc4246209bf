"""Consistency: does a factor that stays keep its latent where it is, whatever else changes?

References:
    Shu, Chen, Kumar, Ermon and Poole, "Weakly supervised disentanglement with guarantees", ICLR 2020, arXiv:1910.09772.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.interventions import free_factors, pairs
from unbraid.info.matching import match
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator

__all__ = ["consistency"]


@score(
    needs="sampler",
    reference="Shu et al., ICLR 2020, arXiv:1910.09772",
    citation=r"""@inproceedings{shu2020weakly,
  title = {Weakly Supervised Disentanglement with Guarantees},
  author = {Shu, Rui and Chen, Yining and Kumar, Abhishek and Ermon, Stefano and Poole, Ben},
  booktitle = {International Conference on Learning Representations},
  year = {2020}
}""",
)
def consistency(sampler: Sampler, *, pairs_drawn: int = 1000, seed: int = 0) -> Score:
    r"""How little a factor's latent moves when that factor is shared and all others are drawn anew.

    .. math:: c_{df} = 1 - \frac{\mathbb{E} \left[ (z_d - z'_d)^2 \mid v_f = v'_f \right]}
        {\mathbb{E} \left[ (z_d - z'_d)^2 \right]}, \qquad \frac1F \max_\pi \sum_f c_{\pi(f) f}

    which is the share of a latent's variance that the factor explains. The paper knows which latent stands for which
    factor; here a latent of its own is matched to each, by the assignment :math:`\pi` with the greatest sum. A latent
    that other factors move as well is not consistent; one that lacks some of its factor may be. Together with
    restrictiveness it is disentanglement.

    Factors of one value are left out; a latent that does not vary is consistent with none, and a factor for which no
    latent is left counts as 0.

    Args:
        sampler: The factors and their representation.
        pairs_drawn: How many pairs for each factor, at least 2.
        seed: Draws the pairs; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor as a part; c, latents x factors, as the matrix.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When ``pairs_drawn`` is below 2.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> print(consistency(Sampler(space, lambda factors: factors.astype(float))))
    consistency 1.000 (0 1.000, 1 1.000)
    """
    require_at_least(2, pairs_drawn=pairs_drawn)
    columns = free_factors(sampler.space)
    drawn = pairs(
        lambda values: as_codes(sampler.represent(values), "the sampler's codes"),
        sampler.space,
        pairs_drawn,
        numpy_generator(seed, "pairs"),
    )
    free = ((drawn.first - drawn.second) ** 2).mean(axis=0)
    shared = ((drawn.crossed - drawn.second) ** 2).mean(axis=1).T
    still = np.divide(shared, free[:, None], out=np.ones_like(shared), where=free[:, None] > 0)
    explained = (1.0 - still).clip(0.0, 1.0)
    rows, matched = match(explained)
    own = np.zeros(len(columns))
    own[matched] = explained[rows, matched]
    matrix = np.zeros((len(free), len(sampler.space.sizes)))
    matrix[:, columns] = explained
    parts = {str(column): float(value) for column, value in zip(columns, own, strict=True)}
    return Score(float(own.mean()), parts, matrix)
