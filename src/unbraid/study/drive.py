"""Brings every cell of a study to its end: hands them to an engine, tries again what was lost, keeps count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from unbraid.errors import RunError
from unbraid.files.whole import PART
from unbraid.runs import folder
from unbraid.study.agenda import Agenda
from unbraid.study.engine import Engine, Lost
from unbraid.study.results import rows
from unbraid.study.search import Visit
from unbraid.study.spec import Cell, Spec
from unbraid.study.store import Store
from unbraid.study.work import Outcome, Task, discard, lost

__all__ = ["SPEC", "Progress", "drive", "forget"]

ATTEMPTS = 4
"""How often a cell is begun before it counts as lost."""
BACK_OFF = 2.0
"""Seconds before the second attempt; each further one waits twice as long."""
HELD = 5.0
"""Seconds before another look at a cell that someone else computes."""
SPEC = "study.yaml"
"""What lies in the folder of a study: its file, as it was last run."""


@dataclass
class Progress:
    """How far a study is.

    Args:
        total: Cells there are.
        done: Cells that are finished.
        failed: Cells that are not, and will not be.
        stopped: Cells that a search does not bring to their end.
        running: Cells that are being computed, here or elsewhere.
        lost: What happened to workers, a line each.
        spent: Seconds of work on cells that ended since this began.
        ended: How many those were.
    """

    total: int
    done: int = 0
    failed: int = 0
    stopped: int = 0
    running: int = 0
    lost: list[str] = field(default_factory=list)
    spent: float = 0.0
    ended: int = 0

    def remaining(self, workers: int) -> float | None:
        """Seconds still to go by what cells have taken so far, or None before the first has ended."""
        left = self.total - self.settled
        return self.spent / self.ended * left / max(1, workers) if self.ended else None

    @property
    def settled(self) -> int:
        """Cells on which nothing more is to be done."""
        return self.done + self.failed + self.stopped

    def count(self, agenda: Agenda) -> None:
        """Take over how many cells are done, failed and stopped."""
        states = Counter(outcome.state for _, outcome in agenda.outcomes() if outcome is not None)
        self.done, self.failed, self.stopped = states["done"], states["failed"], states["stopped"]


@dataclass
class _Wait:
    visit: Visit
    due: float = 0.0
    attempts: int = 0


def drive(
    spec: Spec,
    root: str | Path,
    engine: Engine,
    *,
    notice: Callable[[Progress, Cell | None, Outcome | None], None] | None = None,
    back_off: float = BACK_OFF,
) -> Progress:
    """Bring every cell of a study to its end.

    Cells that are finished are not computed again; one that was begun is continued. Several processes may drive the
    same study: each cell is computed by one of them.

    Args:
        spec: The study.
        root: Where it is kept.
        engine: What computes; closed at the end, also by Ctrl-C.
        notice: Called whenever something has changed, with a cell and what came of it when it was that.
        back_off: Seconds before the second attempt at a cell whose worker was lost.

    Returns:
        How far it came, which is the end.

    Raises:
        RunError: When the place cannot be written, or holds something else.
    """
    store = Store(root)
    _claim(spec, store)
    agenda = Agenda(spec, store)
    waiting = [_Wait(visit) for visit in agenda.follow()]
    progress = Progress(spec.total)
    progress.count(agenda)
    before = progress.settled
    busy: dict[tuple[str, int | None], _Wait] = {}
    say = notice or (lambda progress, cell, outcome: None)
    say(progress, None, None)
    try:
        while waiting or busy:
            now = time.monotonic()
            for one in [one for one in waiting if one.due <= now][: engine.free()]:
                waiting.remove(one)
                busy[one.visit.key] = one
                engine.submit(_task(str(root), spec, agenda, one.visit))
            progress.running = len(busy)
            for task, outcome in engine.wait(0.5):
                one = busy.pop((task.cell.key, task.until))
                if isinstance(outcome, Lost):
                    one.attempts += 1
                    progress.lost.append(f"{task.cell}: {outcome.reason}")
                    if one.attempts < ATTEMPTS:
                        one.due = time.monotonic() + back_off * 2 ** (one.attempts - 1)
                        waiting.append(one)
                        say(progress, task.cell, None)
                        continue
                    outcome = _give_up(store, task.cell, one.attempts, outcome)
                if outcome.state == "held":
                    one.due = time.monotonic() + HELD
                    waiting.append(one)
                    continue
                agenda.learn(one.visit, outcome)
                waiting += [_Wait(visit) for visit in agenda.follow()]
                progress.count(agenda)
                progress.spent += outcome.seconds - task.spent
                progress.ended = progress.settled - before
                progress.running = len(busy)
                say(progress, task.cell, outcome)
    finally:
        engine.close()
    return progress


def forget(spec: Spec, root: str | Path) -> int:
    """Have the cells that failed computed anew by the next :func:`drive`; what was damaged is set aside, not removed.

    Returns:
        How many.
    """
    store = Store(root)
    failed = [row.cell for row in rows(spec, root) if row.state == "failed"]
    return sum(discard(store, cell) for cell in failed)


def _claim(spec: Spec, store: Store) -> None:
    if not store.remote:
        if Path(store.root).is_file():
            raise RunError(f"{store.root} is a file: choose a folder for the study with --out")
        folder.make(Path(store.root))
    # Looked at before the file is read: whoever else drives this study writes that file before all others.
    others = [name for name in store.names("") if not name.startswith(".") and name != f"{SPEC}{PART}"]
    if others and store.read(SPEC) is None:
        raise RunError(f"{store.root} holds files but no study: choose an empty or a new folder with --out")
    # The same cells go by the same names, so a study may grow; what it no longer asks for stays, and is not shown.
    store.write(SPEC, spec.text.encode())


def _task(root: str, spec: Spec, agenda: Agenda, visit: Visit) -> Task:
    return Task(root, visit.cell, visit.scores, spec.samples, visit.until, agenda.spent(visit))


def _give_up(store: Store, cell: Cell, attempts: int, loss: Lost) -> Outcome:
    reason = f"given up after {attempts} attempts, the last because {loss.reason}"
    try:
        return lost(store, cell, reason)
    except OSError:  # where nothing can be written, nothing can be recorded either
        return Outcome("failed", "lost", reason)
