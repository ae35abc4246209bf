"""The mutual information gap: is each factor known to one latent much better than to any other?

References:
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the discretised form computed here).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.info.importance import gaps
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["mig"]


@score(
    reference="Chen et al., NeurIPS 2018, arXiv:1802.04942",
    citation=r"""@inproceedings{chen2018isolating,
  title = {Isolating Sources of Disentanglement in Variational Autoencoders},
  author = {Chen, Ricky T. Q. and Li, Xuechen and Grosse, Roger B. and Duvenaud, David K.},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2018}
}""",
)
def mig(codes: Codes, factors: Factors, *, bins: int = 20) -> Score:
    r"""Mutual information gap: how much more of a factor the best latent knows than the second best.

    .. math:: \frac1F \sum_f \frac{I(z_{(1)}; v_f) - I(z_{(2)}; v_f)}{H(v_f)}

    with latents in bins of equal width and information counted in nats. A perfect representation does not reach 1 when
    a factor has more values than there are bins, and the value depends on ``bins``.

    A factor with a single value has no entropy: it is left out of the mean and named in
    ``settings["constant_factors"]``. With a single latent the second best is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins a latent is cut into, at least 2.

    Returns:
        The mean gap in [0, 1]; the gap of each factor as a part; the mutual information, latents x factors, as the
        matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(mig(factors, factors))
    mig 1.000 (0 1.000, 1 1.000)
    """
    require_at_least(2, bins=bins)
    columns = varying(factors)
    information = mutual_information(discretise(codes, bins), factors)
    shares = gaps(information)[columns] / entropy(factors)[columns]
    parts = {str(column): float(share) for column, share in zip(columns, shares, strict=True)}
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(float(np.mean(shares)), parts, information, {"constant_factors": constant})
