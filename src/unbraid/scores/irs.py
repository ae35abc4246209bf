"""The interventional robustness score: does a latent stay where it is while other factors change?

References:
    Suter, Miladinović, Schölkopf and Bauer, "Robustly disentangled causal mechanisms: validating deep representations
    for interventional robustness", ICML 2019, arXiv:1811.00007.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.discrete import discretise
from unbraid.score import Codes, Factors, Score, score, varying
from unbraid.types import Floats, Integers

__all__ = ["irs"]


@score(
    lowest=-1.0,
    reference="Suter et al., ICML 2019, arXiv:1811.00007",
    citation=r"""@inproceedings{suter2019robustly,
  title = {Robustly Disentangled Causal Mechanisms: Validating Deep Representations for Interventional Robustness},
  author = {Suter, Raphael and Miladinovi{\'c}, {\DJ}or{\dj}e and Sch{\"o}lkopf, Bernhard and Bauer, Stefan},
  booktitle = {International Conference on Machine Learning},
  year = {2019}
}""",
)
def irs(codes: Codes, factors: Factors, *, quantile: float = 0.99, bins: int | None = 20) -> Score:
    r"""How little a latent moves when its own factor stays and all others change.

    Among the samples of one value v of a factor f, latent d strays from its mean there by at most
    :math:`\delta_{dfv}` (a quantile in place of the maximum). With :math:`M_d` its greatest deviation of all,

    .. math:: R_{df} = 1 - \frac{1}{K_f} \sum_v \frac{\delta_{dfv}}{M_d}, \qquad
        \mathrm{IRS} = \sum_d \frac{M_d}{\sum_{d'} M_{d'}} \max_f R_{df}

    Noise is far from 0: with the factors of dSprites it has 0.38. The weights make it depend on the scale of latents.

    A dead latent has no weight; with no other the value is 0. A factor with a single value is left out and named in
    ``settings["constant_factors"]``.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        quantile: Which quantile of the deviations stands for the greatest, in (0, 1]; 1 in the paper, 0.99 in the
            reference.
        bins: How many bins of equal width the values of a factor are put into beforehand, at least 2, as in the
            reference; None, as in the paper, takes them as they are.

    Returns:
        The weighted mean, at most 1; R, latents x factors, as the matrix, 0 where it is left out.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(irs(factors, factors))
    irs 1.000
    """
    if not 0 < quantile <= 1:
        raise InvalidOption(f"quantile must be above 0 and at most 1, but is {quantile}")
    if bins is not None:
        require_at_least(2, bins=bins)
    columns = varying(factors)
    values = factors if bins is None else discretise(factors, bins)
    greatest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    living = np.ptp(codes, axis=0) > 0
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    settings = {"constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()}
    if not living.any():
        return Score(0.0, matrix=matrix, settings=settings)
    for column in columns:
        strayed = _strayed(codes[:, living], values[:, column], quantile)
        matrix[living, column] = 1.0 - strayed / greatest[living]
    robust = matrix[:, columns][living].max(axis=1)
    return Score(float(np.average(robust, weights=greatest[living])), matrix=matrix, settings=settings)


def _strayed(codes: Floats, values: Integers, quantile: float) -> Floats:
    """How far each latent strays from its mean among samples of one value, ``(D,)``, averaged over values."""
    order = np.argsort(values, kind="stable")
    begins = np.append(0, np.flatnonzero(np.diff(values[order])) + 1)
    sizes = np.diff(begins, append=len(values))
    rows = np.take(codes.T, order, axis=1)
    far = np.abs(rows - np.repeat(np.add.reduceat(rows, begins, axis=1) / sizes, sizes, axis=1))
    strayed = [_quantile(far[:, begin : begin + size], quantile) for begin, size in zip(begins, sizes, strict=True)]
    return np.asarray(np.mean(strayed, axis=0))


def _quantile(rows: Floats, quantile: float) -> Floats:
    """``np.quantile(rows, quantile, axis=1)``, which has much to do besides for so few numbers."""
    place = quantile * (rows.shape[1] - 1)
    below = min(int(place), max(rows.shape[1] - 2, 0))
    ranked = np.partition(rows, (below, min(below + 1, rows.shape[1] - 1)), axis=1)
    low, high = ranked[:, below], ranked[:, min(below + 1, rows.shape[1] - 1)]
    return np.asarray(low + (place - below) * (high - low))
