"""Action error: how far is what a step of a factor does to codes from the ideal rotation, in the best basis?

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.errors import require_at_least
from unbraid.score import Sampler, Score, score
from unbraid.scores._acting import applied, fitted, ideal, matched, regressed, relative, stepped, turn
from unbraid.seed import numpy_generator

__all__ = ["actionerror"]


@score(
    highest=math.inf,
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
def actionerror(
    sampler: Sampler,
    *,
    samples: int = 1000,
    moving: tuple[str, ...] = (),
    mirrored: tuple[str, ...] = (),
    seed: int = 0,
) -> Score:
    r"""What the ideal representation, in the basis that suits it best, leaves of what steps of factors do to codes.

    Ideally a step of a factor with n values turns a plane of its own by :math:`2\pi/n` and leaves all else alone. With
    P the regression of centred codes z on cosine and sine h of every factor, H that of h on z, :math:`\rho_a` the ideal
    matrix of an action and :math:`z_a` the codes after it,

    .. math:: \operatorname*{mean}_a
        \frac{\mathbb E \|z + P (\rho_a - 1) H z - z_a\|^2}{\mathbb E \|z_a - z\|^2}

    0 for a linear disentangled representation in any basis; 1 when as much is left as if nothing had been predicted.

    Parts: ``linear``, what the best linear maps leave, whatever they are; ``estimated``, how far these are from the
    ideal ones, as a share likewise; ``angle``, by how many radians their turn differs from the ideal one. Where a model
    has matrices of its own, ``own``, what they leave, and ``own_angle``, once they are matched to the true actions.

    Args:
        sampler: The factors and their representation.
        samples: How many samples each action is seen on, half of them to fit it, at least 4.
        moving: The factors that step; by default all that are cyclic or ordinal.
        mirrored: Those that are mirrored too, v to -v modulo n, as in the view ``orbits``; by default the sampler's.
        seed: Draws the samples; at least 0.

    Returns:
        The mean, at least 0; that of each factor and those named above as parts.

    Raises:
        InvalidData: When no factor can step, or codes are not finite.
        InvalidOption: When ``samples`` is below 4.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 7)])
    >>> angle = lambda values: 2 * np.pi * values / np.array([5, 7])
    >>> torus = Sampler(space, lambda v: np.concatenate([np.cos(angle(v)), np.sin(angle(v))], axis=1))
    >>> actionerror(torus).value < 0.01
    True
    """
    require_at_least(4, samples=samples)
    steps = stepped(sampler, samples, numpy_generator(seed, "actionerror"), moving, mirrored=mirrored or None)
    half = samples // 2
    before, after = steps.before[half:], steps.after[:, half:]
    maps = fitted(steps.before[:half], steps.after[:, :half])
    basis, reader = regressed(steps, half)
    best = ideal(steps, basis, reader)
    moved = after - before
    left = relative(applied(best, before) - after, moved)
    turning = steps.factor[: 2 * len(steps.action.columns)]  # a mirroring has no angle
    planes = np.stack([basis[:, 2 * f : 2 * f + 2] for f in turning])
    angles = 2 * np.pi / steps.action.sizes[turning]
    parts = steps.of_factors(left)
    parts["linear"] = float(relative(applied(maps, before) - after, moved).mean())
    parts["estimated"] = float(relative(applied(maps - best, before), moved).mean())
    parts["angle"] = float(np.abs(turn(maps[: len(turning)], planes) - angles).mean())
    if sampler.matrices is not None:
        own = matched(sampler.matrices, steps)
        parts["own"] = float(relative(applied(own, before, steps.mean) - after, moved).mean())
        parts["own_angle"] = float(np.abs(turn(own[: len(turning)], planes) - angles).mean())
    return Score(float(left.mean()), parts)
