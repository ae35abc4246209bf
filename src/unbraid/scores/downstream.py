"""Downstream accuracy and sample efficiency: how well, and from how few labels, are the factors read from the codes?

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.classify import Predictor, read
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.seed import numpy_generator

__all__ = ["downstream"]

FEW = 100


@score(
    reference="Locatello et al., ICML 2019, arXiv:1811.12359",
    citation=r"""@inproceedings{locatello2019challenging,
  title = {Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations},
  author = {Locatello, Francesco and Bauer, Stefan and Lucic, Mario and R{\"a}tsch, Gunnar and Gelly, Sylvain and
    Sch{\"o}lkopf, Bernhard and Bachem, Olivier},
  booktitle = {International Conference on Machine Learning},
  year = {2019}
}""",
)
def downstream(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    sizes: tuple[int, ...] = (10, 100, 1000, 10_000),
    predictor: Predictor = "lightgbm",
    seed: int = 0,
) -> Score:
    r"""How often a predictor that learns from labelled codes names the factors of others; what few labels are worth.

    .. math:: a_n = \frac1F \sum_f P \left( \hat y_f = v_f \mid n \text{ labels} \right), \qquad
        \text{efficiency} = \frac{a_{100}}{a_{10000}}

    The value is the accuracy with most labels. It says nothing of disentanglement by itself: the efficiency was thought
    to, and hardly does.

    A size above the number of samples learned from stands for all of them. Smaller sets are parts of larger ones. A
    factor with a single value in the samples learned from is left out and named in ``settings["constant_factors"]``.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        sizes: From how many labels to learn, each at least 1.
        predictor: ``"lightgbm"`` or ``"original"`` for boosted trees (:mod:`unbraid.info.boosting`), ``"logistic"``
            for logistic regression whose penalty is chosen by five folds.
        seed: Draws the samples held out and the smaller sets; at least 0.

    Returns:
        The mean accuracy in [0, 1]; each factor's; ``"100 labels"`` and so on, the mean, and ``"100 labels, worst"``,
        the least of any factor; ``efficiency``, the mean with 100 labels (or the fewest, when 100 is none of the sizes)
        over that with most.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When the predictor is unknown or a size is below 1.

    >>> factors = np.random.default_rng(0).integers(0, 2, size=(300, 2))
    >>> downstream(factors, factors, sizes=(100, 200)).parts["efficiency"]
    1.0
    """
    require_at_least(0, seed=seed)
    if not sizes or any(size < 1 for size in sizes):
        raise InvalidOption(f"sizes must be numbers of labels, each at least 1, but are {sizes}")
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    order = numpy_generator(seed, "labels").permutation(len(codes))
    right = {}
    for size in sorted({min(size, len(codes)) for size in sizes}):
        # In the order of the samples, so that all of them are what other scores learn from.
        chosen = np.sort(order[:size])
        answers = [
            read(codes[chosen], factors[chosen, column], test_codes, predictor=predictor, seed=seed)[1]
            for column in columns
        ]
        right[size] = np.mean(np.stack(answers, axis=1) == test_factors[:, columns], axis=0)
    most, few = max(right), FEW if FEW in right else min(right)
    parts = {str(column): float(each) for column, each in zip(columns, right[most], strict=True)}
    for size, accuracy in right.items():
        parts |= {f"{size} labels": float(accuracy.mean()), f"{size} labels, worst": float(accuracy.min())}
    value = float(right[most].mean())
    parts["efficiency"] = float(right[few].mean()) / value if value > 0 else 0.0
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "labels": list(right),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(value, parts, settings=settings)
