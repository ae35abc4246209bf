"""Action accuracy: can the action be told from what it does?

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.matching import match
from unbraid.score import Sampler, Score, score
from unbraid.scores._acting import Steps, applied, fitted, stepped
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["actionaccuracy", "confusion"]


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
def actionaccuracy(
    sampler: Sampler, *, samples: int = 500, moving: tuple[str, ...] = (), mirrored: tuple[str, ...] = (), seed: int = 0
) -> Score:
    r"""How often the action between two samples is inferred rightly, from the codes before and after it.

    It is taken to be the one whose matrix, of least squared error on other samples, explains the codes best. Where a
    model infers actions of its own, of which nobody says what they stand for, the part ``own`` is how often these are
    right once each is called by the true action that makes the most of them, no two by one (the Hungarian method).
    Guessing gives one over the number of actions.

    Args:
        sampler: The factors and their representation.
        samples: How many samples each action is seen on, half of them to fit its matrix, at least 4.
        moving: The factors that step; by default all that are cyclic or ordinal.
        mirrored: Those that are mirrored too, v to -v modulo n, as in the view ``orbits``; by default the sampler's.
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
    >>> print(actionaccuracy(torus))
    actionaccuracy 1.000 (0 1.000, 1 1.000)
    """
    require_at_least(4, samples=samples)
    steps = stepped(sampler, samples, numpy_generator(seed, "actionaccuracy"), moving, mirrored=mirrored or None)
    half = samples // 2
    maps = fitted(steps.before[:half], steps.after[:, :half])
    error = applied(maps, steps.before[half:])[None] - steps.after[:, None, half:]
    told = (error**2).sum(axis=-1).argmin(axis=1)
    right = np.array([(row == action).mean() for action, row in enumerate(told)])
    parts = steps.of_factors(right)
    if sampler.infer is not None:
        parts["own"] = _own(sampler, steps, half)
    return Score(float(right.mean()), parts)


def _own(sampler: Sampler, steps: Steps, half: int) -> float:
    """How often a model's own actions are right, at best; in states not seen, by the names they have in the others."""
    assert sampler.infer is not None
    every = [np.full(len(steps.values), action) for action in range(len(steps.elements))]
    said = np.stack([sampler.infer(steps.values, steps.acted(steps.values, one)) for one in every])
    named = match(confusion(list(said if sampler.seen is None else said[:, :half])))
    judged = said if sampler.seen is None else said[:, half:]
    right = [(judged[row] == own).mean() for row, own in zip(*named, strict=True)]
    return float(sum(right) / len(every))


def confusion(inferred: list[Integers]) -> Floats:
    """How often each action is inferred where each true one was taken: A arrays ``(n,)`` to shares ``(A, K)``.

    >>> confusion([np.array([0, 0]), np.array([0, 2])])
    array([[1. , 0. , 0. ],
           [0.5, 0. , 0.5]])
    """
    actions = 1 + max(int(row.max()) for row in inferred)
    return np.stack([np.bincount(row, minlength=actions) / len(row) for row in inferred])
