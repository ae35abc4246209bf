"""Reduced downstream accuracy: once the latents that know a factor best are taken away, what still tells of it?

References:
    Locatello et al., disentanglement_lib, 2019, https://github.com/google-research/disentanglement_lib (the task
    ``reduced_downstream_task``, of which it reports single accuracies).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.boosting import Trees, boost
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Floats, Integers

__all__ = ["reduceddownstream"]


@score(
    lowest=-1.0,
    reference="Locatello et al., disentanglement_lib, 2019",
    citation=r"""@misc{locatello2019lib,
  title = {disentanglement\_lib},
  author = {Locatello, Francesco and Bauer, Stefan and Lucic, Mario and R{\"a}tsch, Gunnar and Gelly, Sylvain and
    Sch{\"o}lkopf, Bernhard and Bachem, Olivier},
  howpublished = {\url{https://github.com/google-research/disentanglement_lib}},
  year = {2019}
}""",
)
def reduceddownstream(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    remove: int = 1,
    others: bool = False,
    trees: Trees = "lightgbm",
    seed: int = 0,
) -> Score:
    r"""How much accuracy a factor loses with the latents most important for it.

    For each factor the latent most important to boosted trees is taken away, and again from those that remain, k times;
    with :math:`a_f` the accuracy on all latents and :math:`a_f^{-k}` on the rest,

    .. math:: \frac1F \sum_f \left( a_f - a_f^{-k} \right)

    Where a factor has k latents to itself all is lost but what guessing the commonest value gives; where it is spread
    over more, or nothing was known, little is.

    A factor with a single value in the samples learned from is left out and named in ``settings["constant_factors"]``.
    With no latent left the commonest value is the answer.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        remove: How many latents are taken away, k, at least 1.
        others: Whether to read the other factors from the rest too; it takes F times as long.
        trees: ``"lightgbm"`` or ``"original"``: :mod:`unbraid.info.boosting`.
        seed: Draws the samples held out, and decides ties in ``"original"``; at least 0.

    Returns:
        The mean loss in [-1, 1]; each factor's accuracy on the rest; the means ``before`` and ``after``, and with
        ``others`` that of all other factors on the rest, ``others``.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.random.default_rng(0).integers(0, 2, size=(300, 2))
    >>> result = reduceddownstream(factors, factors, others=True)
    >>> result.parts["before"], result.parts["others"], result.parts["after"] < 0.65
    (1.0, 1.0, True)
    """
    require_at_least(1, remove=remove)
    require_at_least(0, seed=seed)
    if trees not in ("lightgbm", "original"):
        raise InvalidOption(f"trees must be 'lightgbm' or 'original', but is {trees!r}")
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)

    def learned(column: int, rest: Integers) -> tuple[Floats, float]:
        if len(rest) == 0:
            values, counts = np.unique(factors[:, column], return_counts=True)
            return np.zeros(0), float(np.mean(test_factors[:, column] == values[counts.argmax()]))
        found = boost(codes[:, rest], factors[:, column], test_codes[:, rest], trees=trees, seed=seed)
        return found.importance, float(np.mean(found.test_answers == test_factors[:, column]))

    before, after, beside = [], {}, []
    for column in columns.tolist():
        rest = np.arange(codes.shape[1])
        importance, accuracy = learned(column, rest)
        before.append(accuracy)
        for _ in range(min(remove, len(rest))):
            rest = np.delete(rest, importance.argmax())
            importance, accuracy = learned(column, rest)
        after[str(column)] = accuracy
        if others:
            beside += [learned(other, rest)[1] for other in columns.tolist() if other != column]
    parts = after | {"before": float(np.mean(before)), "after": float(np.mean(list(after.values())))}
    if others:
        parts["others"] = float(np.mean(beside)) if beside else 0.0
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(parts["before"] - parts["after"], parts, settings=settings)
