"""Single-neuron classification: can each factor's value be read off one latent, cut into as many bins as it has values?

References:
    Mahon, Shah and Lukasiewicz, "Correcting flaws in common disentanglement metrics", TMLR 2024, arXiv:2304.02335.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.matching import match
from unbraid.info.neurons import aligned, equal_bins
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Integers

__all__ = ["snc"]


@score(
    reference="Mahon et al., TMLR 2024, arXiv:2304.02335",
    citation=r"""@article{mahon2024correcting,
  title = {Correcting Flaws in Common Disentanglement Metrics},
  author = {Mahon, Louis and Sha, Lei and Lukasiewicz, Thomas},
  journal = {Transactions on Machine Learning Research},
  year = {2024}
}""",
)
def snc(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    seed: int = 0,
) -> Score:
    r"""Single-neuron classification: how often the bin of a factor's own latent names the factor's value.

    Every latent is cut, for a factor of K values, into K bins that hold equally many of the samples learned from. Each
    factor gets a latent of its own, by the assignment with the greatest mutual information of bins and values, and each
    bin of it a value of its own, by the assignment right most often. The score is the share of test samples whose bin
    has the value they have. Unlike a tree or a line, this asks that the latent be the factor and nothing else: what a
    second factor adds to it moves samples over the borders. Chance is 1 / K.

    A factor with a single value in the samples learned from is left out and named in ``settings["constant_factors"]``.
    A latent that does not vary has one bin; a factor for which no latent is left is named by its commonest value.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        seed: Draws the samples held out; at least 0.

    Returns:
        The mean share in [0, 1]; that of each factor as a part; the mutual information of bins and values in nats,
        latents x factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.

    >>> factors = np.stack(np.meshgrid(np.arange(3), np.arange(3)), axis=-1).reshape(-1, 2)
    >>> print(snc(factors, factors, test=(factors, factors)))
    snc 1.000 (0 1.000, 1 1.000)
    """
    require_at_least(0, seed=seed)
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    own, shared = aligned(codes, factors[:, columns])
    ordered = np.sort(codes, axis=0)
    shares = np.zeros(len(columns))
    for place, f in enumerate(columns):
        values, classes = np.unique(factors[:, f], return_inverse=True)
        if place in own:
            d = [own[place]]
            answers = _named(equal_bins(codes[:, d], ordered[:, d], len(values))[:, 0], classes.ravel(), len(values))
            named = values[answers[equal_bins(test_codes[:, d], ordered[:, d], len(values))[:, 0]]]
        else:
            named = values[np.bincount(classes.ravel()).argmax()]
        shares[place] = np.mean(named == test_factors[:, f])
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = shared
    parts = {str(column): float(share) for column, share in zip(columns, shares, strict=True)}
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(float(shares.mean()), parts, matrix, settings)


def _named(bins: Integers, classes: Integers, count: int) -> Integers:
    """The class of each bin: no class has two bins, and as many samples as possible are right."""
    together = np.bincount(bins * count + classes, minlength=count**2).reshape(count, count)
    answers = np.zeros(count, dtype=np.int64)
    rows, columns = match(together.astype(np.float64))
    answers[rows] = columns
    return answers
