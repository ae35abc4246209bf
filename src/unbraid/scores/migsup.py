"""MIG-sup: does each latent know one factor much better than any other?

References:
    Li, Murkute, Gyawali and Wang, "Progressive learning and disentanglement of hierarchical representations",
    ICLR 2020, arXiv:2002.10549.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.info.importance import gaps
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["migsup"]


@score(
    reference="Li et al., ICLR 2020, arXiv:2002.10549",
    citation=r"""@inproceedings{li2020progressive,
  title = {Progressive Learning and Disentanglement of Hierarchical Representations},
  author = {Li, Zhiyuan and Murkute, Jaideep Vitthal and Gyawali, Prashnna Kumar and Wang, Linwei},
  booktitle = {International Conference on Learning Representations},
  year = {2020}
}""",
)
def migsup(codes: Codes, factors: Factors, *, bins: int = 20) -> Score:
    r"""MIG turned round: how much more a latent knows of its best factor than of the second best.

    .. math:: \frac1J \sum_j \left( \tilde I(z_j; v_{(1)}) - \tilde I(z_j; v_{(2)}) \right), \qquad
        \tilde I(z_j; v) = \frac{I(z_j; v)}{H(v)}

    over the latents j that vary. It finds what the mutual information gap cannot, two factors merged in one latent, and
    misses what that finds, one factor in two latents. Latents that vary without knowing anything count as 0.

    A factor with a single value is left out and named in ``settings["constant_factors"]``; a latent that does not vary
    carries nothing and is left out. With a single factor the second best is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins of equal width a latent is cut into, at least 2.

    Returns:
        The mean gap in [0, 1], 0 when no latent varies; the shares of entropy, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2.

    >>> factors = np.stack(np.meshgrid(np.arange(3), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(migsup(factors, factors), migsup(factors @ [[3], [1]], factors))
    migsup 1.000 migsup 0.000
    """
    require_at_least(2, bins=bins)
    columns = varying(factors)
    known = mutual_information(discretise(codes, bins), factors[:, columns]) / entropy(factors)[columns]
    alive = np.ptp(codes, axis=0) > 0
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = known
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    value = float(gaps(known[alive].T).mean()) if alive.any() else 0.0
    return Score(value, matrix=matrix, settings={"constant_factors": constant, "varying_latents": int(alive.sum())})
