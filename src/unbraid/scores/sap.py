"""Separated attribute predictability: is each factor predicted by one latent much better than by any other?

References:
    Kumar, Sattigeri and Balakrishnan, "Variational inference of disentangled latent concepts from unlabeled
    observations", ICLR 2018, arXiv:1711.00848.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.importance import gaps
from unbraid.info.svm import single_latent_accuracy
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Floats, Integers

__all__ = ["sap"]


@score(
    reference="Kumar et al., ICLR 2018, arXiv:1711.00848",
    citation=r"""@inproceedings{kumar2018variational,
  title = {Variational Inference of Disentangled Latent Concepts from Unlabeled Observations},
  author = {Kumar, Abhishek and Sattigeri, Prasanna and Balakrishnan, Avinash},
  booktitle = {International Conference on Learning Representations},
  year = {2018}
}""",
)
def sap(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    continuous: bool = False,
    seed: int = 0,
) -> Score:
    r"""Separated attribute predictability: how much better the best latent predicts a factor than the second best.

    .. math:: \frac1F \sum_f \left( S_{(1) f} - S_{(2) f} \right)

    where S is, for every latent and factor, the test accuracy of a linear support vector machine (C = 0.01, balanced
    classes) that sees the latent alone, or with ``continuous`` the squared correlation, 0 for a latent whose variance
    is at most 1e-12. Accuracy over many classes stays low whatever the representation: on dSprites a perfect one has
    about 0.25.

    A factor with a single value in the samples learned from has nothing to predict: its column is 0, it is left out of
    the mean, and it is named in ``settings["constant_factors"]``. With a single latent the second best is 0.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out. Not used when
            ``continuous``, which judges by all of ``codes``.
        continuous: Whether factors are numbers with an order rather than classes.
        seed: Draws the samples held out; at least 0.

    Returns:
        The mean gap in [0, 1]; the gap of each factor as a part; S, latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.

    >>> factors = np.random.default_rng(0).integers(0, 2, size=(300, 2))
    >>> bool(0.4 < float(sap(factors, factors)) < 0.6), float(sap(factors, factors, continuous=True)) > 0.9
    (True, True)
    """
    require_at_least(0, seed=seed)
    settings: dict[str, object] = {}
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    if continuous:
        columns = varying(factors)
        matrix[:, columns] = _squared_correlation(codes, factors[:, columns])
    else:
        codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
        columns = varying(factors)
        matrix[:, columns] = single_latent_accuracy(codes, factors[:, columns], test_codes, test_factors[:, columns])
        settings = {"train_samples": len(codes), "test_samples": len(test_codes)}
    settings["constant_factors"] = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    ahead = gaps(matrix)[columns]
    parts = {str(column): float(gap) for column, gap in zip(columns, ahead, strict=True)}
    return Score(float(np.mean(ahead)), parts, matrix, settings)


def _squared_correlation(codes: Floats, factors: Integers) -> Floats:
    from_mean, factors_from_mean = codes - codes.mean(axis=0), factors - factors.mean(axis=0)
    degrees = len(codes) - 1
    variance = (from_mean**2).sum(axis=0) / degrees
    factor_variance = (factors_from_mean**2).sum(axis=0) / degrees
    covariance = from_mean.T @ factors_from_mean / degrees
    alive = variance > 1e-12
    explained: Floats = np.zeros(covariance.shape)
    explained[alive] = covariance[alive] ** 2 / np.outer(variance[alive], factor_variance)
    return explained.clip(max=1.0)
