"""One cell: trained, measured, recorded once; and every way in which it may fail, named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from unbraid.runs.run import Run
from unbraid.study.drive import drive, forget
from unbraid.study.engine import Engine, Lost
from unbraid.study.results import rows
from unbraid.study.spec import Cell, Spec, parse
from unbraid.study.store import Store
from unbraid.study.work import CELLS, Outcome, Task, record, work


def cell(model: str = "vae", **changed: Any) -> Cell:
    return replace(Cell(model, "digits", {"latent_dim": 2, "network": "patches"}, steps=3), **changed)


def done(root: Path, one: Cell) -> Outcome:
    return work(Task(str(root), one, ("mig",), 200))


def test_a_cell_is_a_run_with_its_scores_and_what_is_known_without_labels(tmp_path: Path) -> None:
    outcome = done(tmp_path, cell())
    run = Run(tmp_path / CELLS / cell().key)
    assert outcome.state == "done"
    values = dict(outcome.values or {})
    assert values["mig"] == run.scores["mig"]["value"]
    assert values["mig.class"] == values["mig"]
    assert values["elbo"] == pytest.approx(-values["loss.reconstruction"] - values["kl"])
    assert values["loss"] == pytest.approx(-values["elbo"], rel=1e-5), "for a VAE the bound is the loss"
    assert record(Store(tmp_path), cell()) == outcome


def test_of_models_of_pairs_the_loss_on_pairs_is_known_without_labels(tmp_path: Path) -> None:
    outcome = done(tmp_path, cell("adagvae", view={"protocol": "uni"}))
    values = dict(outcome.values or {})
    assert values["loss"] == pytest.approx(values["loss.reconstruction"] + values["loss.kl"], rel=1e-5)
    assert values["loss.kl"] > 0


def test_a_cell_that_is_done_is_not_computed_again_but_measured_where_a_score_is_missing(tmp_path: Path) -> None:
    done(tmp_path, cell())
    weights = tmp_path / CELLS / cell().key / "model.safetensors"
    before = weights.stat().st_mtime_ns
    again = done(tmp_path, cell())
    assert weights.stat().st_mtime_ns == before
    more = work(Task(str(tmp_path), cell(), ("mig", "sap"), 200))
    assert weights.stat().st_mtime_ns == before
    assert "sap" in (more.values or {})
    assert (more.values or {})["mig"] == (again.values or {})["mig"]


def test_a_loss_that_is_no_number_is_recorded_as_such(tmp_path: Path) -> None:
    outcome = done(tmp_path, cell(fit={"learning_rate": 1e30}, steps=50))
    assert (outcome.state, outcome.kind) == ("failed", "nan")
    assert "step" in outcome.reason


def test_a_cell_that_raises_is_recorded_with_its_reason_and_traceback(tmp_path: Path) -> None:
    one = cell("betatcvae", options={"estimator": "stratified", "network": "patches"}, fit={"batch_size": 1})
    outcome = done(tmp_path, one)
    assert (outcome.state, outcome.kind) == ("failed", "error")
    assert "stratified estimator needs at least 2" in outcome.reason
    assert "Traceback" in (tmp_path / CELLS / f"{one.key}.log").read_text("utf-8")


def test_a_damaged_run_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / CELLS / cell().key
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{", "utf-8")
    (folder / "model.safetensors").write_bytes(b"not weights")
    outcome = done(tmp_path, cell())
    assert (outcome.state, outcome.kind) == ("failed", "damaged")
    assert "run.json is damaged" in outcome.reason


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"outcome": {"state": "done", "x": 1}}', b"\xff"])
def test_a_damaged_record_is_named_and_stops_nobody(
    tmp_path: Path, spec: Spec, content: bytes, here: Callable[..., Engine]
) -> None:
    Store(tmp_path).write("study.yaml", b"")
    Store(tmp_path).write(f"{CELLS}/{spec.cells[0].key}.json", content)
    spec = replace(spec, cells=spec.cells[:2])
    progress = drive(spec, tmp_path, here())
    assert (progress.done, progress.failed) == (1, 1)
    assert "is damaged" in str(rows(spec, tmp_path)[0].outcome)


def test_a_worker_that_is_lost_is_replaced_and_the_cell_begun_again(
    tmp_path: Path, spec: Spec, here: Callable[..., Engine]
) -> None:
    engine: Any = here(losses=3)
    progress = drive(spec, tmp_path, engine, back_off=0.01)
    assert (progress.done, progress.failed, len(progress.lost)) == (6, 0, 3)
    assert engine.begun == 9


def test_a_cell_whose_workers_are_always_lost_is_given_up_and_named(
    tmp_path: Path, here: Callable[..., Engine]
) -> None:
    spec = parse("{models: [vae], worlds: [digits], steps: 1}")
    progress = drive(spec, tmp_path, here(losses=4), back_off=0.01)
    assert (progress.done, progress.failed) == (0, 1)
    (row,) = rows(spec, tmp_path)
    assert row.outcome is not None
    assert row.outcome.kind == "lost"
    assert "given up after 4 attempts, the last because a node is gone" in row.outcome.reason
    assert forget(spec, tmp_path) == 1
    assert drive(spec, tmp_path, here()).done == 1


def test_what_failed_is_tried_again_when_asked_and_what_was_damaged_is_set_aside(
    tmp_path: Path, here: Callable[..., Engine]
) -> None:
    spec = parse("{models: [vae], worlds: [digits], steps: 1, scores: [mig], samples: 100}")
    folder = tmp_path / CELLS / spec.cells[0].key
    Store(tmp_path).write("study.yaml", b"")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{", "utf-8")
    assert drive(spec, tmp_path, here()).failed == 1
    assert drive(spec, tmp_path, here()).failed == 1, "it is not tried again unasked"
    forget(spec, tmp_path)
    assert drive(spec, tmp_path, here()).done == 1
    assert (tmp_path / CELLS / f"{folder.name}.aside-1" / "run.json").read_text("utf-8") == "{"


def test_a_folder_with_other_files_is_refused(tmp_path: Path, spec: Spec, here: Callable[..., Engine]) -> None:
    from unbraid.errors import RunError

    (tmp_path / "thesis.tex").write_text("", "utf-8")
    with pytest.raises(RunError, match="holds files but no study"):
        drive(spec, tmp_path, here())
    with pytest.raises(RunError, match="is a file"):
        drive(spec, tmp_path / "thesis.tex", here())


def test_a_study_that_was_killed_as_it_began_begins_again(
    tmp_path: Path, spec: Spec, here: Callable[..., Engine]
) -> None:
    (tmp_path / ".writable").touch()
    (tmp_path / "study.yaml.part").write_text("name: ha", "utf-8")
    assert drive(spec, tmp_path, here()).failed == 0
    assert (tmp_path / "study.yaml").is_file()


class Knowing(Engine):
    """Has every cell done as soon as it is asked for, and writes nothing."""

    def __init__(self) -> None:
        self.tasks = list[Task]()

    def free(self) -> int:
        return 100

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        known, self.tasks = self.tasks, []
        return [(task, Outcome("done", values={"mig": 0.0})) for task in known]

    def close(self, *, grace: float = 30.0) -> None:
        pass


def test_several_may_begin_a_study_in_the_same_moment(tmp_path: Path, spec: Spec) -> None:
    met = Barrier(3, timeout=60)

    def begin(_: int) -> list[int]:
        done = []
        for i in range(40):
            met.wait()
            done.append(drive(spec, tmp_path / str(i), Knowing()).done)
        return done

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(begin, range(3))) == [[6] * 40] * 3
    assert {file.name for file in tmp_path.glob("*/*")} == {"study.yaml"}


HOLD = """
import fcntl, sys
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_cell_that_another_process_computes_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / CELLS).mkdir()
    words = [sys.executable, "-c", HOLD, str(tmp_path / CELLS / f"{cell().key}.lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert done(tmp_path, cell()).state == "held"
        other.communicate()
    assert done(tmp_path, cell()).state == "done"


def test_a_cell_that_failed_is_not_forgotten_while_another_process_computes_it(
    tmp_path: Path, here: Callable[..., Engine]
) -> None:
    spec = parse("{models: [vae], worlds: [digits], steps: 1, scores: [mig], samples: 100}")
    place = tmp_path / CELLS / spec.cells[0].key
    Store(tmp_path).write("study.yaml", b"")
    Store(tmp_path).write(f"{CELLS}/{place.name}/run.json", b"{")
    assert drive(spec, tmp_path, here()).failed == 1
    words = [sys.executable, "-c", HOLD, f"{place}.lock"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert forget(spec, tmp_path) == 0
        assert place.is_dir()
        other.communicate()
    assert forget(spec, tmp_path) == 1
    assert not place.exists()


def test_several_may_forget_what_failed_in_the_same_moment(tmp_path: Path, spec: Spec) -> None:
    met = Barrier(3, timeout=60)

    def begin(_: int) -> list[int]:
        forgotten = []
        for i in range(20):
            root = tmp_path / str(i)
            if met.wait() == 0:
                for one in spec.cells:
                    Store(root).write(f"{CELLS}/{one.key}/run.json", b"{")
                    Store(root).write(f"{CELLS}/{one.key}.json", b"{")
            met.wait()
            forgotten.append(forget(spec, root))
        return forgotten

    with ThreadPoolExecutor(3) as pool:
        assert [sum(counts) for counts in zip(*pool.map(begin, range(3)), strict=True)] == [len(spec.cells)] * 20
    assert len([*tmp_path.glob("*/cells/*.aside-1")]) == 20 * len(spec.cells)


def test_a_record_is_plain_json_with_all_a_cell_says(tmp_path: Path) -> None:
    done(tmp_path, cell())
    said = json.loads((tmp_path / CELLS / f"{cell().key}.json").read_text("utf-8"))
    assert Cell(**said["cell"]) == cell()
    assert said["outcome"]["host"] == os.uname().nodename
