"""What is asked of a world's images: its factors, put so that an image can answer.

Where two values of a factor draw the same image, the question is asked up to that symmetry too; where a factor is not
in the image at all, it is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unbraid.types import Factor, Floats, Integers
from unbraid.world import World

__all__ = ["Question", "questions"]

Asked = Callable[[Integers], tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]]


@dataclass(frozen=True)
class Question:
    """One thing to be read from an image.

    Args:
        factor: What, as the table calls it.
        kind: Of the factor.
        size: How many answers there are.
        asked: From factors ``(B, F)`` to the answers ``(B,)``, value indices (for a cycle, which may be a part of
            the factor's own, they may be fractions), and whether each image has one.
    """

    factor: str
    kind: Literal["categorical", "ordinal", "cyclic"]
    size: int
    asked: Asked

    @property
    def outputs(self) -> int:
        """How many numbers answer it: logits, a value, or cosine and sine."""
        return {"categorical": self.size, "ordinal": 1, "cyclic": 2}[self.kind]

    def answer(self, factors: Integers) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """What a network should say, ``(B,)`` or ``(B, outputs)``, and of which images."""
        value, there = self.asked(factors)
        if self.kind == "categorical":
            return value, there
        if self.kind == "cyclic":
            angle = 2 * np.pi * value / self.size
            return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32), there
        # Of variance 1 where all values are alike often.
        spread = np.sqrt((self.size**2 - 1) / 12)
        return ((value - (self.size - 1) / 2) / spread).astype(np.float32)[:, None], there

    def judged(self, said: Floats, factors: Integers) -> dict[str, Any]:
        """The part of right answers, beside that of the commonest one; or the part of the variance explained, R2."""
        truth, there = self.answer(factors)
        said, truth = said[there], truth[there]
        if self.kind == "categorical":
            right, common = float((said.argmax(axis=1) == truth).mean()), float(np.bincount(truth).max() / len(truth))
            return {"factor": self.factor, "measure": "accuracy", "value": round(right, 4), "chance": round(common, 4)}
        missed, spread = np.square(said - truth).sum(), np.square(truth - truth.mean(axis=0)).sum()
        return {"factor": self.factor, "measure": "R2", "value": round(float(1 - missed / spread), 4)}


def questions(name: str, world: World) -> list[Question]:
    """Everything that is asked of a world."""
    if name == "scenes":
        return _scenes(world)
    columns = [_column(world, column, factor) for column, factor in enumerate(world.space)]
    if name == "sprites":
        columns = [column for column in columns if column.factor != "orientation"] + _turned(world)
    return columns


def _column(world: World, column: int, factor: Factor) -> Question:
    """A factor as it is, of the images that show it."""

    def asked(factors: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
        shown = world.relevant(factors)[:, column] if hasattr(world, "relevant") else np.ones(len(factors), dtype=bool)
        return factors[:, column], shown

    return Question(factor.name, factor.kind, factor.size, asked)


def _turned(world: World) -> list[Question]:
    """The orientation of each shape: as it is, and up to the turns that leave the shape as it is."""
    shape, orientation = (world.space.position(name) for name in ("shape", "orientation"))
    # The last value is a full turn, and so the first again.
    around = world.space["orientation"].size - 1

    def of(kind: int, times: int) -> Asked:
        return lambda factors: (factors[:, orientation] * times, factors[:, shape] == kind)

    return [
        Question(f"orientation of {name}", "cyclic", around, of(kind, times))
        for kind, times, name in (
            (2, 1, "hearts"),
            (1, 1, "ellipses"),
            (1, 2, "ellipses, up to half turns"),
            (0, 1, "squares"),
            (0, 4, "squares, up to quarter turns"),
        )
    ]


def _scenes(world: Any) -> list[Question]:
    """The objects from left to right, since an image does not tell which of them was drawn first."""
    per = (len(world.space.names) - 1) // world.most

    def asked(place: int, column: int) -> Asked:
        def of(factors: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
            slots = factors[:, 1:].reshape(len(factors), world.most, per)
            there = np.arange(world.most) < factors[:, :1] + world.fewest
            # Those that are not there come last; of two that stand above each other, the upper one first.
            order = np.argsort(np.where(there, slots[..., -2] * 100 + slots[..., -1], 1 << 20), axis=1)
            chosen = order[:, place]
            rows = np.arange(len(factors))
            return slots[rows, chosen, column], there[rows, chosen]

        return of

    count = _column(world, 0, world.space.all[0])
    places = ("first", "second", "third", "fourth")
    return [count] + [
        Question(f"{factor.name.removesuffix('_1')} of the {places[place]}", factor.kind, factor.size, asked(place, c))
        for place in range(world.most)
        for c, factor in enumerate(world.space.all[1 : 1 + per])
    ]
