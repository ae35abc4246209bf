"""Disentanglement, completeness and informativeness: which latents do boosted trees read each factor from?

References:
    Eastwood and Williams, "A framework for the quantitative evaluation of disentangled representations", ICLR 2018.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the form with boosted trees computed here).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.boosting import Trees, boost
from unbraid.info.importance import completeness, disentanglement
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Integers

__all__ = ["dci"]


@score(
    reference="Eastwood and Williams, ICLR 2018",
    citation=r"""@inproceedings{eastwood2018framework,
  title = {A Framework for the Quantitative Evaluation of Disentangled Representations},
  author = {Eastwood, Cian and Williams, Christopher K. I.},
  booktitle = {International Conference on Learning Representations},
  year = {2018}
}""",
)
def dci(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    trees: Trees = "lightgbm",
    seed: int = 0,
) -> Score:
    r"""Disentanglement (the value), completeness and informativeness, from the latents that boosted trees use.

    With :math:`R_{df}` the importance of latent d for factor f, each column summing to 1:

    .. math:: D = \sum_d \rho_d \, (1 - H_F(R_{d \cdot})), \qquad C = \sum_f \rho_f \, (1 - H_D(R_{\cdot f}))

    where :math:`H_b` is the entropy of the normalised row or column to base b, and :math:`\rho` its share of the sum of
    R. Informativeness is the share of test samples whose factor value the trees name, averaged over factors.

    The value depends on the trees and grows with the number of samples: compare only what was computed alike. A factor
    with a single value in the samples learned from cannot be learned: its column is 0, it is left out of every mean and
    of F, and it is named in ``settings["constant_factors"]``. With one factor every latent in use is disentangled, and
    with one latent every factor in use is complete.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        trees: ``"lightgbm"``, or ``"original"`` for scikit-learn's, as in the reference: :mod:`unbraid.info.boosting`.
        seed: Draws the samples held out, and decides ties in ``"original"``; at least 0.

    Returns:
        Disentanglement in [0, 1]; the parts ``disentanglement``, ``completeness``, ``informativeness`` and
        ``informativeness_train``; the importance, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When ``trees`` is unknown, or LightGBM cannot be loaded.

    >>> factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    >>> print(dci(factors, factors))
    dci 1.000 (disentanglement 1.000, completeness 1.000, informativeness 1.000, informativeness_train 1.000)
    """
    require_at_least(0, seed=seed)
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    learned = [boost(codes, factors[:, column], test_codes, trees=trees, seed=seed) for column in columns]
    importance = np.stack([factor.importance for factor in learned], axis=1)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = importance
    parts = {
        "disentanglement": disentanglement(importance),
        "completeness": completeness(importance),
        "informativeness": _accuracy([factor.test_answers for factor in learned], test_factors[:, columns]),
        "informativeness_train": _accuracy([factor.answers for factor in learned], factors[:, columns]),
    }
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(parts["disentanglement"], parts, matrix, settings)


def _accuracy(answers: list[Integers], factors: Integers) -> float:
    return float(np.mean(np.stack(answers, axis=1) == factors))
