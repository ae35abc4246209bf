"""Sequences of images under actions: the supervision of symmetry.

References:
    Caselles-Dupré, Garcia-Ortiz and Filliat, "Symmetry-based disentangled representation learning requires interaction
    with environments", NeurIPS 2019.
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Integers
from unbraid.view import OrbitBatch, View
from unbraid.views._lookup import Lookup, columns, complete, names
from unbraid.world import World

__all__ = ["Orbits"]

SHOWN, ENDS = ("shown", "hidden"), ("reflect", "stay", "wrap")


class Orbits(View):
    r"""Sequences in which every frame is made from the one before by a step of one factor.

    With F' factors that may move there are 2F' actions, all equally likely: action 2f adds ``step`` to the f-th of
    them, action 2f + 1 takes it away; then come the mirrorings of the factors that are ``mirrored``, v to -v modulo n,
    so that not all actions commute; with ``still`` there is one more, which changes nothing. A cyclic factor goes
    round, so that its actions generate a cyclic group. An ordinal factor ends somewhere; there it is ``reflect``-ed,
    stays, or goes round too (``wrap``), as in Painter et al., where every factor of dSprites is a cycle.

    The first frame is drawn as the world has them. Where a world lacks an image on the way, the sequence is drawn
    again; where it has several for a frame, one of them is taken.

    Args:
        world: The world.
        batch_size: Sequences in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        factors: The factors that move, cyclic or ordinal; all of these by default. Actions follow the world's order.
        length: Actions in a sequence, L, at least 1.
        actions: Whether the batch tells the actions: ``shown`` or ``hidden``.
        intermediate: Whether the frames between the first and the last are shown: T is L + 1, else 2.
        step: By how many values an action moves its factor, at least 1 and less than the factor has.
        ends: What an ordinal factor does at its ends: ``reflect``, ``stay`` or ``wrap``.
        still: Whether there is an action that changes nothing.
        mirrored: The factors that an action each mirrors, among those that move; none by default.

    Attributes:
        actions_table: What each action adds to the world's factors, int64 ``(A, F)``.
        mirrors_table: Which of them each action mirrors, bool ``(A, F)``.

    Raises:
        UnknownName: When the world has no such factor.
        InvalidOption: When an option is out of range, or a factor cannot move.

    >>> from unbraid.worlds.sprites import Sprites
    >>> view = Orbits(Sprites(), batch_size=4, factors=("x", "y"), length=3, ends="wrap")
    >>> view.batch(0).x.shape, view.actions_table.tolist()
    (torch.Size([4, 4, 1, 64, 64]), [[0, 0, 0, 1, 0], [0, 0, 0, -1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, -1]])
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        factors: tuple[str, ...] = (),
        length: int = 1,
        actions: Literal["shown", "hidden"] = "shown",
        intermediate: bool = True,
        step: int = 1,
        ends: Literal["reflect", "stay", "wrap"] = "reflect",
        still: bool = False,
        mirrored: tuple[str, ...] = (),
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        require_at_least(1, length=length, step=step)
        for option, value, known in (("actions", actions, SHOWN), ("ends", ends, ENDS)):
            if value not in known:
                raise InvalidOption(f"{option} must be one of {', '.join(known)}, but is {value!r}")
        self.factors, self.length, self.actions, self.intermediate = names(factors), length, actions, intermediate
        self.step, self.ends, self.still, self.mirrored = step, ends, still, names(mirrored)
        moving = columns(world.space, self.factors, "an action", ("ordinal", "cyclic"))
        for factor in (world.space.all[column] for column in moving):
            if step >= factor.size:
                raise InvalidOption(f"step must be less than the {factor.size} values of {factor.name}, but is {step}")
        up = step * np.eye(len(world.space.all), dtype=np.int64)[moving]
        self.actions_table: Integers = np.stack([up, -up], axis=1).reshape(-1, up.shape[1])
        mirroring = np.array([world.space.position(name) for name in self.mirrored], dtype=np.int64)
        if len(fixed := np.setdiff1d(mirroring, moving)):
            raise InvalidOption(
                f"mirrored must be among the factors that move, {', '.join(world.space.names[c] for c in moving)}, "
                f"but {world.space.names[fixed[0]]} is not"
            )
        more = np.zeros((len(mirroring) + still, up.shape[1]), dtype=np.int64)
        self.mirrors_table = np.zeros((2 * len(moving) + len(more), up.shape[1]), dtype=bool)
        self.mirrors_table[2 * len(moving) + np.arange(len(mirroring)), mirroring] = True
        self.actions_table = np.concatenate([self.actions_table, more])
        self._sizes = np.array(world.space.sizes)
        self._rounds = np.array([ends == "wrap" or factor.kind == "cyclic" for factor in world.space])
        self._lookup = Lookup(world)

    def act(self, factors: Integers, actions: Integers) -> Integers:
        """The factors after an action each: ``(B, F)`` and ``(B,)`` to ``(B, F)``."""
        moved, top = factors + self.actions_table[actions], self._sizes - 1
        # What is below 0 or above the top is mirrored there.
        ended = np.clip(moved, 0, top) if self.ends == "stay" else top - np.abs(top - np.abs(moved))
        after: Integers = np.where(self._rounds, moved % self._sizes, ended)
        return np.where(self.mirrors_table[actions], -factors % self._sizes, after)

    def batch(self, step: int) -> OrbitBatch:
        """``batch_size`` sequences."""
        generator = self.generator(step)

        def draw(count: int) -> Integers:
            first = self.world.sample(count, generator)
            actions = generator.integers(0, len(self.actions_table), (count, self.length))
            states = [self.world.factors(first)]
            for column in actions.T:
                states.append(self.act(states[-1], column))
            later = np.stack(states[1:] if self.intermediate else states[-1:], axis=1)
            frames = self._lookup.find(later.reshape(-1, later.shape[2]), generator).reshape(count, -1)
            return np.column_stack([actions, first, frames])

        rows = complete(self.batch_size, draw, lambda: f"the world lacks images on the way of {self!r}")
        actions, index = (part.copy() for part in np.split(rows, [self.length], axis=1))
        told = torch.from_numpy(actions) if self.actions == "shown" else None
        return OrbitBatch(self.show(index), torch.from_numpy(index), told, len(self.world))
