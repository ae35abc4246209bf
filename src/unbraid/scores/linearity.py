"""Linearity: does a factor that goes through its values move the codes along a straight line, and along one axis?

References:
    Michlo, Klein and James, "Overlooked implications of the reconstruction loss for VAE disentanglement", IJCAI 2023,
    arXiv:2202.13341 (the author's library disent has the measure).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.infomec import dominance
from unbraid.info.interventions import traversals
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator

__all__ = ["linearity"]


@score(
    needs="sampler",
    reference="Michlo et al., IJCAI 2023, arXiv:2202.13341",
    citation=r"""@inproceedings{michlo2023overlooked,
  title = {Overlooked Implications of the Reconstruction Loss for {VAE} Disentanglement},
  author = {Michlo, Nathan and Klein, Richard and James, Steven},
  booktitle = {International Joint Conference on Artificial Intelligence},
  year = {2023}
}""",
)
def linearity(sampler: Sampler, *, repeats: int = 64, seed: int = 0) -> Score:
    r"""How nearly the codes lie on a line while one factor goes through its values and the others stay.

    With :math:`\lambda` the eigenvalues of the covariance of the D latents along a traversal,

    .. math:: \frac{1}{1 - 1/D} \left( \frac{\max_i \lambda_i}{\sum_i \lambda_i} - \frac1D \right)

    averaged over traversals, then over factors. With the variances of single latents in place of the eigenvalues it is
    the ``axis`` ratio, never larger, and their quotient the ``alignment``: a rotated representation is as linear as
    before and less aligned.

    Factors of one value are left out, as are latents that never vary. A traversal along which nothing moves counts as
    0. With a single latent, all that moves is linear. The reference's geometric mean over factors is the part
    ``geometric``; it is 0 as soon as one factor is in no latent.

    Args:
        sampler: The factors and their representation.
        repeats: How many traversals of each factor, at least 1.
        seed: Draws the values of the factors that stay; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor, ``axis``, ``alignment`` and ``geometric`` as parts.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When ``repeats`` is below 1.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> print(linearity(Sampler(space, lambda factors: factors @ np.array([[1.0, 1.0], [1.0, -1.0]]))))
    linearity 1.000 (0 1.000, 1 1.000, axis 0.000, alignment 0.000, geometric 1.000)
    """
    require_at_least(1, repeats=repeats)
    moved = traversals(
        lambda values: as_codes(sampler.represent(values), "the sampler's codes"),
        sampler.space,
        repeats,
        numpy_generator(seed, "traversals"),
    )
    rows = [codes.reshape(-1, codes.shape[-1]) for codes in moved.values()]
    alive = np.ptp(np.concatenate(rows), axis=0) > 0
    linear, axis, aligned = [], [], []
    for codes in moved.values():
        # From the first code first: the mean of equal numbers is not always that number.
        centred = codes[:, :, alive] - codes[:, :1, alive]
        centred = centred - centred.mean(axis=1, keepdims=True)
        variances = (centred**2).sum(axis=1)
        spectrum = np.zeros_like(variances)
        if alive.any():
            lengths = np.linalg.svd(centred, compute_uv=False)
            spectrum[:, : lengths.shape[1]] = lengths**2
            straight, along = dominance(spectrum), dominance(variances)
        else:
            straight = along = np.zeros(repeats)
        linear.append(straight.mean())
        axis.append(along.mean())
        aligned.append(np.divide(along, straight, out=np.zeros_like(along), where=straight > 0).clip(max=1.0).mean())
    parts = {str(column): float(value) for column, value in zip(moved, linear, strict=True)}
    parts |= {"axis": float(np.mean(axis)), "alignment": float(np.mean(aligned))}
    parts["geometric"] = float(np.exp(np.mean(np.log(linear)))) if min(linear) > 0 else 0.0
    return Score(float(np.mean(linear)), parts)
