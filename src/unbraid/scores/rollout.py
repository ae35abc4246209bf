"""Rollout: how well do linear maps predict codes, and images, several actions ahead?

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.alive import alive
from unbraid.score import Sampler, Score, as_codes, score
from unbraid.scores._acting import Steps, begun, fitted, matched, relative, stepped
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["rollout"]


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
def rollout(
    sampler: Sampler,
    *,
    steps: int = 5,
    samples: int = 1000,
    moving: tuple[str, ...] = (),
    mirrored: tuple[str, ...] = (),
    seed: int = 0,
) -> Score:
    r"""What matrices, one for each action, leave unexplained of codes after 1 .. k actions drawn at random.

    .. math:: \frac1k \sum_{t=1}^{k} \frac{\mathbb E \|M_{a_t} \cdots M_{a_1} z_0 - z_t\|^2}{\mathbb E \|z_t\|^2}

    with centred codes and the matrices of least squared error after one action. 1 when no more is known than the mean.
    Parts: ``after_t`` for the single distances; where a model has matrices of its own, ``own_after_t`` for those, and
    where it decodes and the world shows images, ``pixels_after_t``, the same of the images decoded from the codes
    predicted (by the model's own matrices where it has them).

    Args:
        sampler: The factors and their representation.
        steps: How many actions ahead, k, at least 1.
        samples: How many sequences, at least 4; as many single steps fit the matrices.
        moving: The factors that step; by default all that are cyclic or ordinal.
        mirrored: Those that are mirrored too, v to -v modulo n, as in the view ``orbits``; by default the sampler's.
        seed: Draws the samples; at least 0.

    Returns:
        The mean over distances, at least 0, and the parts named above.

    Raises:
        InvalidData: When no factor can step, or codes are not finite.
        InvalidOption: When an option is out of range.

    >>> from unbraid.types import Factor, FactorSpace
    >>> space = FactorSpace([Factor("x", 5), Factor("y", 7)])
    >>> angle = lambda values: 2 * np.pi * values / np.array([5, 7])
    >>> torus = Sampler(space, lambda v: np.concatenate([np.cos(angle(v)), np.sin(angle(v))], axis=1))
    >>> rollout(torus).value < 0.01
    True
    """
    require_at_least(1, steps=steps)
    require_at_least(4, samples=samples)
    generator = numpy_generator(seed, "rollout")
    seen = stepped(sampler, samples, generator, moving, mirrored=mirrored or None, fit=samples)
    actions = generator.integers(0, len(seen.after), (steps, samples))
    values = _walk(seen, actions, begun(sampler, samples, generator))
    codes = as_codes(sampler.represent(values.reshape(-1, values.shape[-1])), "the sampler's codes")
    codes = np.where(alive(codes), codes, 0.0).reshape(steps + 1, samples, -1)
    mean = codes.mean(axis=(0, 1)) if sampler.seen is None else seen.mean
    predicted, errors = _predicted(fitted(seen.before, seen.after), codes - mean, actions, 0.0)
    parts = {f"after_{t}": float(error) for t, error in enumerate(errors, 1)}
    if sampler.matrices is not None:
        predicted, own = _predicted(matched(sampler.matrices, seen), codes - mean, actions, mean)
        parts |= {f"own_after_{t}": float(error) for t, error in enumerate(own, 1)}
    if sampler.decode is not None and sampler.images is not None:
        for t, made in enumerate(predicted, 1):
            true = sampler.images(values[t]).astype(np.float64)
            flat = (sampler.decode(made + mean) - true).reshape(samples, -1), (true - true.mean(0)).reshape(samples, -1)
            parts[f"pixels_after_{t}"] = float(relative(flat[0][None], flat[1][None])[0])
    return Score(float(errors.mean()), parts)


def _walk(seen: Steps, actions: Integers, first: Integers) -> Integers:
    """Factors before and after every action: ``(T, n)`` and ``(n, F)`` to ``(T + 1, n, F)``."""
    values = [first]
    for row in actions:
        values.append(seen.acted(values[-1], row))
    return np.stack(values)


def _predicted(maps: Floats, codes: Floats, actions: Integers, mean: Floats | float) -> tuple[Floats, Floats]:
    """Centred codes predicted from the first ones, ``(T, n, D)``, and their error at every distance, ``(T,)``."""
    now, made = codes[0] + mean, []
    for row in actions:
        now = np.einsum("nij,nj->ni", maps[row], now)
        made.append(now - mean)
    return np.stack(made), relative(np.stack(made) - codes[1:], codes[1:])
