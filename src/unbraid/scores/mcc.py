"""Mean correlation coefficient: does each factor have a latent of its own that is correlated with it?

References:
    Hyvärinen and Morioka, "Unsupervised feature extraction by time-contrastive learning and nonlinear ICA",
    NeurIPS 2016, arXiv:1605.06336.
    Khemakhem, Monti, Kingma and Hyvärinen, "ICE-BeeM: identifiable conditional energy-based deep models based on
    nonlinear ICA", NeurIPS 2020, arXiv:2002.11537 (strong and weak).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy.stats import rankdata

from unbraid.errors import InvalidOption
from unbraid.info.matching import match
from unbraid.score import Codes, Factors, Score, score, varying
from unbraid.types import Floats

__all__ = ["mcc"]

Correlation: TypeAlias = Literal["pearson", "spearman"]
Identifiability: TypeAlias = Literal["strong", "weak"]


@score(
    reference="Hyvärinen and Morioka, NeurIPS 2016, arXiv:1605.06336",
    citation=r"""@inproceedings{hyvarinen2016unsupervised,
  title = {Unsupervised Feature Extraction by Time-Contrastive Learning and Nonlinear {ICA}},
  author = {Hyv{\"a}rinen, Aapo and Morioka, Hiroshi},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2016}
}""",
)
def mcc(
    codes: Codes,
    factors: Factors,
    *,
    correlation: Correlation = "pearson",
    identifiability: Identifiability = "strong",
) -> Score:
    r"""Mean correlation coefficient: the mean absolute correlation of factors with the latents matched to them.

    .. math:: \frac1F \max_\pi \sum_f \left| \mathrm{corr}(z_{\pi(f)}, v_f) \right|

    over the assignments :math:`\pi` of different latents to factors (the Hungarian method). The weak form asks for the
    factors only up to an invertible linear map: the correlations are the canonical ones of latents and factors, so that
    a rotation costs nothing. With ``spearman`` all numbers are replaced by their ranks first, so that a monotone warp
    costs nothing.

    The values of a factor are taken as numbers. A factor with a single value is left out and named in
    ``settings["constant_factors"]``; a latent that does not vary is correlated with nothing. Factors beyond the number
    of latents count as 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        correlation: ``"pearson"``, or ``"spearman"`` for ranks.
        identifiability: Which form is the value, ``"strong"`` or ``"weak"``; both are parts.

    Returns:
        The mean in [0, 1]; the correlation of each factor's latent with it, ``strong`` and ``weak`` as parts; absolute
        correlations, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is unknown.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    >>> print(mcc(factors @ [[1, 1], [1, -1]], factors))
    mcc 0.707 (0 0.707, 1 0.707, strong 0.707, weak 1.000)
    """
    if correlation not in ("pearson", "spearman"):
        raise InvalidOption(f"correlation must be 'pearson' or 'spearman', but is {correlation!r}")
    if identifiability not in ("strong", "weak"):
        raise InvalidOption(f"identifiability must be 'strong' or 'weak', but is {identifiability!r}")
    columns = varying(factors)
    alive = np.flatnonzero(np.ptp(codes, axis=0) > 0)
    latents, targets = codes[:, alive], factors[:, columns].astype(np.float64)
    if correlation == "spearman":
        latents, targets = rankdata(latents, axis=0), rankdata(targets, axis=0)
    latents, targets = _standardised(latents), _standardised(targets)
    related = np.abs(latents.T @ targets).clip(max=1.0)
    own = np.zeros(len(columns))
    rows, matched = match(related)
    own[matched] = related[rows, matched]
    parts = {str(column): float(value) for column, value in zip(columns, own, strict=True)}
    parts["strong"] = float(own.mean())
    parts["weak"] = _canonical(latents, targets) / len(columns)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[np.ix_(alive, columns)] = related
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(parts[identifiability], parts, matrix, {"constant_factors": constant})


def _standardised(array: Floats) -> Floats:
    """Columns of mean 0 and length 1."""
    centred = (array - array.mean(axis=0)) / np.maximum(np.ptp(array, axis=0), 1e-300)
    return np.asarray(centred / np.sqrt((centred**2).sum(axis=0)))


def _canonical(latents: Floats, targets: Floats) -> float:
    """The sum of the canonical correlations of two sets of columns: the cosines between the spaces they span."""
    if latents.shape[1] == 0:
        return 0.0
    spans = []
    for columns in (latents, targets):
        left, size, _ = np.linalg.svd(columns, full_matrices=False)
        spans.append(left[:, size > 1e-10 * size[0]])
    cosines = np.linalg.svd(spans[0].T @ spans[1], compute_uv=False)
    return float(cosines.clip(max=1.0).sum())
