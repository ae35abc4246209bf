"""What a second worker gives a study, and what the engine adds to a cell.

The same six cells (a beta-VAE with convolutions on the digits, two hundred steps and two scores) are computed four
ways that take turns: *plainly*, trained and measured one after the other in this process; by ``drive`` with one worker,
and with two; and *plainly in two processes*, three cells each, which share nothing and know of no engine. The last is
what the machine allows: two processes also share its caches and its memory. Times are those of the clock, from before
the first worker is started until after the last has left, so that starting them, their locks and records all count.
What else the machine does counts too: the load before each turn is shown.

Run ``python benchmarks/study.py`` (eight minutes on two idle cores), or with a number of rounds and of steps.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of this process too: workers have one thread each

import torch

from unbraid import registry
from unbraid.runs.evaluate import evaluate
from unbraid.runs.train import train
from unbraid.study.drive import drive
from unbraid.study.local import Local
from unbraid.study.spec import Spec, parse
from unbraid.study.work import _unsupervised

ROUNDS, STEPS = 2, 200
CELLS = """
worlds: [digits]
models: [{{betavae: {{beta: [1, 4], latent_dim: 6}}}}]
seeds: 3
steps: {steps}
scores: [mig, sap]
samples: 1000
"""


def plainly(spec: Spec, root: Path, part: slice = slice(None)) -> None:
    """Cells without any engine: trained, scored, and measured without labels, as a cell is."""
    for cell in spec.cells[part]:
        world = registry.load("worlds", cell.world)()
        run = train(
            cell.model, world, steps=cell.steps, seed=cell.seed, out=root / cell.key, progress=False, **cell.options
        )
        evaluate(run, scores=spec.scores, samples=spec.samples)
        _unsupervised(run.model, world, cell.steps, {})


def half(spec: Spec, root: Path, part: slice) -> None:
    """What one of two processes does."""
    torch.set_num_threads(1)
    plainly(spec, root, part)


def in_two_processes(spec: Spec, root: Path) -> None:
    """Every other cell by one process, the rest by another."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=half, args=(spec, root, slice(i, None, 2))) for i in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0


def with_workers(jobs: int) -> Callable[[Spec, Path], None]:
    """Every cell by as many workers."""

    def all_cells(spec: Spec, root: Path) -> None:
        progress = drive(spec, root, Local(jobs))
        assert progress.done == len(spec.cells), progress

    return all_cells


WAYS: dict[str, Callable[[Spec, Path], None]] = {
    "plainly": plainly,
    "one worker": with_workers(1),
    "two workers": with_workers(2),
    "plainly in two processes": in_two_processes,
}


def measured(rounds: int, steps: int) -> dict[str, list[float]]:
    """Seconds of each way in each round; a line is printed for every turn."""
    spec = parse(CELLS.format(steps=steps))
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    print("| round | way | load before | seconds | cells an hour |\n| --- | --- | --- | --- | --- |", flush=True)
    for number in range(rounds):
        for name, way in WAYS.items():
            load = os.getloadavg()[0]
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                way(spec, Path(folder) / "study")
                seconds = time.perf_counter() - start
            found[name].append(seconds)
            print(
                f"| {number} | {name} | {load:.1f} | {seconds:.1f} | {3600 * len(spec.cells) / seconds:.0f} |",
                flush=True,
            )
    ratios = [one / two for one, two in zip(found["one worker"], found["two workers"], strict=True)]
    allowed = [one / two for one, two in zip(found["plainly"], found["plainly in two processes"], strict=True)]
    added = [(a - b) / len(spec.cells) for a, b in zip(found["one worker"], found["plainly"], strict=True)]
    print(f"\ntwo workers against one: {shown(ratios)} times the cells an hour")
    print(f"two plain processes against one: {shown(allowed)} times")
    print(f"the engine adds {shown(added)} s to a cell")
    return found


def shown(values: list[float]) -> str:
    """The median, and between what all lie."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} .. {max(values):.2f})"


def main() -> None:
    """Print a row for every turn, and what follows."""
    torch.set_num_threads(1)
    rounds, steps = (*map(int, sys.argv[1:]), *(ROUNDS, STEPS)[len(sys.argv) - 1 :])
    measured(rounds, steps)


if __name__ == "__main__":
    main()
