"""Modularity: does each latent know one factor only?

References:
    Ridgeway and Mozer, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS 2018,
    arXiv:1802.05312.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the discretisation).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, mutual_information
from unbraid.info.importance import purity
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["modularity"]


@score(
    reference="Ridgeway and Mozer, NeurIPS 2018, arXiv:1802.05312",
    citation=r"""@inproceedings{ridgeway2018learning,
  title = {Learning Deep Disentangled Embeddings With the F-Statistic Loss},
  author = {Ridgeway, Karl and Mozer, Michael C.},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2018}
}""",
)
def modularity(codes: Codes, factors: Factors, *, bins: int = 20, count_dead: bool = False) -> Score:
    r"""How nearly each latent shares information with one factor only.

    With :math:`m_{df} = I(z_d; v_f)` and f* the factor that latent d knows best,

    .. math:: \frac1D \sum_d \left( 1 - \frac{\sum_{f \ne f^*} m_{df}^2}{m_{df^*}^2 (F - 1)} \right)

    Noise shares a little with every factor by chance, most with the one of most values, and is far from 0: with the
    factors of dSprites it has 0.67.

    The reference counts a latent that shares nothing as 0; here a dead latent is left out unless ``count_dead``, since
    it would say how many latents there are. A factor with a single value is left out and named in
    ``settings["constant_factors"]``. With one factor every latent that knows of it is modular; with no latent that
    knows anything the value is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins of equal width a latent is cut into, at least 2.
        count_dead: Whether latents that share nothing count as 0 in the mean, as in the reference.

    Returns:
        The mean in [0, 1]; the mutual information, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    >>> print(modularity(factors, factors), modularity(factors @ [[4], [1]], factors))
    modularity 1.000 modularity 0.000
    """
    require_at_least(2, bins=bins)
    columns = varying(factors)
    information = mutual_information(discretise(codes, bins), factors)
    counted = np.full(len(information), True) if count_dead else np.ptp(codes, axis=0) > 0
    value = float(purity(information[:, columns])[counted].mean()) if counted.any() else 0.0
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(value, matrix=information, settings={"constant_factors": constant})
