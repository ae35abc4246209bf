"""Codes before and after steps of factors, and the linear maps that explain them best."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, InvalidOption
from unbraid.groups.action import FactorAction
from unbraid.info.interventions import living
from unbraid.info.matching import match
from unbraid.score import Sampler, as_codes
from unbraid.types import Floats, Integers

__all__ = [
    "Steps",
    "applied",
    "begun",
    "fitted",
    "ideal",
    "matched",
    "regressed",
    "relative",
    "stepped",
    "turn",
]

POOL, TRIES = 4096, 200
"""How many factor values are drawn at once, and how often, to find enough that suit."""


class Steps(NamedTuple):
    """Centred codes of samples before and after every action: a step up and a step down of each factor.

    Args:
        before: ``(n, D)``.
        after: ``(A, n, D)``; the actions 2f and 2f + 1 are the steps of the f-th factor that moves, up and down;
            the mirrorings of those that are mirrored follow.
        mean: What was taken from all codes to centre them, ``(D,)``.
        values: Of the factors before, as they are in the space, ``(n, F)``.
        action: What moves them.
        elements: Of its group that the actions are, ``(A, W)``.
        factor: Which of the action's factors each action moves, ``(A,)``.
        whole: Whether all states were drawn alike.
    """

    before: Floats
    after: Floats
    mean: Floats
    values: Integers
    action: FactorAction
    elements: Floats
    factor: Integers
    whole: bool

    def acted(self, values: Integers, actions: Integers) -> Integers:
        """The factors after an action each: ``(n, F)`` and ``(n,)`` to ``(n, F)``."""
        return self.action.act(values, self.elements[actions])

    @property
    def called(self) -> list[tuple[str, str]]:
        """Of every action the name of its factor, and what becomes of this: "+1", "−1" or "mirrored"."""
        steps = 2 * len(self.action.columns)
        done = [("+1", "−1")[a % 2] if a < steps else "mirrored" for a in range(len(self.factor))]
        return [
            (self.action.space.names[self.action.columns[f]], what) for f, what in zip(self.factor, done, strict=True)
        ]

    def of_factors(self, each: Floats) -> dict[str, float]:
        """The mean of what belongs to each action, by the column of its factor in the space."""
        return {str(c): float(each[self.factor == f].mean()) for f, c in enumerate(self.action.columns)}


def stepped(
    sampler: Sampler,
    count: int,
    generator: np.random.Generator,
    factors: tuple[str, ...] = (),
    *,
    least: int = 1,
    mirrored: tuple[str, ...] | None = None,
    fit: int | None = None,
) -> Steps:
    """Samples before and after every step, all represented in one call.

    Args:
        sampler: The factors and their representation.
        count: How many samples.
        generator: Draws them.
        factors: Those that move; by default those that the sampler names, or all that can.
        least: How many these are at least.
        mirrored: Those among them that are mirrored too; by default those that the sampler names.
        fit: How many samples, the first ones, matrices are fitted to, half of them by default: where the sampler says
            what was seen, steps that begin and end there, and the others begin elsewhere.

    Raises:
        InvalidData: When fewer than ``least`` factors can move, or codes are not finite.
        InvalidOption: When a factor is mirrored that does not move.
    """
    factors = factors or sampler.moving
    mirrored = sampler.mirrored if mirrored is None else mirrored
    able = [f.name for f in sampler.space if f.kind != "categorical" and f.size > 1]
    if len(factors or able) < least:
        raise InvalidData(
            f"this needs at least {least} cyclic or ordinal factors of more than one value, but {sampler.space} has "
            f"{len(able)}: give a world in which more varies"
        )
    action = FactorAction(sampler.space, factors, kind="dihedral" if mirrored else "cyclic")
    names = [sampler.space.names[column] for column in action.columns]
    if fixed := [name for name in mirrored if name not in names]:
        raise InvalidOption(f"mirrored must be among {', '.join(names)}, which move, but holds {fixed[0]!r}")
    up, factor = action.steps(), np.repeat(np.arange(len(names)), 2)
    steps = np.stack([up, action.group.inverse(up)], axis=1).reshape(-1, up.shape[1])
    if mirrored:
        which = [names.index(name) for name in mirrored]
        steps, factor = np.concatenate([steps, action.mirrorings()[which]]), np.append(factor, which)
    fit = count // 2 if fit is None else fit

    def moved(values: Integers) -> list[Integers]:
        return [action.act(values, np.broadcast_to(step, (len(values), len(step)))) for step in steps]

    if (seen := sampler.seen) is None:
        values = sampler.space.sample(count, generator)
    else:
        known = _drawn(sampler, lambda v: np.all([seen(one) for one in (v, *moved(v))], axis=0), fit, generator)
        values = np.concatenate([known, begun(sampler, count - fit, generator)])
    codes = living(as_codes(sampler.represent(np.concatenate([values, *moved(values)])), "the sampler's codes"))
    codes = codes.reshape(len(steps) + 1, count, -1)
    mean = codes.mean(axis=(0, 1)) if seen is None else _centre(codes[0, :fit], codes[1:, :fit])
    return Steps(codes[0] - mean, codes[1:] - mean, mean, values, action, steps, factor, seen is None)


def _centre(before: Floats, after: Floats) -> Floats:
    """What all actions leave in place, as their best affine maps have it: ``(n, D)`` and ``(A, n, D)`` to ``(D,)``.

    The mean of states of which some are missing lies elsewhere.
    """
    mean = before.mean(axis=0)
    known = np.column_stack([before - mean, np.ones(len(before))])
    maps = np.linalg.pinv(known, rcond=1e-9) @ (after - mean)
    left = np.eye(len(mean)) - maps[:, :-1].swapaxes(1, 2)
    # In directions that nothing moves the mean will do.
    return np.asarray(mean + np.linalg.pinv(left.reshape(-1, len(mean)), rcond=1e-2) @ maps[:, -1].ravel())


def begun(sampler: Sampler, count: int, generator: np.random.Generator) -> Integers:
    """Factor values to be judged on: drawn from all, or from those that were not seen; ``(count, F)``."""
    if (seen := sampler.seen) is None:
        return sampler.space.sample(count, generator)
    return _drawn(sampler, lambda v: ~seen(v), count, generator)


def _drawn(
    sampler: Sampler, suit: Callable[[Integers], npt.NDArray[np.bool_]], count: int, generator: np.random.Generator
) -> Integers:
    """Factor values that suit, ``(count, F)``."""
    found = sampler.space.sample(0, generator)
    for _ in range(TRIES):
        if len(found) >= count:
            return found[:count]
        some = sampler.space.sample(POOL, generator)
        found = np.concatenate([found, some[suit(some)]])
    raise InvalidData(
        "steps are to be judged that begin where nothing was seen, by matrices fitted where all was seen, but in "
        f"{TRIES} draws there were too few of either: hold out less, or something"
    )


def fitted(before: Floats, after: Floats) -> Floats:
    """The linear map of each action with the least squared error: ``(n, D)`` and ``(A, n, D)`` to ``(A, D, D)``."""
    return np.asarray((np.linalg.pinv(before, rcond=1e-9) @ after).swapaxes(1, 2))


def applied(maps: Floats, codes: Floats, mean: Floats | float = 0.0) -> Floats:
    """Centred codes after each map of codes that are not: ``(A, D, D)`` and ``(n, D)`` to ``(A, n, D)``.

    The maps fitted here act on centred codes, a model's own on codes as they are.
    """
    return np.asarray(np.einsum("aij,nj->ani", maps, codes + mean) - mean)


def relative(error: Floats, scale: Floats) -> Floats:
    """Mean squares of vectors over those of others, ``(A, n, D)`` each to ``(A,)``; 1 where the others vanish."""
    above, below = (error**2).sum(axis=-1).mean(axis=-1), (scale**2).sum(axis=-1).mean(axis=-1)
    return np.asarray(np.divide(above, below, out=np.ones_like(above), where=below > 1e-12))


def matched(matrices: Floats, steps: Steps) -> Floats:
    """A model's own matrices matched to the true actions, as they explain them best: ``(K, D, D)`` to ``(A, D, D)``.

    True actions for which no matrix is left over have the identity.
    """
    made = applied(matrices, steps.before, steps.mean)
    error = ((made[:, None] - steps.after[None]) ** 2).sum(axis=-1).mean(axis=-1)
    own, true = match(-error)
    chosen = np.tile(np.eye(matrices.shape[1]), (len(steps.after), 1, 1))
    chosen[true] = matrices[own]
    return chosen


def turn(maps: Floats, plane: Floats) -> Floats:
    """By what angle maps turn a plane, in radians: ``(A, D, D)`` and ``(A, D, 2)`` to ``(A,)`` in 0 .. pi."""
    block = np.linalg.pinv(plane, rcond=1e-9) @ maps @ plane
    angle = np.arctan2(block[:, 1, 0] - block[:, 0, 1], block[:, 0, 0] + block[:, 1, 1])
    return np.abs(angle)


def regressed(steps: Steps, count: int) -> tuple[Floats, Floats]:
    """The first codes regressed on cosine and sine of each factor that moves, ``(D, 2F')``, and these on the codes.

    Args:
        steps: Codes and factors.
        count: How many samples.
    """
    action, codes = steps.action, steps.before[:count]
    angle = 2 * np.pi * steps.values[:count, action.columns] / action.sizes
    harmonics = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(count, -1)
    if steps.whole:
        harmonics = harmonics - harmonics.mean(axis=0)
    made = np.linalg.pinv(harmonics, rcond=1e-9) @ codes, np.linalg.pinv(codes, rcond=1e-9) @ harmonics
    return np.asarray(made[0].T), np.asarray(made[1].T)


def ideal(steps: Steps, basis: Floats, reader: Floats) -> Floats:
    """What each action should do to centred codes in the basis that suits it best, ``(A, D, D)``."""
    turns = steps.action.ideal(steps.elements) - np.eye(basis.shape[1])
    return np.asarray(np.eye(len(basis)) + basis @ turns @ reader)
