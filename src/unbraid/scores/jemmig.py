"""JEMMIG: is each factor one latent, no more and no less?

References:
    Do and Tran, "Theory and evaluation metrics for learning disentangled representations", ICLR 2020, arXiv:1908.09961.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.info.importance import gaps
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["jemmig"]


@score(
    reference="Do and Tran, ICLR 2020, arXiv:1908.09961",
    citation=r"""@inproceedings{do2020theory,
  title = {Theory and Evaluation Metrics for Learning Disentangled Representations},
  author = {Do, Kien and Tran, Truyen},
  booktitle = {International Conference on Learning Representations},
  year = {2020}
}""",
)
def jemmig(codes: Codes, factors: Factors, *, bins: int = 20) -> Score:
    r"""Joint entropy minus mutual information gap, normalised: is the best latent of a factor nothing but that factor?

    .. math:: \frac1F \sum_f \left( 1 - \frac{H(z_{(1)}, v_f) - I(z_{(1)}; v_f) + I(z_{(2)}; v_f)}
        {H(v_f) + \log B} \right)

    with B bins of equal width, and :math:`z_{(1)}, z_{(2)}` the latents that know most and second most of the factor.
    The mutual information gap says nothing of what else the best latent holds; the joint entropy does, so that a merged
    latent and a noisy one both cost.

    A factor that no latent knows anything of scores 0 (the formula, taken at its word, would give a constant latent
    about a half). A factor with a single value is left out and named in ``settings["constant_factors"]``. With a single
    latent the second best is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins B a latent is cut into, at least 2.

    Returns:
        The mean in [0, 1]; each factor's share as a part; the mutual information in nats, latents x factors, as the
        matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(jemmig(factors, factors), jemmig(np.zeros((12, 2)), factors))
    jemmig 1.000 (0 1.000, 1 1.000) jemmig 0.000 (0 0.000, 1 0.000)
    """
    require_at_least(2, bins=bins)
    columns = varying(factors)
    labels = discretise(codes, bins)
    information = mutual_information(labels, factors)
    known, factor_entropy = information[:, columns], entropy(factors)[columns]
    best = known.argmax(axis=0)
    most = known.max(axis=0)
    joint = entropy(labels)[best] + factor_entropy - most
    shares = 1.0 - (joint - gaps(known)) / (factor_entropy + math.log(bins))
    shares = np.where(most > 0, shares, 0.0).clip(0.0, 1.0)
    parts = {str(column): float(share) for column, share in zip(columns, shares, strict=True)}
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(float(shares.mean()), parts, information, {"constant_factors": constant})
