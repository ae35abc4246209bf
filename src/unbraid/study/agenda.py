"""What of a study is to be computed now, by what is known of it."""

from __future__ import annotations

from collections.abc import Iterator

from unbraid.study.search import Hunt, Tried, Visit
from unbraid.study.spec import Cell, Spec
from unbraid.study.store import Store
from unbraid.study.work import Outcome, ended, record

__all__ = ["Agenda"]


class Agenda:
    """All that a study asks for: its grid, and its searches as far as they are known.

    Args:
        spec: The study.
        store: Where it is kept.
    """

    def __init__(self, spec: Spec, store: Store) -> None:
        self.spec, self.store = spec, store
        self.hunts = [Hunt(search, spec.scores) for search in spec.searches]
        self._grid = [Visit(cell, spec.scores) for cell in spec.cells]
        self._known: dict[tuple[str, int | None], Outcome | None] = {}

    def follow(self) -> Iterator[Visit]:
        """What is to be computed and was not named before; what is recorded already is taken in on the way."""
        more = True
        while more:
            more = False
            for visit in self._visits():
                if visit.key in self._known:
                    continue
                found = record(self.store, visit.cell, visit.until)
                self._known[visit.key] = found if found is not None and ended(found, visit.scores) else None
                if self._known[visit.key] is None:
                    yield visit
                else:
                    more = True

    def learn(self, visit: Visit, outcome: Outcome) -> None:
        """Take in what came of a visit."""
        self._known[visit.key] = outcome

    def spent(self, visit: Visit) -> float:
        """Seconds that went before a visit to the same cell."""
        key, until = visit.key
        before = [one.seconds for (k, step), one in self._known.items() if k == key and one and step and step != until]
        return max(before, default=0.0)

    def outcomes(self) -> list[tuple[Cell, Outcome | None]]:
        """Every cell so far, and what came of it; None while it has not ended."""
        grid = [(visit.cell, self._known.get(visit.key)) for visit in self._grid]
        return grid + [(cell, outcome) for _, _, cell, outcome in self.tried()]

    def tried(self) -> Iterator[tuple[Hunt, Tried, Cell, Outcome | None]]:
        """Every cell of the searches so far, the trial it belongs to, and what came of it."""
        for hunt in self.hunts:
            for trial in hunt.trials:
                for cell in trial.cells:
                    yield hunt, trial, cell, self._outcome(hunt, trial, cell)

    def _outcome(self, hunt: Hunt, trial: Tried, cell: Cell) -> Outcome | None:
        known = [one for rung in hunt.rungs if (one := self._known.get((cell.key, rung))) is not None]
        if known and (known[-1].state == "failed" or self._known.get((cell.key, None))):
            return known[-1]
        if trial.state in ("stopped", "failed"):
            return Outcome("stopped", "unpromising", hunt.why(trial), seconds=known[-1].seconds if known else 0.0)
        return None

    def _visits(self) -> Iterator[Visit]:
        yield from self._grid
        for hunt in self.hunts:
            yield from hunt.visits(lambda visit: self._known.get(visit.key))
