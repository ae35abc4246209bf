"""Independence: do steps of different factors move the codes in directions at right angles?

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.score import Sampler, Score, score
from unbraid.scores._acting import applied, fitted, relative, stepped
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["independence"]


@score(
    needs="sampler",
    reference="Painter et al., NeurIPS 2020, arXiv:2008.07922",
    citation=r"""@inproceedings{painter2020linear,
  title = {Linear Disentangled Representations and Unsupervised Action Estimation},
  author = {Painter, Matthew and Pr{\"u}gel-Bennett, Adam and Hare, Jonathon},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}
}""",
)
def independence(
    sampler: Sampler,
    *,
    samples: int = 1000,
    moving: tuple[str, ...] = (),
    mirrored: tuple[str, ...] = (),
    seed: int = 0,
) -> Score:
    r"""How nearly steps of different factors move the codes at right angles, as the best linear maps have it.

    Every cyclic or ordinal factor is a circle; an action is a step on one, up or down. With :math:`M_a` the matrix that
    takes centred codes nearest to those after action a,

    .. math:: 1 - \operatorname*{mean}_{i \ne j}\, \mathbb E_z \max_{a \in i,\, b \in j}
              \left| \frac{(z - M_a z) \cdot (z - M_b z)}{\|z - M_a z\|\, \|z - M_b z\|} \right|

    over pairs of factors i, j. The matrices have a closed form here; the paper fits them step by step.

    **It means little alone.** In a space of many dimensions any two directions are nearly at right angles; the part
    ``chance`` is what random directions score in which the codes vary as much (``above_chance`` is what lies above it,
    as a share of what could). And the maps may explain nothing: the part ``residual`` is what they leave of the codes'
    steps, 0 for actions that are linear. Codes that do not move for an action count as dependent.

    Args:
        sampler: The factors and their representation.
        samples: How many samples each action is seen on, half of them to fit it, at least 4.
        moving: The factors that step, at least two; by default all that can.
        mirrored: Those that are mirrored too, v to -v modulo n, as in the view ``orbits``; by default the sampler's.
        seed: Draws the samples; at least 0.

    Returns:
        The mean in [0, 1]; ``chance``, ``above_chance``, ``residual`` and that of each factor as parts.

    Raises:
        InvalidData: When fewer than two factors can step, or codes are not finite.
        InvalidOption: When ``samples`` is below 4.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 7)])
    >>> angle = lambda values: 2 * np.pi * values / np.array([5, 7])
    >>> torus = Sampler(space, lambda v: np.concatenate([np.cos(angle(v)), np.sin(angle(v))], axis=1))
    >>> round(independence(torus).value, 3), round(independence(torus).parts["residual"], 3)
    (1.0, 0.0)
    """
    require_at_least(4, samples=samples)
    generator = numpy_generator(seed, "independence")
    steps = stepped(sampler, samples, generator, moving, least=2, mirrored=mirrored or None)
    half = samples // 2
    maps = fitted(steps.before[:half], steps.after[:, :half])
    before, after = steps.before[half:], steps.after[:, half:]
    made = applied(maps, before)
    residual = relative(made - after, after - before)
    spread = np.sqrt((before**2).sum(axis=1).mean())
    value, of_factors = _right_angles(made - before, steps.factor, 1e-6 * spread)
    # Codes of a few states that were held out may all lie on one side.
    around = before if sampler.seen is None else steps.before[:half]
    chance, _ = _right_angles(_anywhere(around, len(maps), generator), steps.factor, 1e-6 * spread)
    parts = {str(c): one for c, one in zip(steps.action.columns.tolist(), of_factors, strict=True)}
    parts |= {"chance": chance, "above_chance": (value - chance) / (1 - chance), "residual": float(residual.mean())}
    return Score(value, parts)


def _right_angles(moves: Floats, factor: Integers, least: float) -> tuple[float, list[float]]:
    """One minus the greatest cosine between moves of two factors, and the mean for each factor.

    Args:
        moves: ``(A, n, D)``.
        factor: Of each action, ``(A,)``.
        least: A move that is no longer than this is none.
    """
    length = np.linalg.norm(moves, axis=-1, keepdims=True)
    still = length[..., 0] <= least
    unit = np.divide(moves, length, out=np.zeros_like(moves), where=~still[..., None])
    found: dict[tuple[int, int], float] = {}
    for i, j in combinations(range(int(factor.max()) + 1), 2):
        cosine = np.abs(np.einsum("and,bnd->abn", unit[factor == i], unit[factor == j]))
        cosine = np.where(still[factor == i][:, None] | still[factor == j], 1.0, cosine)
        found[i, j] = float(np.clip(1 - cosine.max(axis=(0, 1)).mean(), 0.0, 1.0))
    each = [float(np.mean([v for pair, v in found.items() if f in pair])) for f in range(int(factor.max()) + 1)]
    return float(np.mean(list(found.values()))), each


def _anywhere(codes: Floats, actions: int, generator: np.random.Generator) -> Floats:
    """Moves into directions drawn as the codes vary, ``(A, n, D)``."""
    value, vector = np.linalg.eigh(codes.T @ codes / len(codes))
    drawn = generator.normal(size=(actions, max(len(codes), 1000), codes.shape[1]))
    return np.asarray(drawn * np.sqrt(value.clip(min=0.0)) @ vector.T)
