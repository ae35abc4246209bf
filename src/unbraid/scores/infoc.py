"""InfoC, compactness of InfoMEC: is each factor known to one latent only?

References:
    Hsu, Dorrell, Whittington, Wu and Finn, "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.infomec import active_latents, dominance, entropy_shares
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["infoc"]


@score(
    reference="Hsu et al., NeurIPS 2023, arXiv:2305.18378",
    citation=r"""@inproceedings{hsu2023disentanglement,
  title = {Disentanglement via Latent Quantization},
  author = {Hsu, Kyle and Dorrell, Will and Whittington, James C. R. and Wu, Jiajun and Finn, Chelsea},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023}
}""",
)
def infoc(
    codes: Codes,
    factors: Factors,
    *,
    discrete: bool = False,
    neighbours: int = 10,
    least: float = 0.05,
    seed: int = 0,
) -> Score:
    r"""Compactness: how far each factor is ruled by one active latent, averaged over factors.

    With :math:`M_{df} = I(z_d; v_f) / H(v_f)` judged by nearest neighbours, over the active latents A,

    .. math:: \frac{1}{1 - 1/|A|} \left( \frac1F \sum_f \frac{\max_{d \in A} M_{df}}{\sum_{d \in A} M_{df}} -
        \frac1{|A|} \right)

    A factor held by two latents alike has 0 when there are no others. Read it with explicitness: noise has about a
    third.

    A factor with a single value is left out and named in ``settings["constant_factors"]``; one that no latent knows
    counts as 0. With a single active latent, a factor it knows anything of is compact.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        discrete: Whether latents take few values, as quantised ones do: information is then counted, and every latent
            that varies is active.
        neighbours: How many neighbours of its own class are looked for around a sample, at least 1.
        least: A latent is active when its range is more than this share of the widest one's, at least 0.
        seed: Draws the dust that parts equal codes; at least 0.

    Returns:
        Compactness in [0, 1], 0 when no latent is active; that of each factor as a part; M, latents x factors, as the
        matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.random.default_rng(0).integers(0, 5, size=(500, 2))
    >>> float(infoc(factors, factors)) > 0.95
    True
    """
    require_at_least(1, neighbours=neighbours)
    require_at_least(0, seed=seed, least=least)
    columns = varying(factors)
    shares = entropy_shares(codes, factors[:, columns], discrete=discrete, neighbours=neighbours, seed=seed)
    active = active_latents(codes, least=0.0 if discrete else least)
    ruled = dominance(shares[active].T) if len(active) else np.zeros(len(columns))
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = shares
    parts = {str(column): float(share) for column, share in zip(columns, ruled, strict=True)}
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(float(ruled.mean()), parts, matrix, {"constant_factors": constant, "active_latents": len(active)})
