"""Flatness: is the way that a factor takes the codes, through all its values, as short as it can be?

References:
    Michlo, Klein and James, "Overlooked implications of the reconstruction loss for VAE disentanglement", IJCAI 2023,
    arXiv:2202.13341 (the author's library disent has the measure).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.interventions import traversals
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["flatness"]


@score(
    needs="sampler",
    reference="Michlo et al., IJCAI 2023, arXiv:2202.13341",
    citation=r"""@inproceedings{michlo2023overlooked,
  title = {Overlooked Implications of the Reconstruction Loss for {VAE} Disentanglement},
  author = {Michlo, Nathan and Klein, Richard and James, Steven},
  booktitle = {International Joint Conference on Artificial Intelligence},
  year = {2023}
}""",
)
def flatness(sampler: Sampler, *, repeats: int = 64, seed: int = 0) -> Score:
    r"""Width over length of the codes' way along each factor, length counted along the axes.

    With z the codes of the S values of a factor in order, the others fixed, averaged over traversals,

    .. math:: \frac{\max_{i, j} \lVert z_i - z_j \rVert_2}{(S - 1) \; \overline{\lVert z_{i+1} - z_i \rVert_1}}

    averaged over factors. It is 1 when each factor moves one latent one way, and falls with corners, turns back, and
    slanting steps. The steps go round from the last value to the first, and the longest is left out, so that a cyclic
    factor is measured like any other. With both lengths Euclidean (``l2``) a slanting line is flat too.

    The order of values is taken to mean something. Factors of one value are left out; one that moves nothing counts as
    0.

    Args:
        sampler: The factors and their representation.
        repeats: How many traversals of each factor, at least 1; 64 are exact to about 0.01.
        seed: Draws the values of the factors that stay; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor, and the means with both lengths counted alike, ``l1`` and ``l2``, as
        parts.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When ``repeats`` is below 1.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 4)])
    >>> print(flatness(Sampler(space, lambda factors: factors @ np.array([[1.0, 1.0], [1.0, -1.0]]))))
    flatness 0.707 (0 0.707, 1 0.707, l1 1.000, l2 1.000)
    """
    require_at_least(1, repeats=repeats)
    moved = traversals(
        lambda values: as_codes(sampler.represent(values), "the sampler's codes"),
        sampler.space,
        repeats,
        numpy_generator(seed, "traversals"),
    )
    widths = {order: np.array([_width(codes, order) for codes in moved.values()]) for order in (1, 2)}
    lengths = {order: np.array([_length(codes, order) for codes in moved.values()]) for order in (1, 2)}
    each = _ratio(widths[2], lengths[1])
    parts = {str(column): float(value) for column, value in zip(moved, each, strict=True)}
    parts |= {f"l{order}": float(_ratio(widths[order], lengths[order]).mean()) for order in (1, 2)}
    return Score(float(each.mean()), parts)


def _width(codes: Floats, order: int) -> float:
    """The greatest distance of two codes of a traversal, averaged over traversals ``(R, S, D)``."""
    widest = np.zeros(len(codes))
    for shift in range(1, codes.shape[1]):
        apart = np.linalg.norm(codes[:, shift:] - codes[:, :-shift], ord=order, axis=-1)
        widest = np.maximum(widest, apart.max(axis=1))
    return float(widest.mean())


def _length(codes: Floats, order: int) -> float:
    """The length of all steps round a traversal but the longest, averaged over traversals ``(R, S, D)``."""
    steps = np.linalg.norm(np.roll(codes, -1, axis=1) - codes, ord=order, axis=-1)
    return float((steps.sum(axis=1) - steps.max(axis=1)).mean())


def _ratio(width: Floats, length: Floats) -> Floats:
    return np.divide(width, length, out=np.zeros_like(width), where=length > 0).clip(max=1.0)
