"""Processes of one machine that share a study, and are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from unbraid.fit.callbacks.checkpoint import previous
from unbraid.study.drive import drive
from unbraid.study.engine import Engine
from unbraid.study.local import Local
from unbraid.study.results import rows, to_csv
from unbraid.study.spec import Cell, Spec, parse
from unbraid.study.work import CELLS, Outcome

pytestmark = pytest.mark.slow
Children = Callable[[int, bytes], list[int]]

LONGER = """
name: longer
worlds: [digits]
models: [{vae: {latent_dim: 2, network: conv}}]
seeds: 4
steps: 60
fit: {batch_size: 4, checkpoint_seconds: 0.2}
scores: [mig]
samples: 200
"""


def stable(spec: Spec, root: Path) -> list[str]:
    """What a study has found, without how long it took and where."""
    lines = to_csv(rows(spec, root)).splitlines()
    head = lines[0].split(",")
    leave = {head.index("seconds"), head.index("host")}
    return [",".join(cell for i, cell in enumerate(line.split(",")) if i not in leave) for line in lines]


def command(file: Path, root: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "unbraid", "study", "run", str(file), "--out", str(root), *more]


def until(condition: object, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def ended(root: Path) -> list[Path]:
    return sorted((root / CELLS).glob("*.json")) if (root / CELLS).is_dir() else []


def state(process: int) -> str:
    """What the system says of a process: T is stopped, Z is dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def alive(process: int) -> bool:
    return state(process) != "Z"


def test_a_killed_worker_is_replaced_and_its_cell_finished(tmp_path: Path, here: Callable[..., Engine]) -> None:
    # One cell more than workers: one that had finished its cell as it was killed is lost as it is given the next.
    spec = parse(LONGER.replace("seeds: 4", "seeds: 3").replace("seconds: 0.2", "seconds: 0.05"))
    killed = list[int]()

    class Killing(Local):
        def wait(self, seconds: float) -> list:  # type: ignore[type-arg]
            checkpoints = list((tmp_path / CELLS).glob("*/checkpoint.pt"))
            if not killed and checkpoints and self._workers:
                killed.append(self._workers[0].process.pid or 0)
                os.kill(killed[0], signal.SIGKILL)
            return super().wait(seconds)

    progress = drive(spec, tmp_path, Killing(2), back_off=0.1)
    assert killed
    assert (progress.done, progress.failed, len(progress.lost)) == (3, 0, 1)
    assert "SIGKILL" in progress.lost[0]
    straight = tmp_path / "straight"
    drive(spec, straight, here())
    assert stable(spec, tmp_path) == stable(spec, straight)


STOPPING = """
import os, signal, sys
from unbraid.cli import main, study
study._shown = lambda jobs: lambda progress, cell, outcome: outcome and os.kill(os.getpid(), signal.SIGSTOP)
main.main(sys.argv[1:])
"""
"""The command, which stands still as soon as a cell has ended: whoever is to kill it then may take his time."""


def test_a_killed_study_is_continued_and_every_cell_finished_once(tmp_path: Path, children: Children) -> None:
    file, root = tmp_path / "longer.yaml", tmp_path / "out"
    file.write_text(LONGER, "utf-8")
    words = [sys.executable, "-c", STOPPING, *command(file, root, "--jobs", "2")[3:]]
    first = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    until(lambda: state(first.pid) == "T")
    workers = children(first.pid, b"forkserver")
    first.kill()
    first.wait()
    assert len(workers) == 3, "two, and what they were forked from"
    until(lambda: not any(map(alive, workers)))
    before = {path: path.read_bytes() for path in ended(root)}
    assert 1 <= len(before) < 4
    again = subprocess.run(command(file, root, "--jobs", "2"), capture_output=True, text=True, check=True)
    assert "4 of 4 cells are done, 0 failed" in again.stdout
    assert all(path.read_bytes() == content for path, content in before.items()), "a finished cell was computed again"
    assert len(ended(root)) == 4


def test_two_drivers_of_one_study_share_its_cells(tmp_path: Path) -> None:
    file, root = tmp_path / "longer.yaml", tmp_path / "out"
    file.write_text(LONGER, "utf-8")
    both = [
        subprocess.Popen(command(file, root, "--jobs", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    texts = [process.communicate(timeout=400) for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    assert all("4 of 4 cells are done" in out for out, _ in texts)
    assert len(ended(root)) == 4
    # Each cell was trained by one of them: the other was told of it, or found it finished.
    assert all(len(list(path.with_suffix("").glob("run.json*"))) == 1 for path in ended(root))


HEARING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""Becomes the command that is given, which hears an interruption whatever its parent ignores."""


def test_an_interrupted_study_leaves_checkpoints_and_no_process(tmp_path: Path, children: Children) -> None:
    file, root = tmp_path / "longer.yaml", tmp_path / "out"
    file.write_text(LONGER.replace("steps: 60", "steps: 100000"), "utf-8")
    # Where these tests run in the background of a shell, interruptions are ignored, and what they start inherits it.
    process = subprocess.Popen(
        [sys.executable, "-c", HEARING, *command(file, root, "--jobs", "2")],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: len(list((root / CELLS).glob("*/checkpoint.pt"))) >= 2)
    workers = children(process.pid, b"forkserver")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, text = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "interrupted; nothing is lost, the same command continues" in text
    assert len(workers) == 3, "two, and what they were forked from"
    until(lambda: not any(map(alive, workers)))  # what they were forked from hears of it from the system
    # One that is being replaced in the very moment is there under its other name, and what continues reads that.
    kept = [cell / "checkpoint.pt" for cell in (root / CELLS).iterdir()]
    assert sum(path.exists() or previous(path).exists() for path in kept) >= 2


def test_the_same_rows_come_of_this_process_and_of_two_workers(
    tmp_path: Path, spec: Spec, here: Callable[..., Engine]
) -> None:
    for name, engine in (("here", here()), ("workers", Local(2))):
        progress = drive(spec, tmp_path / name, engine)
        assert (progress.done, progress.failed) == (6, 0)
    assert stable(spec, tmp_path / "here") == stable(spec, tmp_path / "workers")


def test_bad_cells_stop_no_other_and_are_told(tmp_path: Path) -> None:
    spec = parse(
        "{models: [{betatcvae: {estimator: [stratified, weighted], network: conv}}], worlds: [digits], steps: 20,"
        " fit: {batch_size: [1, 16], learning_rate: [1e-3, 1e30]}, scores: [mig], samples: 100}"
    )
    told: list[tuple[Cell, Outcome]] = []
    progress = drive(spec, tmp_path, Local(2), notice=lambda p, c, o: told.append((c, o)) if c and o else None)
    kinds = {(c.options["estimator"], c.fit["batch_size"], c.fit["learning_rate"]): o.kind or o.state for c, o in told}
    assert progress.done + progress.failed == progress.total == 8
    assert kinds["stratified", 1, 1e-3] == kinds["stratified", 1, 1e30] == "error"
    assert kinds["weighted", 16, 1e30] == kinds["stratified", 16, 1e30] == "nan"
    assert kinds["weighted", 16, 1e-3] == kinds["stratified", 16, 1e-3] == "done"
