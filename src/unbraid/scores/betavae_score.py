"""The beta-VAE score: can one tell which factor two sets of images share from how their codes differ?

References:
    Higgins et al., "beta-VAE: Learning basic visual concepts with a constrained variational framework", ICLR 2017.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the form with a softmax regression computed here).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.alive import alive
from unbraid.info.classify import logistic
from unbraid.info.interventions import free_factors
from unbraid.score import Sampler, Score, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["betavae_score"]

AT_ONCE = 2**17


@score(
    needs="sampler",
    reference="Higgins et al., ICLR 2017",
    citation=r"""@inproceedings{higgins2017beta,
  title = {beta-{VAE}: Learning Basic Visual Concepts with a Constrained Variational Framework},
  author = {Higgins, Irina and Matthey, Loic and Pal, Arka and Burgess, Christopher and Glorot, Xavier and Botvinick,
    Matthew and Mohamed, Shakir and Lerchner, Alexander},
  booktitle = {International Conference on Learning Representations},
  year = {2017}
}""",
)
def betavae_score(
    sampler: Sampler, *, train: int = 10_000, evaluation: int = 5_000, batch: int = 64, seed: int = 0
) -> Score:
    r"""How often the shared factor of a batch of pairs is told from how far their codes lie apart.

    All B pairs of a batch share a factor k, each pair its own value of it. A softmax regression learns k from

    .. math:: \frac1B \sum_{b=1}^{B} \left| z_b - z'_b \right|

    and the score is its accuracy on other batches. It is high for much that is not disentangled: a random linear
    mixture of all factors has nearly 1. Chance is 1 / F.

    Factors of one value are not shared; a dead latent is seen as 0.

    Args:
        sampler: The factors and their representation.
        train: How many batches are learned from, at least 1.
        evaluation: How many batches are judged by, at least 1.
        batch: Pairs in a batch, at least 1.
        seed: Draws the batches; at least 0.

    Returns:
        The accuracy in [0, 1]; ``train`` (on the batches learned from) as a part.

    Raises:
        InvalidData: When fewer than two factors vary, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> float(betavae_score(Sampler(space, lambda factors: factors.astype(float)), train=100, evaluation=50))
    1.0
    """
    require_at_least(1, train=train, evaluation=evaluation, batch=batch)
    require_at_least(0, seed=seed)
    columns = free_factors(sampler.space, least=2)
    generator = numpy_generator(seed, "shared factors")
    shared = generator.choice(columns, train + evaluation)
    apart, living = _distances(sampler, shared, batch, generator)
    learned = logistic(apart[:train], shared[:train], apart[train:])
    right = [float(np.mean(a == b)) for a, b in zip(learned.named(), np.split(shared, [train]), strict=True)]
    settings = {
        "dead_latents": np.flatnonzero(~living).tolist(),
        "constant_factors": np.setdiff1d(np.arange(len(sampler.space.sizes)), columns).tolist(),
    }
    return Score(right[1], {"train": right[0]}, settings=settings)


def _distances(
    sampler: Sampler, shared: Integers, batch: int, generator: np.random.Generator
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The mean absolute difference of each batch's pairs, ``(batches, D)``, and which latents are alive, ``(D,)``."""
    found, living = [], None
    for part in np.array_split(shared, -(-2 * batch * len(shared) // AT_ONCE)):
        codes = sampler.alike(np.repeat(part, batch), 2, generator)
        # The first hundred thousand codes or so say which latents are dead.
        living = alive(codes.reshape(-1, codes.shape[2])) if living is None else living
        apart = codes[:, 0] - codes[:, 1]
        # A product with a row of 1 / B is a mean, and takes a quarter of its time.
        found.append(np.full(batch, 1.0 / batch) @ np.abs(apart, out=apart).reshape(len(part), batch, -1))
    assert living is not None
    return np.where(living, np.concatenate(found), 0.0), living
