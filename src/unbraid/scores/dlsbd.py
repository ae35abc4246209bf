"""D_LSBD: how far are codes from turning with the factors, each in a plane of its own?

References:
    Tonnaer, Perez Rey, Menkovski, Holenderski and Portegies, "Quantifying and learning linear symmetry-based
    disentanglement", ICML 2022, arXiv:2011.06070.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.groups.cyclic import Cyclic
from unbraid.info.interventions import traversals
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["dlsbd"]


@score(
    direction="lower",
    needs="sampler",
    reference="Tonnaer et al., ICML 2022, arXiv:2011.06070",
    citation=r"""@inproceedings{tonnaer2022quantifying,
  title = {Quantifying and Learning Linear Symmetry-Based Disentanglement},
  author = {Tonnaer, Loek and Perez Rey, Luis A. and Menkovski, Vlado and Holenderski, Mike and Portegies, Jim},
  booktitle = {International Conference on Machine Learning},
  year = {2022}
}""",
)
def dlsbd(sampler: Sampler, *, repeats: int = 64, seed: int = 0) -> Score:
    r"""What is left of codes' spread once every factor's turn is undone, in the plane in which it shows most.

    Of a factor with n values codes are taken along ``repeats`` traversals, less the mean of each traversal; p are their
    two principal components, scaled so that each has half of the unit of energy. With the irreps :math:`\rho_k` of the
    circle that turn,

    .. math:: \min_{k \ne 0} \operatorname{Var}\big(\rho_k(v)^{-1} p_v\big)
              = 1 - \max_k \big\| \mathbb E\, \rho_k(v)^{-1} p_v \big\|^2

    averaged over the factors that are ordinal or cyclic. 0 for a linear disentangled representation, in any basis; 1
    for noise. Energy that is missing, because the codes move along a line or not at all, counts as lost. A factor of
    two values has one irrep, a sign, and one component. The frequency k = 0 of the authors' program, at which a
    representation that ignores the factor would be perfect, is left out.

    Args:
        sampler: The factors and their representation.
        repeats: How many traversals of each factor, at least 1.
        seed: Draws the values of the factors that stay; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor as a part.

    Raises:
        InvalidData: When no factor has more than one value, or codes are not finite.
        InvalidOption: When ``repeats`` is below 1.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 7)])
    >>> angle = lambda values: 2 * np.pi * values / np.array([5, 7])
    >>> torus = Sampler(space, lambda v: np.concatenate([np.cos(angle(v)), np.sin(angle(v))], axis=1))
    >>> dlsbd(torus).value < 1e-9
    True
    """
    require_at_least(1, repeats=repeats)
    moved = traversals(
        lambda values: as_codes(sampler.represent(values), "the sampler's codes"),
        sampler.space,
        repeats,
        numpy_generator(seed, "traversals"),
    )
    circles = {column: codes for column, codes in moved.items() if sampler.space.all[column].kind != "categorical"}
    parts = {str(column): _spread(codes) for column, codes in (circles or moved).items()}
    return Score(float(np.mean(list(parts.values()))), parts)


def _spread(codes: Floats) -> float:
    """Of one factor, from codes along its traversals, ``(repeats, n, D)``."""
    # From the first code first: the mean of equal numbers is not always that number.
    codes = codes - codes[:, :1]
    codes = codes - codes.mean(axis=1, keepdims=True)
    size = codes.shape[1]
    irreps = Cyclic(size).irreps()
    turning = [irrep for irrep in irreps if irrep.dimension == 2] or irreps[1:]
    wide = turning[0].dimension
    value, vector = np.linalg.eigh(np.einsum("rvd,rve->de", codes, codes) / (codes.shape[0] * size))
    value, vector = value[::-1][:wide], vector[:, ::-1][:, :wide]
    alive = value > 1e-12
    if not alive.any():
        return 1.0
    point = codes @ (vector * np.sqrt(np.divide(1.0, wide * value, out=np.zeros_like(value), where=alive)))
    if point.shape[2] < wide:
        point = np.concatenate([point, np.zeros((*point.shape[:2], wide - point.shape[2]))], axis=2)
    steps = np.arange(size, dtype=np.float64)[:, None]
    mirrored = np.array([[1.0, 1.0], [1.0, -1.0]])[:, :wide]
    kept = [
        np.einsum("vji,rvj->i", irrep.matrices(steps), point * sign) / (codes.shape[0] * size)
        for irrep in turning
        for sign in mirrored
    ]
    return float(np.clip(1 - max((mean**2).sum() for mean in kept), 0.0, 1.0))
