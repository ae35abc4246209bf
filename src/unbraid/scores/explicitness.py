"""Explicitness: can every factor be read from the codes by a linear classifier?

References:
    Ridgeway and Mozer, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS 2018,
    arXiv:1802.05312.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from unbraid.errors import InvalidData, require_at_least
from unbraid.info.classify import logistic
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Floats, Integers

__all__ = ["explicitness"]


@score(
    reference="Ridgeway and Mozer, NeurIPS 2018, arXiv:1802.05312",
    citation=r"""@inproceedings{ridgeway2018learning,
  title = {Learning Deep Disentangled Embeddings With the F-Statistic Loss},
  author = {Ridgeway, Karl and Mozer, Michael C.},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2018}
}""",
)
def explicitness(codes: Codes, factors: Factors, *, test: tuple[Codes, Factors] | None = None, seed: int = 0) -> Score:
    r"""How well a softmax regression on all latents tells each value of each factor: the area under its ROC curves.

    .. math:: \frac1F \sum_f \frac{1}{K_f} \sum_v \mathrm{AUC} \left( p(v_f = v \mid z), \; [v_f = v] \right)

    on the test samples, with standardised latents. It says nothing of disentanglement: a rotation changes it little.
    Codes that tell nothing have 0.5.

    A factor with a single value in the samples learned from has nothing to tell: it is left out and named in
    ``settings["constant_factors"]``. So is a value that the samples learned from lack, or that all or none of the test
    samples have; a factor of which no value is left has 0.5.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        seed: Draws the samples held out; at least 0.

    Returns:
        The mean area in [0, 1]; that of each factor as a part, and ``train`` for the samples learned from.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.

    >>> factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    >>> print(explicitness(factors, factors))
    explicitness 1.000 (0 1.000, 1 1.000, train 1.000)
    """
    require_at_least(0, seed=seed)
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    spread = codes.std(axis=0)
    living = np.ptp(codes, axis=0) > 0
    if len(codes) < 2:
        raise InvalidData("a linear classifier takes at least 2 samples to learn from, but there is 1: give more")
    scaled, test_scaled = (
        np.divide(x - codes.mean(axis=0), spread, out=np.zeros(x.shape), where=living) for x in (codes, test_codes)
    )
    parts, train = {}, []
    for column in columns:
        learned = logistic(scaled, factors[:, column], test_scaled)
        parts[str(column)] = _area(learned.test_chance, test_factors[:, column], learned.values)
        train.append(_area(learned.chance, factors[:, column], learned.values))
    value = float(np.mean(list(parts.values())))
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(value, parts | {"train": float(np.mean(train))}, settings=settings)


def _area(chance: Floats, labels: Integers, values: Integers) -> float:
    """The mean area under the ROC curve of each value's probability, by ranks; ties count half."""
    inside = labels[:, None] == values
    counts = inside.sum(axis=0)
    usable = (counts > 0) & (counts < len(labels))
    if not usable.any():
        return 0.5
    inside, counts = inside[:, usable], counts[usable]
    ranks = np.where(inside, rankdata(chance[:, usable], axis=0), 0.0).sum(axis=0)
    return float(np.mean((ranks - counts * (counts + 1) / 2) / (counts * (len(labels) - counts))))
