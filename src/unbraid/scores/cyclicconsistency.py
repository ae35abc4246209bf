"""Cyclic consistency: is an action taken all the way around its circle the identity?

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922 (the order of learned actions).
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.score import Sampler, Score, score
from unbraid.scores._acting import Steps, applied, fitted, matched, relative, stepped
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["cyclicconsistency"]


@score(
    direction="lower",
    needs="sampler",
    reference="Painter et al., NeurIPS 2020, arXiv:2008.07922",
    citation=r"""@inproceedings{painter2020linear,
  title = {Linear Disentangled Representations and Unsupervised Action Estimation},
  author = {Painter, Matthew and Pr{\"u}gel-Bennett, Adam and Hare, Jonathon},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}
}""",
)
def cyclicconsistency(sampler: Sampler, *, samples: int = 1000, moving: tuple[str, ...] = (), seed: int = 0) -> Score:
    r"""How far codes are from where they were after as many steps as their factor has values.

    With :math:`M_a` the matrix that takes centred codes z nearest to those after a step, of a factor with n values,

    .. math:: \operatorname*{mean}_a \min\left(1, \frac{\mathbb E \|M_a^n z - z\|^2}{\mathbb E \|z\|^2}\right)

    An identity would be consistent too: where a step moves the codes by nothing, the action counts as 1. Where a model
    has matrices of its own, the part ``own`` is the same for them, once they are matched to the true actions.

    Args:
        sampler: The factors and their representation.
        samples: How many samples each action is seen on, half of them to fit it, at least 4.
        moving: The factors that step; by default all that are cyclic or ordinal.
        seed: Draws the samples; at least 0.

    Returns:
        The mean in [0, 1]; that of each factor and perhaps ``own`` as parts.

    Raises:
        InvalidData: When no factor can step, or codes are not finite.
        InvalidOption: When ``samples`` is below 4.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 7)])
    >>> angle = lambda values: 2 * np.pi * values / np.array([5, 7])
    >>> torus = Sampler(space, lambda v: np.concatenate([np.cos(angle(v)), np.sin(angle(v))], axis=1))
    >>> round(cyclicconsistency(torus).value, 3)
    0.0
    """
    require_at_least(4, samples=samples)
    steps = stepped(sampler, samples, numpy_generator(seed, "cyclicconsistency"), moving, mirrored=())
    half = samples // 2
    error = _returns(fitted(steps.before[:half], steps.after[:, :half]), steps, half, 0.0)
    parts = steps.of_factors(error)
    if sampler.matrices is not None:
        parts["own"] = float(_returns(matched(sampler.matrices, steps), steps, half, steps.mean).mean())
    return Score(float(error.mean()), parts)


def _returns(maps: Floats, steps: Steps, half: int, mean: Floats | float) -> Floats:
    """How far each map is from the identity once it is taken around, ``(A,)`` in 0 .. 1."""
    before, after = steps.before[half:], steps.after[:, half:]
    around = np.stack([
        np.linalg.matrix_power(one, int(steps.action.sizes[f])) for one, f in zip(maps, steps.factor, strict=True)
    ])  # fmt: skip
    codes = np.broadcast_to(before, after.shape)
    error = relative(applied(around, before, mean) - before, codes)
    moved = ((after - before) ** 2).sum(axis=-1).mean(axis=-1) > 1e-6 * (before**2).sum(axis=-1).mean()
    return np.where(moved, error.clip(max=1.0), 1.0)
