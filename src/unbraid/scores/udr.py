"""Unsupervised disentanglement ranking: do models that differ only in their seed find the same latents?

References:
    Duan et al., "Unsupervised model selection for variational disentangled representation learning", ICLR 2020,
    arXiv:1905.12614.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.alive import alive
from unbraid.info.lasso import lasso
from unbraid.score import Codes, Score, as_codes, score
from unbraid.types import Floats

__all__ = ["udr"]

Booleans: TypeAlias = npt.NDArray[np.bool_]


@score(
    needs="runs",
    reference="Duan et al., ICLR 2020, arXiv:1905.12614",
    citation=r"""@inproceedings{duan2020unsupervised,
  title = {Unsupervised Model Selection for Variational Disentangled Representation Learning},
  author = {Duan, Sunny and Matthey, Loic and Saraiva, Andre and Watters, Nick and Burgess, Chris and
    Lerchner, Alexander and Higgins, Irina},
  booktitle = {International Conference on Learning Representations},
  year = {2020}
}""",
)
def udr(
    codes: Sequence[Codes],
    *,
    divergences: Sequence[Sequence[float]] | None = None,
    relation: Literal["lasso", "spearman"] = "lasso",
    penalty: float = 0.1,
    threshold: float = 0.01,
) -> Score:
    r"""How nearly the latents of several models are one another's, in another order and with other signs.

    With :math:`R_{ab}` the strength with which latent a of model i goes into latent b of model j, the absolute weight
    of a lasso or the absolute rank correlation,

    .. math:: U_{ij} = \frac12 \left( \frac{1}{|B|} \sum_b \frac{(\max_a R_{ab})^2}{\sum_a R_{ab}}
        + \frac{1}{|A|} \sum_a \frac{(\max_b R_{ab})^2}{\sum_b R_{ab}} \right)

    over the latents that are informative. A model's score is the median over all others of :math:`U_{ij}`, and is meant
    to choose among models of one setting and different seeds. No factors are needed; but what all models share need not
    be a factor.

    A latent is not informative when it is dead, or when its divergence from the prior is at most ``threshold``. A pair
    of models of which one has no informative latent has 0.

    Args:
        codes: Of each of at least two models, for the same samples: a list of ``(N, D)``.
        divergences: The mean divergence of each latent from its prior in nats, a list of ``(D,)``; None counts all.
        relation: ``"lasso"``, on standardised codes, or ``"spearman"``.
        penalty: Of the lasso, at least 0.
        threshold: The divergence above which a latent is informative, at least 0.

    Returns:
        The mean of the models' scores, from 0 to 1; the score of each as ``"run 0"``, ``"run 1"``, ...; U, models x
        models, 0 on the diagonal, as the matrix.

    Raises:
        InvalidData: When there are fewer than two models, or their arrays do not fit together.
        InvalidOption: When an option is out of range.

    >>> codes = np.random.default_rng(0).normal(size=(300, 3))
    >>> print(udr([codes, -codes[:, ::-1]], relation="spearman"))
    udr 0.957 (run 0 0.957, run 1 0.957)
    """
    require_at_least(0, penalty=penalty, threshold=threshold)
    if relation not in ("lasso", "spearman"):
        raise InvalidOption(f"relation must be 'lasso' or 'spearman', but is {relation!r}")
    runs = [as_codes(of, f"the codes of run {number}") for number, of in enumerate(codes)]
    if len(runs) < 2:
        raise InvalidData(f"models are compared with one another, which takes at least 2, but there are {len(runs)}")
    if len({len(of) for of in runs}) > 1:
        rows = ", ".join(str(len(of)) for of in runs)
        raise InvalidData(f"every run must have codes of the same samples, but they have {rows} rows")
    informative = [alive(of) for of in runs]
    if divergences is not None:
        informative = [
            living & above for living, above in zip(informative, _above(divergences, runs, threshold), strict=True)
        ]
    ends = np.cumsum([0, *(of.shape[1] for of in runs)])
    everything = np.hstack([_standardised(of, counts, relation) for of, counts in zip(runs, informative, strict=True)])
    moments = everything.T @ everything / len(everything)
    agreement = np.zeros((len(runs), len(runs)))
    for i in range(len(runs)):
        own = slice(ends[i], ends[i + 1])
        related = np.abs(lasso(moments[own, own], moments[own], penalty) if relation == "lasso" else moments[own])
        for j in range(len(runs)):
            if j != i:
                between = related[informative[i], ends[j] : ends[j + 1]][:, informative[j]]
                agreement[i, j] = (_strength(between) + _strength(between.T)) / 2
    each = [float(np.median(np.delete(agreement[:, j], j))) for j in range(len(runs))]
    settings = {
        "samples": len(runs[0]),
        "informative_latents": [int(counts.sum()) for counts in informative],
        "dead_latents": [np.flatnonzero(~alive(of)).tolist() for of in runs],
    }
    return Score(float(np.mean(each)), {f"run {j}": value for j, value in enumerate(each)}, agreement, settings)


def _above(divergences: Sequence[Sequence[float]], runs: list[Floats], threshold: float) -> list[Booleans]:
    given = [np.asarray(of, dtype=np.float64) for of in divergences]
    shapes, expected = [of.shape for of in given], [(of.shape[1],) for of in runs]
    if shapes != expected:
        raise InvalidData(f"divergences must have one number a latent, {expected}, but have shapes {shapes}")
    if not all(np.isfinite(of).all() for of in given):
        raise InvalidData("divergences must be finite numbers, but some are not")
    return [of > threshold for of in given]


def _standardised(codes: Floats, informative: Booleans, relation: str) -> Floats:
    """Columns, or their ranks, with mean 0 and mean square 1; those that are not informative are 0."""
    columns = rankdata(codes, axis=0) if relation == "spearman" else codes
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    return np.asarray(np.divide(centred, spread, out=np.zeros(centred.shape), where=informative & (spread > 0)))


def _strength(related: Floats) -> float:
    """How far each column is one entry alone: the mean of the greatest squared over the sum, 0 for a column of 0."""
    if related.size == 0:
        return 0.0
    total = related.sum(axis=0)
    return float(np.mean(np.divide(related.max(axis=0) ** 2, total, out=np.zeros(len(total)), where=total > 0)))
