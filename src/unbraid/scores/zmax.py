"""Z-max: when one factor varies and all others stay, is it told by the latent that varies most?

References:
    Kim, Wang, Sahu and Pavlovic, "Relevance factor VAE: learning and identifying disentangled factors", 2019,
    arXiv:1902.01568.
    Carbonneau, Zaidi, Boilard and Gagnon, "Measuring disentanglement: a review of metrics", IEEE TNNLS 2022,
    arXiv:2012.09276 (which named it Z-max).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.alive import alive
from unbraid.info.interventions import free_factors
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator

__all__ = ["zmax"]


@score(
    needs="sampler",
    reference="Kim et al., 2019, arXiv:1902.01568",
    citation=r"""@article{kim2019relevance,
  title = {Relevance Factor {VAE}: Learning and Identifying Disentangled Factors},
  author = {Kim, Minyoung and Wang, Yuting and Sahu, Pritish and Pavlovic, Vladimir},
  journal = {arXiv preprint arXiv:1902.01568},
  year = {2019}
}""",
)
def zmax(
    sampler: Sampler,
    *,
    votes: int = 300,
    batch: int = 16,
    threshold: float = 0.05,
    seed: int = 0,
) -> Score:
    r"""How often the latent that varies most, when one factor is free, names that factor.

    The FactorVAE score turned round: a batch of codes shares all factors but one, and votes for

    .. math:: \arg\max_d \frac{\mathrm{Var}(z_d \text{ in the batch})}{\mathrm{Var}(z_d)}

    On two thirds of the votes each latent is given to the factor it is voted for most often; the score is the share of
    the remaining votes that this names rightly. It is the stricter of the two where a factor is spread over latents
    that others move too, and like it does not see one factor in two latents. Chance is 1 / F.

    Factors of one value are left out, as are latents whose standard deviation is below ``threshold``; with none left
    the score is 0. A batch in which nothing varies votes for nothing and names nothing.

    Args:
        sampler: The factors and their representation.
        votes: How many batches, at least 3.
        batch: How many codes in each, at least 2.
        threshold: The least standard deviation of a latent that counts, at least 0.
        seed: Draws the votes; at least 0.

    Returns:
        The share in [0, 1]; that of each factor's votes as a part.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> float(zmax(Sampler(space, lambda factors: factors.astype(float))))
    1.0
    """
    require_at_least(3, votes=votes)
    require_at_least(2, batch=batch)
    require_at_least(0, threshold=threshold, seed=seed)
    space, generator = sampler.space, numpy_generator(seed, "votes")
    columns = free_factors(space)
    # Every factor as often as the others, in training and in testing.
    freed = np.arange(votes) % len(columns)
    values = np.repeat(space.sample(votes, generator)[:, None], batch, axis=1)
    anew = space.sample(votes * batch, generator).reshape(values.shape)
    own = columns[freed]
    values[np.arange(votes), :, own] = anew[np.arange(votes), :, own]
    batches = as_codes(sampler.represent(values.reshape(-1, len(space.sizes))), "the sampler's codes")
    overall = sampler.codes(max(1000, batch), generator)
    living = alive(np.concatenate([batches, overall]))
    batches = batches.reshape(votes, batch, -1)
    variance = overall.var(axis=0, ddof=1)
    living &= (variance > 0) & (np.sqrt(variance) >= threshold)
    right = np.zeros(votes, dtype=bool)
    trained = np.arange(votes) < 2 * votes // 3
    if living.any():
        winner = (batches[:, :, living].var(axis=1, ddof=1) / variance[living]).argmax(axis=1)
        moved = (np.ptp(batches[:, :, living], axis=1) > 0).any(axis=1)
        tally = np.zeros((int(living.sum()), len(columns)))
        np.add.at(tally, (winner[trained & moved], freed[trained & moved]), 1.0)
        right = moved & (tally.argmax(axis=1)[winner] == freed)
    parts = {}
    for place, column in enumerate(columns):
        mine = right[~trained & (freed == place)]
        parts[str(column)] = float(mine.mean()) if len(mine) else 0.0
    return Score(float(right[~trained].mean()), parts)
