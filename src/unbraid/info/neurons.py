"""Bins that hold equally many samples, and the latent of each factor that they are most informative of.

References:
    Mahon, Shah and Lukasiewicz, "Correcting flaws in common disentanglement metrics", TMLR 2024, arXiv:2304.02335.
"""

from __future__ import annotations

import numpy as np

from unbraid.info.discrete import mutual_information
from unbraid.info.matching import match
from unbraid.info.shared import shared
from unbraid.types import Floats, Integers

__all__ = ["aligned", "equal_bins"]


def equal_bins(codes: Floats, ordered: Floats, count: int) -> Integers:
    """The bin, 0 to ``count - 1``, of every code: by the middle of its rank among sorted samples.

    Args:
        codes: ``(M, D)``.
        ordered: Samples with every column sorted, ``(N, D)``.
        count: How many bins, at least 1.

    Returns:
        ``(M, D)``.

    >>> equal_bins(np.array([[0.1], [0.1], [0.1], [7.0]]), np.array([[0.1], [0.1], [0.1], [7.0]]), 2).ravel()
    array([0, 0, 0, 1])
    """
    ranks = np.stack(
        [
            np.searchsorted(sample, column, side="left") + np.searchsorted(sample, column, side="right")
            for sample, column in zip(ordered.T, codes.T, strict=True)
        ],
        axis=1,
    )
    # Equal codes are not parted; in the reference a border among them falls between one value and the next.
    return np.asarray(np.minimum(ranks * count // (2 * len(ordered)), count - 1))


@shared
def aligned(codes: Floats, factors: Integers) -> tuple[dict[int, int], Floats]:
    """A latent of its own for each factor, so that bins and values share most information in all.

    Args:
        codes: ``(N, D)``.
        factors: ``(N, F)``.

    Returns:
        The latent of each column of the factors, of as many as there are latents, and the mutual information of
        latents, cut into as many bins as the factor has values, and factors, ``(D, F)``, in nats.

    >>> aligned(np.array([[0.0, 1.0], [5.0, 1.0]]), np.array([[3], [4]]))[0]
    {0: 0}
    """
    ordered = np.sort(codes, axis=0)
    shared = np.zeros((codes.shape[1], factors.shape[1]))
    for f, column in enumerate(factors.T):
        labels = equal_bins(codes, ordered, len(np.unique(column)))
        shared[:, f] = mutual_information(labels, column[:, None])[:, 0]
    latents, columns = match(shared)
    return {int(f): int(d) for f, d in zip(columns, latents, strict=True)}, shared
