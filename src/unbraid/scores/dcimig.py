"""DCIMIG: does each factor have a latent that knows it and it alone?

References:
    Sepliarskaia, Kiseleva and de Rijke, "How to not measure disentanglement", 2019, arXiv:1910.05587 (there 3CharM).
    Carbonneau, Zaidi, Boilard and Gagnon, "Measuring disentanglement: a review of metrics", IEEE TNNLS 2022,
    arXiv:2012.09276 (which named it DCIMIG).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.info.importance import gaps
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["dcimig"]


@score(
    reference="Sepliarskaia et al., 2019, arXiv:1910.05587",
    citation=r"""@article{sepliarskaia2019measure,
  title = {How to Not Measure Disentanglement},
  author = {Sepliarskaia, Anna and Kiseleva, Julia and de Rijke, Maarten},
  journal = {arXiv preprint arXiv:1910.05587},
  year = {2019}
}""",
)
def dcimig(codes: Codes, factors: Factors, *, bins: int = 20) -> Score:
    r"""Gaps of latents, gathered by factors: how much of each factor a latent knows that knows no other.

    A latent j stands for the factor it knows best, by as much as it knows that better than the second best,
    :math:`g_j = I(z_j; v_{(1)}) - I(z_j; v_{(2)})`. A factor has the largest g among the latents that stand for
    it, or 0:

    .. math:: \frac{\sum_f \max_{j \to f} g_j}{\sum_f H(v_f)}

    A factor held twice is not punished; two factors merged in one latent are.

    A factor with a single value is left out and named in ``settings["constant_factors"]``. With a single factor the
    second best is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        bins: How many bins of equal width a latent is cut into, at least 2.

    Returns:
        The share in [0, 1]; each factor's own share of its entropy as a part; the gaps g in nats, latents x factors, as
        the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When ``bins`` is below 2.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    >>> print(dcimig(factors, factors))
    dcimig 1.000 (0 1.000, 1 1.000)
    """
    require_at_least(2, bins=bins)
    columns = varying(factors)
    known = mutual_information(discretise(codes, bins), factors[:, columns])
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[np.arange(len(known)), columns[known.argmax(axis=1)]] = gaps(known.T)
    held, whole = matrix.max(axis=0)[columns], entropy(factors)[columns]
    parts = {str(column): float(share) for column, share in zip(columns, held / whole, strict=True)}
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(float(held.sum() / whole.sum()), parts, matrix, {"constant_factors": constant})
