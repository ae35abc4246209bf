"""Brings every cell of a study to its end: hands them to an engine, tries again what was lost, keeps count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from unbraid.errors import RunError
from unbraid.runs import folder
from unbraid.study.engine import Engine, Lost
from unbraid.study.spec import Cell, Spec
from unbraid.study.store import Store
from unbraid.study.work import CELLS, Outcome, Task, lost, measured, record

__all__ = ["Progress", "drive", "forget"]

ATTEMPTS = 4
"""How often a cell is begun before it counts as lost."""
BACK_OFF = 2.0
"""Seconds before the second attempt; each further one waits twice as long."""
HELD = 5.0
"""Seconds before another look at a cell that someone else computes."""
SPEC = "study.yaml"


@dataclass
class Progress:
    """How far a study is.

    Args:
        total: Cells there are.
        done: Cells that are finished.
        failed: Cells that are not, and will not be.
        running: Cells that are being computed, here or elsewhere.
        lost: What happened to workers, a line each.
        spent: Seconds of work on cells that ended since this began.
        ended: How many those were.
    """

    total: int
    done: int = 0
    failed: int = 0
    running: int = 0
    lost: list[str] = field(default_factory=list)
    spent: float = 0.0
    ended: int = 0

    def remaining(self, workers: int) -> float | None:
        """Seconds still to go by what cells have taken so far, or None before the first has ended."""
        left = self.total - self.done - self.failed
        return self.spent / self.ended * left / max(1, workers) if self.ended else None


@dataclass
class _Wait:
    cell: Cell
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
    progress = Progress(len(spec.cells))
    say = notice or (lambda progress, cell, outcome: None)
    waiting: list[_Wait] = []
    for cell in spec.cells:
        known = record(store, cell)
        if known is not None and (known.state == "failed" or measured(known, spec.scores)):
            _count(progress, known)
        else:
            waiting.append(_Wait(cell))
    busy: dict[str, _Wait] = {}
    say(progress, None, None)
    try:
        while waiting or busy:
            now = time.monotonic()
            for one in [one for one in waiting if one.due <= now][: engine.free()]:
                waiting.remove(one)
                busy[one.cell.key] = one
                engine.submit(Task(str(root), one.cell, spec.scores, spec.samples))
            progress.running = len(busy)
            for task, outcome in engine.wait(0.5):
                one = busy.pop(task.cell.key)
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
                progress.spent += outcome.seconds
                progress.ended += 1
                _count(progress, outcome)
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
    store, count = Store(root), 0
    for cell in spec.cells:
        known = record(store, cell)
        if known is None or known.state != "failed":
            continue
        count += 1
        store.remove(f"{CELLS}/{cell.key}.json")
        if known.kind != "lost":  # it would end the same way from its checkpoint
            store.set_aside(f"{CELLS}/{cell.key}")
    return count


def _claim(spec: Spec, store: Store) -> None:
    if not store.remote:
        if Path(store.root).is_file():
            raise RunError(f"{store.root} is a file: choose a folder for the study with --out")
        folder.make(Path(store.root))
    if store.read(SPEC) is None and store.names(""):
        raise RunError(f"{store.root} holds files but no study: choose an empty or a new folder with --out")
    # The same cells go by the same names, so a study may grow; what it no longer asks for stays, and is not shown.
    store.write(SPEC, spec.text.encode())


def _count(progress: Progress, outcome: Outcome) -> None:
    if outcome.state == "done":
        progress.done += 1
    else:
        progress.failed += 1


def _give_up(store: Store, cell: Cell, attempts: int, loss: Lost) -> Outcome:
    reason = f"given up after {attempts} attempts, the last because {loss.reason}"
    try:
        return lost(store, cell, reason)
    except OSError:  # where nothing can be written, nothing can be recorded either
        return Outcome("failed", "lost", reason)
