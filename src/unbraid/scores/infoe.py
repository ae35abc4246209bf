"""InfoE, explicitness of InfoMEC: can each factor be read from the latents by a linear map?

References:
    Hsu, Dorrell, Whittington, Wu and Finn, "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.info.infomec import equal_values
from unbraid.info.softmax import linear_cross_entropy
from unbraid.score import Codes, Factors, Score, score, varying
from unbraid.types import Floats

__all__ = ["infoe"]


@score(
    reference="Hsu et al., NeurIPS 2023, arXiv:2305.18378",
    citation=r"""@inproceedings{hsu2023disentanglement,
  title = {Disentanglement via Latent Quantization},
  author = {Hsu, Kyle and Dorrell, Will and Whittington, James C. R. and Wu, Jiajun and Finn, Chelsea},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023}
}""",
)
def infoe(codes: Codes, factors: Factors, *, discrete: bool = False) -> Score:
    r"""Explicitness: the share of each factor's uncertainty that a linear reading of all latents removes.

    .. math:: \frac1F \sum_f \frac{H(v_f) - H_{\mathrm{linear}}(v_f \mid z)}{H(v_f)}

    where both entropies are cross-entropies of a softmax regression without penalty, all classes weighing alike, on
    the samples it is fitted to: of the latents, and of a constant, which leaves :math:`\log K`. Any rotation of the
    latents leaves it as it is.

    A factor with a single value is left out and named in ``settings["constant_factors"]``.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        discrete: Whether latents take few values, as quantised ones do: each value is then read on its own.

    Returns:
        The mean share in [0, 1], and that of each factor as a part.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.

    >>> factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    >>> float(infoe(factors @ [[1, 1], [1, -1]], factors)) > 0.95
    True
    """
    columns = varying(factors)
    inputs = _indicators(codes) if discrete else codes
    parts = {}
    for column in columns:
        whole = math.log(len(np.unique(factors[:, column])))
        left = linear_cross_entropy(inputs, factors[:, column])
        parts[str(column)] = float(np.clip(1.0 - left / whole, 0.0, 1.0))
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(float(np.mean(list(parts.values()))), parts, None, {"constant_factors": constant})


def _indicators(codes: Floats) -> Floats:
    """A column for every value of every latent, 1 where the latent has it."""
    return np.hstack([np.eye(column.max() + 1)[column] for column in equal_values(codes).T])
