"""One cell of a study: trained, measured, recorded. The same code whatever engine calls it, and wherever.

A cell's record is written last and whole, so that a cell is finished exactly once: a worker that dies leaves a run
folder with a checkpoint, and the next one that is given the cell continues it.
"""

from __future__ import annotations

import json
import platform
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unbraid import registry
from unbraid.errors import RunError, UnbraidError
from unbraid.files.whole import claimed
from unbraid.study.spec import Cell
from unbraid.study.store import Store

if TYPE_CHECKING:
    from unbraid.model import Model
    from unbraid.world import World

__all__ = ["CELLS", "Outcome", "Task", "discard", "ended", "lost", "record", "work"]

CELLS = "cells"
State = Literal["done", "failed", "held", "stopped"]
Kind = Literal["", "nan", "error", "damaged", "lost", "unpromising"]


@dataclass(frozen=True)
class Task:
    """What a worker is given.

    Args:
        root: Where the study is kept.
        cell: The cell.
        scores: What is measured.
        samples: How many images are encoded for that.
        until: The step to train to for now; None for the last.
        spent: Seconds that it took before, up to a step that was recorded.
    """

    root: str
    cell: Cell
    scores: tuple[str, ...]
    samples: int
    until: int | None = None
    spent: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of a cell.

    Args:
        state: ``"done"``; ``"failed"``, by a fault of its own, which is not tried again; ``"held"`` by another worker;
            ``"stopped"`` by its search.
        kind: Of a failure: ``"nan"``, ``"error"``, a ``"damaged"`` folder, or ``"lost"`` with its workers.
        reason: A sentence.
        values: What was measured, by name; parts as ``dci.completeness``.
        seconds: How long it took, over all attempts that lived to tell.
        host: Where it ended.
    """

    state: State
    kind: Kind = ""
    reason: str = ""
    values: Mapping[str, float] | None = None
    seconds: float = 0.0
    host: str = ""


def work(task: Task) -> Outcome:
    """Bring a cell to its end, and record it.

    Faults of the machine (no room, no memory, a file system that is gone) are raised, for another attempt may succeed;
    faults of the cell itself are recorded.
    """
    store, began = Store(task.root), time.monotonic()
    with _held(store, task.cell) as ours:
        if not ours:
            return Outcome("held")
        known = record(store, task.cell, task.until)
        if known is not None and ended(known, task.scores):
            return known
        try:
            with store.here(f"{CELLS}/{task.cell.key}") as path:
                values = _values(task, path)
            outcome = Outcome("done", values=values)
        except (OSError, MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever a model does, the other cells go on
            outcome = Outcome("failed", *_fault(error))
            text = "".join(traceback.format_exception(error))
            store.write(f"{CELLS}/{task.cell.key}.log", text.encode())
        seconds = round(time.monotonic() - began + (known.seconds if known else task.spent), 2)
        # A failure is the end of the cell, whatever it was to come to.
        until = task.until if outcome.state == "done" else None
        outcome = Outcome(**{**asdict(outcome), "seconds": seconds, "host": platform.node()})
        return _keep(store, task.cell, outcome, until)


def record(store: Store, cell: Cell, until: int | None = None) -> Outcome | None:
    """What is known of a cell, or of its first ``until`` steps, or None when it has not come so far.

    A record that cannot be read says that it is damaged. Where nothing was recorded on the way, the end stands for it.
    """
    for name in dict.fromkeys((_record(cell, until), _record(cell, None))):
        content = store.read(name)
        if content is None:
            continue
        try:
            return Outcome(**json.loads(content)["outcome"])
        except (ValueError, TypeError, KeyError):
            return Outcome("failed", "damaged", f"{name} is damaged: remove it, and the cell is measured again")
    return None


def lost(store: Store, cell: Cell, reason: str) -> Outcome:
    """Record that a cell could not be brought to its end."""
    return _keep(store, cell, Outcome("failed", "lost", reason, host=platform.node()))


def discard(store: Store, cell: Cell) -> bool:
    """Forget what is recorded of a cell that failed; what was damaged is set aside, not removed.

    Returns:
        Whether it had failed; one that another worker computes by now is left to it.
    """
    with _held(store, cell) as ours:
        names = [n for n in store.names(CELLS) if n == f"{cell.key}.json" or n.startswith(f"{cell.key}.at-")]
        known = record(store, cell)
        if not ours or not names or (known is not None and known.state != "failed"):
            return False
        for name in names:
            store.remove(f"{CELLS}/{name}")
        if known is not None and known.kind != "lost":  # it would end the same way from its checkpoint
            store.set_aside(f"{CELLS}/{cell.key}")
        return True


def ended(known: Outcome, scores: Sequence[str]) -> bool:
    """Whether a cell needs no more work: it failed, or was measured in every way that is asked for."""
    return known.state == "failed" or all(name in (known.values or {}) for name in scores if name != "all")


def _keep(store: Store, cell: Cell, outcome: Outcome, until: int | None = None) -> Outcome:
    said = {"cell": asdict(cell), "outcome": asdict(outcome)}
    store.write(_record(cell, until), (json.dumps(said, indent=1, default=list) + "\n").encode())
    return outcome


def _record(cell: Cell, until: int | None) -> str:
    return f"{CELLS}/{cell.key}.json" if until is None else f"{CELLS}/{cell.key}.at-{until}.json"


def _values(task: Task, path: Path) -> dict[str, float]:
    from unbraid.runs.evaluate import evaluate
    from unbraid.runs.run import Run
    from unbraid.runs.train import train

    cell = task.cell
    world = registry.load("worlds", cell.world)(**cell.world_options)
    run = Run(path, world=world) if (path / "model.safetensors").is_file() else None
    if run is None:
        fit = {**cell.fit, "view": dict(cell.view), "progress": False, "until": task.until}
        run = train(cell.model, world, steps=cell.steps, seed=cell.seed, out=path, **fit, **cell.options)
    model, step = (run.model, cell.steps) if run.finished else (run.unfinished(), task.until or 0)
    # What is measured of a run is kept in it; of a run that goes on, in our record alone.
    of = run if run.finished else model
    scores = evaluate(
        of, world, scores=task.scores, samples=task.samples, seed=0, skipped=lambda name, reason: None
    )  # fmt: skip
    values = {name: score.value for name, score in scores.items()}
    values |= {f"{name}.{part}": value for name, score in scores.items() for part, value in score.parts.items()}
    return values | _unsupervised(model, world, step, cell.view)


def _unsupervised(model: Model, world: World, step: int, view: Mapping[str, Any]) -> dict[str, float]:
    """What can be known without labels: every term of the loss over a thousand images, and the bound itself.

    A model that sees something else than single images is shown ten batches of its own view.
    """
    import torch

    from unbraid.runs.encode import choose
    from unbraid.runs.unseen import UNSEEN, terms, unseen
    from unbraid.view import Batch, to_float
    from unbraid.view import view as viewed

    if model.view != "images":
        stream = viewed(model.view)(world, batch_size=100, seed=UNSEEN, **view)
        return unseen(model, (stream.batch(n) for n in range(10)), step)
    indices = choose(world, 1000, seed=0)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = []
        for i in range(0, len(indices), 100):
            chosen = indices[i : i + 100]
            batch = Batch(to_float(world.images(chosen)), torch.from_numpy(chosen), len(world))
            row = terms(model, batch, step)
            nats = model.divergence(batch.x)
            if nats is not None and "loss.reconstruction" in row:
                row["kl"] = float(nats.sum(1).mean())
                row["elbo"] = -row["loss.reconstruction"] - row["kl"]
            parts.append((len(chosen), row))
    return {name: sum(count * row[name] for count, row in parts) / len(indices) for name in parts[0][1]}


def _fault(error: Exception) -> tuple[Kind, str]:
    from unbraid.fit.callbacks.nan import NotFinite

    if isinstance(error, NotFinite):
        return "nan", str(error)
    if isinstance(error, RunError):
        return "damaged", str(error)
    if isinstance(error, UnbraidError):
        return "error", str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return "error", f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"


@contextmanager
def _held(store: Store, cell: Cell) -> Iterator[bool]:
    """Whether the cell is ours alone while this lasts; the lock goes with the process that holds it.

    An object store has no locks: there, two workers may compute the same cell, with the same result.
    """
    if store.remote:
        yield True
        return
    path = Path(store.root) / CELLS / f"{cell.key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(claimed(path, wait=False))
        except BlockingIOError:
            yield False
            return
        yield True
