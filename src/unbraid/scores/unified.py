"""Unified scores: any matrix of latents and factors, read in every way that a published score reads its own.

References:
    Locatello et al., "A sober look at the unsupervised learning of disentangled representations and their evaluation",
    JMLR 21, 2020, arXiv:2010.14766.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.boosting import boost
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.info.importance import completeness, disentanglement, gaps, independent_groups, purity
from unbraid.info.svm import single_latent_accuracy
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Floats, Integers

__all__ = ["unified"]


@score(
    reference="Locatello et al., JMLR 2020, arXiv:2010.14766",
    citation=r"""@article{locatello2020sober,
  title = {A Sober Look at the Unsupervised Learning of Disentangled Representations and their Evaluation},
  author = {Locatello, Francesco and Bauer, Stefan and Lucic, Mario and R{\"a}tsch, Gunnar and Gelly, Sylvain and
    Sch{\"o}lkopf, Bernhard and Bachem, Olivier},
  journal = {Journal of Machine Learning Research},
  volume = {21},
  year = {2020}
}""",
)
def unified(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    relation: Literal["information", "importance", "accuracy"] = "information",
    bins: int = 20,
    seed: int = 0,
) -> Score:
    r"""Into how many separate groups latents and factors fall, over all strengths of relation that are made to count.

    With R the relation of latents and factors and g(t) the number of groups of them that relations of at least t
    connect (one latent and its factor are a group),

    .. math:: \frac1F \int_0^1 g(t) \, \mathrm{d}t

    where information is divided by the entropy of the factor. It is 1 when each factor is fully known to one latent and
    to no other. The same relation is also read as DCI, MIG, SAP and modularity read theirs: what differs between two
    scores is either the relation or the reading.

    A factor with a single value is left out and named in ``settings["constant_factors"]``; a latent that does not vary
    is related to nothing.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge ``"accuracy"`` by; by default a third is held out,
            and not looked at by the other relations, as in the reference.
        relation: ``"information"`` in nats (as in MIG and modularity), ``"importance"`` to boosted
            trees (as in DCI), or the ``"accuracy"`` of a support vector machine that sees one latent (as in SAP).
        bins: How many bins of equal width a latent is cut into for ``"information"``, at least 2.
        seed: Draws the samples held out; at least 0.

    Returns:
        The area in [0, 1]; the parts ``disentanglement`` and ``completeness`` (of DCI), ``mig``, ``sap``,
        ``modularity``, ``groups`` (the most of them at any strength) and ``area``, the reference's: undivided, in the
        relation's own unit, from its least value to its greatest, between which g goes in straight lines; R, latents x
        factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    >>> result = unified(factors, factors, test=(factors, factors))
    >>> round(result.value, 6), result.parts["groups"]
    (1.0, 2.0)
    """
    require_at_least(2, bins=bins)
    require_at_least(0, seed=seed)
    if relation not in ("information", "importance", "accuracy"):
        raise InvalidOption(f"relation must be 'information', 'importance' or 'accuracy', but is {relation!r}")
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    if relation == "information":
        known = mutual_information(discretise(codes, bins), factors[:, columns])
    elif relation == "importance":
        learned = [boost(codes, factors[:, column], test_codes, seed=seed) for column in columns]
        known = np.stack([factor.importance for factor in learned], axis=1)
    else:
        known = single_latent_accuracy(codes, factors[:, columns], test_codes, test_factors[:, columns])
        known[np.ptp(codes, axis=0) == 0] = 0.0
    uncertainty = entropy(factors[:, columns])
    share = known / uncertainty if relation == "information" else known
    strengths, groups = independent_groups(known)
    parts = {
        "disentanglement": disentanglement(known),
        "completeness": completeness(known),
        "mig": float(np.mean(gaps(known) / uncertainty)),
        "sap": float(np.mean(gaps(known))),
        "modularity": float(np.mean(purity(known)[known.any(axis=1)])) if known.any() else 0.0,
        "groups": float(groups.max()),
        "area": _area(strengths, groups),
    }
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    matrix[:, columns] = known
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    strengths, groups = independent_groups(share)
    value = float(groups @ -np.diff(strengths, append=0.0)) / len(columns)
    return Score(min(value, 1.0), parts, matrix, settings)


def _area(strengths: Floats, groups: Integers) -> float:
    """The area under the number of groups, between neighbouring strengths the mean of both."""
    return float(np.sum((groups[1:] + groups[:-1]) / 2 * -np.diff(strengths)))
