"""InfoM, modularity of InfoMEC: does each latent know one factor only?

References:
    Hsu, Dorrell, Whittington, Wu and Finn, "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.infomec import active_latents, dominance, entropy_shares
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["infom"]


@score(
    reference="Hsu et al., NeurIPS 2023, arXiv:2305.18378",
    citation=r"""@inproceedings{hsu2023disentanglement,
  title = {Disentanglement via Latent Quantization},
  author = {Hsu, Kyle and Dorrell, Will and Whittington, James C. R. and Wu, Jiajun and Finn, Chelsea},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023}
}""",
)
def infom(
    codes: Codes,
    factors: Factors,
    *,
    discrete: bool = False,
    neighbours: int = 10,
    least: float = 0.05,
    seed: int = 0,
) -> Score:
    r"""Modularity: how far each active latent is ruled by one factor, averaged over latents.

    With :math:`M_{df} = I(z_d; v_f) / H(v_f)` judged by nearest neighbours,

    .. math:: \frac{1}{1 - 1/F} \left( \frac1{|A|} \sum_{d \in A} \frac{\max_f M_{df}}{\sum_f M_{df}} - \frac1F \right)

    over the active latents A. Two factors turned by 45 degrees have 0.5. Read it with explicitness: what little noise
    happens to share with one factor it may share with no other, so that noise alone has about a half.

    A factor with a single value is left out and named in ``settings["constant_factors"]``. A latent that knows nothing
    counts as 0. With a single factor, a latent that knows anything of it is modular.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        discrete: Whether latents take few values, as quantised ones do: information is then counted, and every latent
            that varies is active.
        neighbours: How many neighbours of its own class are looked for around a sample, at least 1.
        least: A latent is active when its range is more than this share of the widest one's, at least 0.
        seed: Draws the dust that parts equal codes; at least 0.

    Returns:
        Modularity in [0, 1], 0 when no latent is active; M, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.random.default_rng(0).integers(0, 5, size=(500, 2))
    >>> float(infom(factors, factors)) > 0.95
    True
    """
    require_at_least(1, neighbours=neighbours)
    require_at_least(0, seed=seed, least=least)
    columns = varying(factors)
    shares = entropy_shares(codes, factors[:, columns], discrete=discrete, neighbours=neighbours, seed=seed)
    active = active_latents(codes, least=0.0 if discrete else least)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = shares
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    value = float(dominance(shares[active]).mean()) if len(active) else 0.0
    return Score(value, matrix=matrix, settings={"constant_factors": constant, "active_latents": len(active)})
