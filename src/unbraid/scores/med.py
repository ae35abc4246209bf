"""MED: disentanglement by mutual information, without a predictor.

References:
    Cao, Nai, Yang, Huang and Gao, "An empirical study on disentanglement of negative-free contrastive learning",
    NeurIPS 2022, arXiv:2206.04756.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.discrete import discretise, mutual_information
from unbraid.info.importance import completeness, concentration, disentanglement
from unbraid.score import Codes, Factors, Score, score, varying
from unbraid.types import Floats, Integers

__all__ = ["med"]


@score(
    reference="Cao et al., NeurIPS 2022, arXiv:2206.04756",
    citation=r"""@inproceedings{cao2022empirical,
  title = {An Empirical Study on Disentanglement of Negative-free Contrastive Learning},
  author = {Cao, Jinkun and Nai, Ruiqian and Yang, Qing and Huang, Jialei and Gao, Yang},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022}
}""",
)
def med(codes: Codes, factors: Factors, *, bins: int = 20, top: int | None = None) -> Score:
    r"""Mutual-information-based entropy disentanglement: DCI with information in place of a predictor's importance.

    With :math:`R_{jf} = I(z_j; v_f) / \sum_{j'} I(z_{j'}; v_f)`,

    .. math:: D = \sum_j \rho_j \, (1 - H_F(R_{j \cdot})), \qquad C = \sum_f \rho_f \, (1 - H_J(R_{\cdot f}))

    where :math:`H_b` is the entropy of the normalised row or column to base b, and :math:`\rho` its share of the sum of
    R. It is quick and has nothing to train; counted in bins, noise shares a little with everything, which keeps many
    wide latents below 1.

    Top-k MED looks, for every factor, at the k most disentangled of the latents that know it best, and so compares wide
    representations with narrow ones.

    A factor with a single value is left out and named in ``settings["constant_factors"]``; a latent that does not vary
    is left out.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins of equal width a latent is cut into, at least 2.
        top: The k of top-k MED, at least 1, or None for all latents.

    Returns:
        Disentanglement in [0, 1]; the parts ``disentanglement`` and ``completeness``; R, latents x factors, as the
        matrix, 0 where it is left out.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2 or ``top`` below 1.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(med(factors, factors))
    med 1.000 (disentanglement 1.000, completeness 1.000)
    """
    require_at_least(2, bins=bins)
    if top is not None and top < 1:
        raise InvalidOption(f"top must be at least 1, or None for all latents, but is {top}")
    columns = varying(factors)
    alive = np.flatnonzero(np.ptp(codes, axis=0) > 0)
    known = mutual_information(discretise(codes, bins), factors[:, columns])[alive]
    total = known.sum(axis=0)
    share = np.divide(known, total, out=np.zeros_like(known), where=total > 0)
    chosen = np.arange(len(alive)) if top is None else _purest(share, top)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[np.ix_(alive[chosen], columns)] = share[chosen]
    parts = {"disentanglement": 0.0, "completeness": 0.0}
    if len(chosen):
        parts = {"disentanglement": disentanglement(share[chosen]), "completeness": completeness(share[chosen])}
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(parts["disentanglement"], parts, matrix, {"constant_factors": constant})


def _purest(share: Floats, top: int) -> Integers:
    """The latents that are among the ``top`` most disentangled of those that know the same factor best."""
    order = np.argsort(-concentration(share), kind="stable")
    home = share.argmax(axis=1)[order]
    rank = np.array([np.count_nonzero(home[:place] == factor) for place, factor in enumerate(home)], dtype=np.int64)
    return np.sort(order[rank < top])
