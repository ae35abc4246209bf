"""Restrictiveness: does a factor that changes move its own latent only?

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

__all__ = ["restrictiveness"]


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
def restrictiveness(sampler: Sampler, *, pairs_drawn: int = 1000, seed: int = 0) -> Score:
    r"""How little all latents but a factor's own move when that factor alone is drawn anew.

    .. math:: \frac1F \sum_f \left( 1 - \frac{\sum_{d \ne \pi(f)} \mathbb{E} \left[ (z_d - z'_d)^2 \mid
        v_{\setminus f} = v'_{\setminus f} \right]}{\sum_{d \ne \pi(f)} \mathbb{E} \left[ (z_d - z'_d)^2 \right]}
        \right)

    with the latents :math:`\pi(f)` matched to factors as for consistency, which the paper need not do: its model is
    told. Latents weigh by their variance. One factor in two latents moves a latent that is not its own, and so costs;
    a factor that no latent knows moves none, and costs consistency instead.

    Factors of one value are left out; a latent that does not vary weighs nothing. Where all other latents are dead, a
    factor is restricted if its own is alive, and not where nothing varies at all.

    Args:
        sampler: The factors and their representation.
        pairs_drawn: How many pairs for each factor, at least 2.
        seed: Draws the pairs; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor as a part; what each factor moves, as the mean square of a latent's
        change over its variance, latents x factors, as the matrix.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When ``pairs_drawn`` is below 2.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> print(restrictiveness(Sampler(space, lambda factors: factors.astype(float))))
    restrictiveness 1.000 (0 1.000, 1 1.000)
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
    moved = ((drawn.crossed - drawn.first) ** 2).mean(axis=1).T
    alive = free[:, None] > 0
    still = np.divide(shared, free[:, None], out=np.ones_like(shared), where=alive)
    others = np.ones((len(free), len(columns)))
    others[match((1.0 - still).clip(0.0, 1.0))] = 0.0
    whole, leaked = others.T @ free, (others * moved).sum(axis=0)
    restricted = np.full(len(columns), float(alive.any()))
    np.divide(whole - leaked, whole, out=restricted, where=whole > 0)
    restricted = restricted.clip(0.0, 1.0)
    matrix = np.zeros((len(free), len(sampler.space.sizes)))
    matrix[:, columns] = np.divide(moved, free[:, None], out=np.zeros_like(moved), where=alive)
    parts = {str(column): float(value) for column, value in zip(columns, restricted, strict=True)}
    return Score(float(restricted.mean()), parts, matrix)
