"""What a study is to search for, as its file says it: ranges in place of values, and a score to be made best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unbraid.study.spec import Cell

__all__ = ["GOAL", "SAMPLERS", "Goal", "Range", "Search"]

GOAL = ("score", "trials", "after", "eta", "ahead", "sampler", "seed")
"""What may be said of a search."""
SAMPLERS = ("tpe", "random")
KINDS = ("options", "fit")
"""What of a cell may be searched."""


@dataclass(frozen=True)
class Range:
    """Any number from ``low`` to ``high``.

    Args:
        low: The least.
        high: The greatest.
        log: Whether it is searched by orders of magnitude; ``low`` is then above 0.
        whole: Whether it is a whole number.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{' (log)' if self.log else ''}"

    def rounded(self, value: float) -> float:
        """A value of the range in four digits, which is how far a search can tell values apart."""
        if self.whole:
            return int(value)
        return min(max(float(f"{value:.4g}"), self.low), self.high)


@dataclass(frozen=True)
class Goal:
    """What makes a setting good, and how many are tried.

    Args:
        score: A score or a part of one; of a setting, the median over its seeds counts.
        trials: How many settings, at least 1.
        lower: Whether less of the score is better.
        ahead: How many are tried at once, at least 1: a setting is chosen by all before it but the last of these. It is
            no matter of the machine: the same search on more or fewer workers tries the same settings.
        sampler: How they are chosen: ``"tpe"`` where those before were good, or at ``"random"``.
        seed: What the choice depends on.
        after: Steps after which a setting may be stopped; None never does.
        eta: By what factor more steps the next occasion follows, and which share goes on at each: the best 1 / eta.
    """

    score: str
    trials: int = 20
    lower: bool = False
    ahead: int = 4
    sampler: str = "tpe"
    seed: int = 0
    after: int | None = None
    eta: int = 3

    def __str__(self) -> str:
        stop = f"; at {self.after:,} steps and its multiples the best 1/{self.eta} go on" if self.after else ""
        return f"{'least' if self.lower else 'greatest'} {self.score}, {self.trials} trials ({self.sampler}){stop}"

    def rungs(self, steps: int) -> list[int | None]:
        """The steps at which a setting is judged; None for the end.

        >>> Goal("mig", after=100, eta=3).rungs(1000)
        [100, 300, 900, None]
        """
        found, step = list[int | None](), self.after or steps
        while step < steps:
            found.append(step)
            step *= self.eta
        return [*found, None]


@dataclass(frozen=True)
class Search:
    """Settings of one model on one world.

    Args:
        cell: A cell that has ranges in place of some values.
        seeds: With which each setting is tried.
        goal: What is searched for.
    """

    cell: Cell
    seeds: tuple[int, ...]
    goal: Goal = field(default_factory=lambda: Goal("mig"))

    @property
    def size(self) -> int:
        """How many cells there will be."""
        return self.goal.trials * len(self.seeds)

    @property
    def ranges(self) -> dict[str, Range]:
        """What is searched, by name: an option of the model as ``beta``, one of training as ``fit.learning_rate``."""
        return {
            name if kind == "options" else f"{kind}.{name}": value
            for kind in KINDS
            for name, value in getattr(self.cell, kind).items()
            if isinstance(value, Range)
        }

    def cells(self, values: Mapping[str, float]) -> tuple[Cell, ...]:
        """The cells of a setting, one a seed."""
        made: dict[str, Any] = {
            kind: {
                name: values[name if kind == "options" else f"{kind}.{name}"] if isinstance(value, Range) else value
                for name, value in getattr(self.cell, kind).items()
            }
            for kind in KINDS
        }
        return tuple(replace(self.cell, **made, seed=seed) for seed in self.seeds)

    def ends(self) -> Sequence[Cell]:
        """Two cells between which all others lie, to see whether the ranges can be."""
        return [
            self.cells({name: getattr(value, end) for name, value in self.ranges.items()})[0] for end in ("low", "high")
        ]
