"""The FactorVAE score: is a factor that is held fixed named by the latent that varies least?

References:
    Kim and Mnih, "Disentangling by factorising", ICML 2018, arXiv:1802.05983.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the numbers of batches, and the threshold for latents that do not count).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.alive import alive
from unbraid.info.interventions import free_factors
from unbraid.score import Sampler, Score, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["factorvae_score"]

AT_ONCE = 2**17


@score(
    needs="sampler",
    reference="Kim and Mnih, ICML 2018, arXiv:1802.05983",
    citation=r"""@inproceedings{kim2018disentangling,
  title = {Disentangling by Factorising},
  author = {Kim, Hyunjik and Mnih, Andriy},
  booktitle = {International Conference on Machine Learning},
  year = {2018}
}""",
)
def factorvae_score(
    sampler: Sampler,
    *,
    train: int = 10_000,
    evaluation: int = 5_000,
    batch: int = 64,
    variance: int = 10_000,
    threshold: float = 0.05,
    seed: int = 0,
) -> Score:
    r"""How often the latent that varies least, when one factor is held fixed, names that factor.

    The codes of a batch share the value of a factor k, and vote for the latent

    .. math:: d^* = \arg\min_d \frac{\mathrm{Var}(z_d \text{ in the batch})}{\mathrm{Var}(z_d)}

    Each latent is given to the factor it is voted for most often, and the score is the share of other votes that this
    names rightly. One factor in several latents costs nothing. Chance is 1 / F.

    Latents whose standard deviation is below ``threshold`` do not count, nor does a dead one; with none left the score
    is 0. Factors of one value are not held.

    Args:
        sampler: The factors and their representation.
        train: How many votes decide which factor a latent stands for, at least 1.
        evaluation: How many votes are judged, at least 1.
        batch: Codes in a batch, at least 2.
        variance: How many codes the overall variance is taken over, at least 2.
        threshold: The least standard deviation of a latent that counts, in the codes' own unit, at least 0.
        seed: Draws everything; at least 0.

    Returns:
        The share in [0, 1]; ``train`` (on the votes that decided) as a part; how often each factor's batches voted for
        each latent among the judged, latents x factors, as the matrix.

    Raises:
        InvalidData: When fewer than two factors vary, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> float(factorvae_score(Sampler(space, lambda factors: factors.astype(float)), train=100, evaluation=50))
    1.0
    """
    require_at_least(1, train=train, evaluation=evaluation)
    require_at_least(2, batch=batch, variance=variance)
    require_at_least(0, threshold=threshold, seed=seed)
    columns = free_factors(sampler.space, least=2)
    generator = numpy_generator(seed, "fixed factors")
    codes = sampler.codes(variance, generator)
    overall, living = codes.var(axis=0, ddof=1), alive(codes)
    counting = np.flatnonzero(living & (np.sqrt(overall) >= threshold))
    fixed = generator.choice(columns, train + evaluation)
    settings = {
        "active_latents": len(counting),
        "dead_latents": np.flatnonzero(~living).tolist(),
        "constant_factors": np.setdiff1d(np.arange(len(sampler.space.sizes)), columns).tolist(),
    }
    if len(counting) == 0:
        empty = np.zeros((codes.shape[1], len(sampler.space.sizes)))
        return Score(0.0, {"train": 0.0}, empty, settings)
    winner = counting[_steadiest(sampler, fixed, batch, generator, overall, counting)]
    tallies = np.zeros((2, codes.shape[1], len(sampler.space.sizes)))
    np.add.at(tallies, ((np.arange(len(fixed)) >= train).astype(np.int64), winner, fixed), 1.0)
    stands_for = tallies[0].argmax(axis=1)
    right = tallies[:, np.arange(codes.shape[1]), stands_for].sum(axis=1) / [train, evaluation]
    return Score(float(right[1]), {"train": float(right[0])}, tallies[1], settings)


def _steadiest(
    sampler: Sampler, fixed: Integers, batch: int, generator: np.random.Generator, overall: Floats, counting: Integers
) -> Integers:
    """Which of the latents that count varies least in each batch, relative to its overall variance."""
    found = []
    for part in np.array_split(fixed, -(-batch * len(fixed) // AT_ONCE)):
        codes = sampler.alike(part, batch, generator)
        codes = codes - (np.full(batch, 1.0 / batch) @ codes)[:, None]
        # As fast as a variance can be: n - 1 is the same for every latent, and the least is all that is asked.
        local = np.einsum("bnd,bnd->bd", codes, codes)[:, counting]
        found.append((local / overall[counting]).argmin(axis=1))
    return np.concatenate(found)
