"""Search: which settings are tried, and which of them go on.

A search is a function of the study's file and of the records of its cells, and of nothing else: which setting is tried
next, and whether one goes on, follows from the trials before it, in an order that does not depend on which worker was
faster. So it needs no database of its own; it is gone through again from the records whenever it is asked for.

References:
    Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011: the choice of settings ("tpe").
    Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, arXiv:1810.05934: stopping.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unbraid.errors import InvalidData, MissingExtra
from unbraid.study.sought import Search
from unbraid.study.spec import Cell
from unbraid.study.work import Outcome

__all__ = ["Hunt", "Known", "Tried", "Visit"]

Known = Callable[["Visit"], Outcome | None]
"""What came of a visit, or None when it has not ended."""


@dataclass(frozen=True)
class Visit:
    """Work on a cell that is done at one go.

    Args:
        cell: The cell.
        scores: What is measured at the end of it.
        until: The step that it is trained to for now; None for the last.
    """

    cell: Cell
    scores: tuple[str, ...]
    until: int | None = None

    @property
    def key(self) -> tuple[str, int | None]:
        """A name for it."""
        return self.cell.key, self.until


@dataclass
class Tried:
    """One setting of a search.

    Args:
        number: Its place, from 0.
        cells: One a seed.
        asked: What optuna knows of it.
        values: The median of the score over the seeds, at each step where it was judged.
        state: ``"open"``, ``"done"``, ``"stopped"`` because others were better, ``"failed"`` as one of its cells has.
    """

    number: int
    cells: tuple[Cell, ...]
    asked: Any
    values: list[float] = field(default_factory=list)
    state: str = "open"


class Hunt:
    """A search under way.

    Args:
        search: What is searched.
        scores: What is measured of cells that are trained to the end.

    Raises:
        MissingExtra: When optuna is not installed.
    """

    def __init__(self, search: Search, scores: tuple[str, ...]) -> None:
        try:
            import optuna
        except ImportError:
            raise MissingExtra("a study that searches", "search") from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        goal, of = search.goal, optuna.distributions
        samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
        self.search, self.scores, self.trials = search, scores, list[Tried]()
        self.rungs, self._told, self._states = goal.rungs(search.cell.steps), 0, optuna.trial.TrialState
        kinds: dict[bool, Any] = {True: of.IntDistribution, False: of.FloatDistribution}
        self._space: dict[str, Any] = {
            name: kinds[one.whole](one.low, one.high, log=one.log) for name, one in search.ranges.items()
        }
        self._study = optuna.create_study(
            sampler=samplers[goal.sampler](seed=goal.seed), direction="minimize" if goal.lower else "maximize"
        )

    def visits(self, known: Known) -> list[Visit]:
        """Every visit that follows from what is known, those that have ended included."""
        goal, found = self.search.goal, list[Visit]()
        for trial in self.trials:
            self._go_on(trial, known)
        while len(self.trials) < goal.trials and self._ended(len(self.trials) - goal.ahead):
            self._go_on(self._ask(), known)
        for trial in self.trials:
            reached = len(trial.values) + (trial.state in ("open", "failed"))
            found += [visit for rung in self.rungs[:reached] for visit in self._at(trial, rung)]
        return found

    def best(self) -> list[Tried]:
        """The trials that came to their end, best first."""
        done = [trial for trial in self.trials if trial.state == "done"]
        return sorted(done, key=lambda trial: trial.values[-1], reverse=not self.search.goal.lower)

    def why(self, trial: Tried) -> str:
        """Why a trial that did not come to its end did not."""
        if trial.state == "failed":
            return f"another seed of trial {trial.number} failed"
        goal, step = self.search.goal, self.rungs[len(trial.values) - 1]
        return (
            f"trial {trial.number} had a median {goal.score} of {trial.values[-1]:.3f} after {step:,} steps, which is "
            f"not among the best 1/{goal.eta}"
        )

    def _at(self, trial: Tried, rung: int | None) -> Iterator[Visit]:
        name = self.search.goal.score.partition(".")[0]
        scores = self.scores if rung is None else (name,) if name in self.scores or "all" in self.scores else ()
        return (Visit(cell, scores, rung) for cell in trial.cells)

    def _ended(self, last: int) -> bool:
        """Whether all trials up to one have ended."""
        return all(trial.state != "open" for trial in self.trials[: max(0, last + 1)])

    def _ask(self) -> Tried:
        # Told is what every run of this search knows by now, and nothing that happens to be known already.
        while self._told <= len(self.trials) - self.search.goal.ahead:
            trial = self.trials[self._told]
            self._told += 1
            if trial.state == "stopped":
                trial.asked.report(trial.values[-1], self.rungs[len(trial.values) - 1] or 0)
            state = {"done": None, "stopped": self._states.PRUNED, "failed": self._states.FAIL}[trial.state]
            self._study.tell(trial.asked, trial.values[-1] if state is None else None, state=state)
        asked = self._study.ask(self._space)
        ranges = self.search.ranges
        values = {name: ranges[name].rounded(value) for name, value in asked.params.items()}
        self.trials.append(Tried(len(self.trials), self.search.cells(values), asked))
        return self.trials[-1]

    def _go_on(self, trial: Tried, known: Known) -> None:
        """Take in what is known of a trial, rung by rung."""
        while trial.state == "open":
            rung = self.rungs[len(trial.values)]
            outcomes = [known(visit) for visit in self._at(trial, rung)]
            if None in outcomes:
                return
            values = [self._value(one) for one in outcomes if one]
            if not np.isfinite(values).all():
                trial.state = "failed"
                return
            trial.values.append(float(np.median(values)))
            if rung is None:
                trial.state = "done"
            elif not self._promising(trial):
                trial.state = "stopped"

    def _value(self, outcome: Outcome) -> float:
        score, values = self.search.goal.score, outcome.values or {}
        if outcome.state == "done" and score not in values:
            raise InvalidData(f"cells have no {score!r} to search by, only {', '.join(values)}: choose one of these")
        return float(values.get(score, math.nan))

    def _promising(self, trial: Tried) -> bool:
        """Whether it is among the best 1 / eta, rounded up, of those that were known when it began, and itself."""
        place, goal = len(trial.values) - 1, self.search.goal
        before = self.trials[: max(0, trial.number - goal.ahead + 1)]
        values = [one.values[place] for one in (*before, trial) if len(one.values) > place]
        better = sum(value < trial.values[place] if goal.lower else value > trial.values[place] for value in values)
        return better < math.ceil(len(values) / goal.eta)
