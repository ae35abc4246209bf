"""What the actions of a model do to codes, step by step, beside what they do to images of the world."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, cast

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.plots._style import plain
from unbraid.runs.encode import abilities, choose, encode
from unbraid.runs.run import Run
from unbraid.types import Floats, Integers
from unbraid.views.orbits import Orbits

__all__ = ["FAR", "Acting"]

FAR = 1e4
"""Codes are cut off here: a decoder says nothing of them, and overflows far beyond; and matrices may make them grow."""
UNKNOWN = 12
"""How many steps are taken by an action that is none of the view's."""
SEEN = 64
"""How many images are looked at, to tell what an action does."""
ENOUGH = 0.5
"""What a matrix may leave of the squared step of the action that it is called by."""


class Acting:
    """The actions of one run.

    Args:
        run: A finished run of a model whose actions are matrices.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.matrices = run, cast("Floats", abilities(run.model, run.world)["matrices"])
        view = run.config["view"]
        self.view = Orbits(run.world, **view["options"]) if view["name"] == "orbits" else None

    @property
    def about(self) -> list[dict[str, Any]]:
        """Of every action its name, and how many steps go once round what it moves, or from end to end."""
        return [{"name": name, "times": times} for name, times in map(self._told, range(len(self.matrices)))]

    @cached_property
    def meant(self) -> list[int | None]:
        """Which action of the view each matrix is: the one that the model was told, or else the one that it does best.

        None where it leaves more than half of the squared step that the view's action makes.
        """
        unknown: list[int | None] = [None] * len(self.matrices)
        if self.view is None:
            return unknown
        if getattr(self.run.model, "told", False):
            return [a if a < len(self.view.actions_table) else None for a in range(len(self.matrices))]
        world, model = self.run.world, self.run.model
        first = choose(world, SEEN, seed=0)
        factors = world.factors(first)
        try:
            after = [
                world.index(self.view.act(factors, np.full(len(first), action)))
                for action in range(len(self.view.actions_table))
            ]
        except InvalidData:
            return unknown
        before = encode(model, world, first)
        made = np.einsum("aij,bj->abi", self.matrices, before)
        found = np.stack([encode(model, world, index) for index in after])
        still = np.square(found - before).sum(axis=2).mean(axis=1)
        still = np.where(still > 0, still, still.max())  # what changes nothing is held to the steps of the others
        left = np.square(made[:, None] - found).sum(axis=3).mean(axis=2) / np.maximum(still, np.finfo(float).tiny)
        return [int(row.argmin()) if row.min() < ENOUGH else None for row in left]

    def _told(self, action: int) -> tuple[str, int]:
        if self.view is None or (meant := self.meant[action]) is None:
            return f"action {action}", UNKNOWN
        step, mirrors = self.view.actions_table[meant], self.view.mirrors_table[meant]
        if mirrors.any():
            return f"{plain(self.run.world.space.all[int(mirrors.argmax())].name)} mirrored", 2
        if not step.any():
            return "nothing", 1
        (moved,) = np.flatnonzero(step)
        factor, by = self.run.world.space.all[moved], int(step[moved])
        round_trip = factor.size // math.gcd(factor.size, by)
        goes_round = factor.kind == "cyclic" or self.view.ends == "wrap"
        return f"{plain(factor.name)} {by:+d}".replace("-", "−"), round_trip if goes_round else factor.size - 1

    def orbit(self, code: Floats, action: int, times: int, image: int | None) -> dict[str, Any]:
        """The codes that an action leads to, and the plane in which they lie.

        Args:
            code: Where it begins, ``(D,)``.
            action: Which action.
            times: How many steps.
            image: The image that the code is of, or None where it is of none: then the world's own orbit is told too.

        Returns:
            ``codes`` ``(times + 1, D)``; ``centre`` ``(D,)`` and ``directions`` ``(2, D)`` of the plane in which they
            vary most; ``images`` and ``truth``, the world's images after as many steps and their codes, or None.

        Raises:
            InvalidOption: When there is no such action.
        """
        if action >= len(self.matrices):
            raise InvalidOption(f"this model has {len(self.matrices)} actions, numbered from 0")
        codes = [np.clip(code, -FAR, FAR)]
        for _ in range(times):
            codes.append(np.clip(self.matrices[action] @ codes[-1], -FAR, FAR))
        made = np.stack(codes)
        centre = made.mean(axis=0)
        directions = np.linalg.svd(made - centre, full_matrices=False)[2][:2]
        if len(directions) < 2:
            directions = np.concatenate([directions, np.zeros((2 - len(directions), len(code)))])
        images = None if image is None else self._images(image, action, times)
        truth = None if images is None else encode(self.run.model, self.run.world, images)
        return {
            "codes": made.round(5).tolist(),
            "centre": centre.round(5).tolist(),
            "directions": directions.round(5).tolist(),
            "images": None if images is None else images.tolist(),
            "truth": None if truth is None else truth.round(5).tolist(),
        }

    def _images(self, image: int, action: int, times: int) -> Integers | None:
        """The images that the world goes through, or None where it lacks one of them."""
        if self.view is None or (meant := self.meant[action]) is None:
            return None
        states = [self.run.world.factors(np.array([image]))]
        for _ in range(times):
            states.append(self.view.act(states[-1], np.array([meant])))
        try:
            found = self.run.world.index(np.concatenate(states))
        except InvalidData:
            return None
        found[0] = image  # where several images have the same factors, it is this one that was asked for
        return found
