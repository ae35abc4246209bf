"""OMES: does each factor have one latent that no other factor moves, and no second latent?

References:
    Dapueto, Noceti and Odone, "Transferring disentangled representations: bridging the gap between synthetic and real
    images", NeurIPS 2024, arXiv:2409.18017.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.interventions import free_factors, pairs
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["omes"]


@score(
    needs="sampler",
    reference="Dapueto et al., NeurIPS 2024, arXiv:2409.18017",
    citation=r"""@inproceedings{dapueto2024transferring,
  title = {Transferring Disentangled Representations: Bridging the Gap between Synthetic and Real Images},
  author = {Dapueto, Jacopo and Noceti, Nicoletta and Odone, Francesca},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2024}
}""",
)
def omes(
    sampler: Sampler,
    *,
    alpha: float = 0.5,
    pairs_drawn: int = 1000,
    threshold: float = 0.05,
    seed: int = 0,
) -> Score:
    r"""Overlap and multiple encoding: what moves in the latents when one factor is drawn anew.

    With :math:`S_{df} = 1 - |\mathrm{corr}(z_d, z'_d)|` over pairs that share all factors but f (0 when the factor
    leaves the latent alone, 1 when it is all the latent holds), F factors and D latents,

    .. math:: \frac1F \sum_f \alpha \max_d S_{df} \Big( 1 - \tfrac1F \sum_{f'} |\delta_{ff'} - S_{df'}| \Big) +
        (1 - \alpha) \max_d S_{df} \Big( 1 - \tfrac1D \sum_{d'} |\delta_{dd'} - S_{d'f}| \Big)

    The first term falls when the factor's latent overlaps with other factors, the second when several latents encode
    the factor. The reference pairs only different values of the factor, so that a perfect latent of K values has a
    correlation of -1 / (K - 1), and one of two values scores 0; here values are drawn independently.

    Factors of one value are left out, as are latents whose standard deviation is below ``threshold``.

    Args:
        sampler: The factors and their representation.
        alpha: The weight of the first term, in [0, 1].
        pairs_drawn: How many pairs for each factor, at least 2.
        threshold: The least standard deviation of a latent that counts, at least 0.
        seed: Draws the pairs; at least 0.

    Returns:
        The mean in [0, 1], 0 when no latent counts; that of each factor, and the means of the two terms, ``overlap``
        and ``encoding``, as parts; S, latents x factors, as the matrix.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> float(omes(Sampler(space, lambda factors: factors.astype(float)))) > 0.9
    True
    """
    if not 0 <= alpha <= 1:
        raise InvalidOption(f"alpha must lie in [0, 1], but is {alpha}")
    require_at_least(2, pairs_drawn=pairs_drawn)
    require_at_least(0, threshold=threshold, seed=seed)
    columns = free_factors(sampler.space)
    drawn = pairs(
        lambda values: as_codes(sampler.represent(values), "the sampler's codes"),
        sampler.space,
        pairs_drawn,
        numpy_generator(seed, "pairs"),
    )
    both = np.concatenate([drawn.first, drawn.second])
    alive = np.flatnonzero((np.ptp(both, axis=0) > 0) & (both.std(axis=0, ddof=1) >= threshold))
    matrix = np.zeros((both.shape[1], len(sampler.space.sizes)))
    overlap = encoding = np.zeros(len(columns))
    if len(alive):
        first = drawn.first[:, alive]
        moved = np.stack([1.0 - np.abs(_correlation(first, other[:, alive])) for other in drawn.crossed], axis=1)
        # Of all entries of a row, the own one should be 1 and the others 0.
        astray = moved.sum(axis=1, keepdims=True) + 1.0 - 2.0 * moved
        overlap = (moved * (1.0 - astray / moved.shape[1])).max(axis=0)
        astray = moved.sum(axis=0) + 1.0 - 2.0 * moved
        encoding = (moved * (1.0 - astray / moved.shape[0])).max(axis=0)
        matrix[np.ix_(alive, columns)] = moved
    each = (alpha * overlap + (1.0 - alpha) * encoding).clip(0.0, 1.0)
    parts = {str(column): float(value) for column, value in zip(columns, each, strict=True)}
    parts |= {"overlap": float(overlap.mean()), "encoding": float(encoding.mean())}
    return Score(float(each.mean()), parts, matrix)


def _correlation(first: Floats, second: Floats) -> Floats:
    """Of each column with its counterpart; 1 where both are the same constant."""
    a, b = first - first.mean(axis=0), second - second.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    related = np.divide((a * b).sum(axis=0), size, out=np.ones(a.shape[1]), where=size > 0)
    return np.asarray(related.clip(-1.0, 1.0))
