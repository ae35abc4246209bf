"""EDI: is what the latents know of each factor exclusive to one latent, and what a latent knows to one factor?

References:
    Julka, Wang and Granitzer, "Towards an improved metric for evaluating disentangled representations", 2024,
    arXiv:2410.03056.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import entropy
from unbraid.info.neighbours import neighbour_information
from unbraid.info.softmax import linear_cross_entropy
from unbraid.score import Codes, Factors, Score, score, varying
from unbraid.types import Floats

__all__ = ["edi"]


@score(
    reference="Julka et al., 2024, arXiv:2410.03056",
    citation=r"""@article{julka2024towards,
  title = {Towards an Improved Metric for Evaluating Disentangled Representations},
  author = {Julka, Sahib and Wang, Yashu and Granitzer, Michael},
  journal = {arXiv preprint arXiv:2410.03056},
  year = {2024}
}""",
)
def edi(codes: Codes, factors: Factors, *, neighbours: int = 10, least: float = 0.01, seed: int = 0) -> Score:
    r"""Exclusivity disentanglement index: modularity (the value), compactness and explicitness from exclusive impacts.

    The impact of latent d on factor f is the share of what all latents know of f that d knows,
    :math:`R_{df} = I(z_d; v_f) / I(z; v_f)`, and the exclusivity of a row or column of impacts

    .. math:: E(r) = \max_i r_i - \sqrt{\tfrac{1}{n - 1} \sum_{j \ne \arg\max} r_j^2}

    so that several small leaks cost less than one large. Modularity gives the exclusivity of each row to the factor of
    its greatest impact, no factor more than 1, averaged over factors; compactness is the mean exclusivity of columns;
    explicitness is the mean of :math:`I(z; v_f) / H(v_f)`.

    Information of single latents is judged by nearest neighbours. For that of all latents together the paper trains a
    network; here it is bounded from below by a softmax regression and by the best single latent, which is exact
    wherever the classes can be parted linearly. Impacts are shares of what is known, however little that is: where it
    is no more than the share ``least`` of a factor's entropy, about the error of the estimates, all impacts on that
    factor are 0.

    A factor with a single value is left out and named in ``settings["constant_factors"]``; a latent that does not vary
    has no impact and is left out. With a single latent or factor there is nothing to leak to.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        neighbours: How many neighbours of its own class are looked for around a sample, at least 1.
        least: The share of a factor's entropy that counts as nothing known, at least 0; 0 takes every estimate at its
            word.
        seed: Draws the dust that parts equal codes; at least 0.

    Returns:
        Modularity in [0, 1]; the parts ``modularity``, ``compactness`` and ``explicitness``; the impacts, latents x
        factors, as the matrix.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.random.default_rng(0).integers(0, 4, size=(500, 2))
    >>> float(edi(factors, factors)) > 0.9 > 0.3 > float(edi(factors @ [[1, 1], [1, -1]], factors))
    True
    """
    require_at_least(1, neighbours=neighbours)
    require_at_least(0, seed=seed, least=least)
    columns = varying(factors)
    alive = np.flatnonzero(np.ptp(codes, axis=0) > 0)
    matrix = np.zeros((codes.shape[1], factors.shape[1]))
    parts = {"modularity": 0.0, "compactness": 0.0, "explicitness": 0.0}
    if len(alive):
        values, latents = factors[:, columns], codes[:, alive]
        whole = entropy(values)
        single = np.minimum(neighbour_information(latents, values, neighbours=neighbours, seed=seed), whole)
        left = np.array([linear_cross_entropy(latents, column, balanced=False) for column in values.T])
        known = np.maximum(whole - left, single.max(axis=0))
        impact = np.divide(single, known, out=np.zeros_like(single), where=known > least * whole)
        held = np.zeros(len(columns))
        np.add.at(held, impact.argmax(axis=1), _exclusivity(impact))
        parts["modularity"] = float(np.minimum(held, 1.0).mean())
        parts["compactness"] = float(_exclusivity(impact.T).mean())
        parts["explicitness"] = float((known / whole).mean())
        matrix[np.ix_(alive, columns)] = impact
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    return Score(parts["modularity"], parts, matrix, {"constant_factors": constant})


def _exclusivity(impact: Floats) -> Floats:
    """By how much the greatest entry of each row exceeds the root mean square of the others."""
    most, others = impact.max(axis=1), max(impact.shape[1] - 1, 1)
    rest = (impact**2).sum(axis=1) - most**2
    return np.asarray(most - np.sqrt(rest.clip(min=0.0) / others))
