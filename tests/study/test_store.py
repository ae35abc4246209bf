"""A study kept elsewhere is the same study."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from unbraid.errors import RunError
from unbraid.study import store as module
from unbraid.study.results import rows, to_csv
from unbraid.study.spec import Cell, Spec
from unbraid.study.store import Store
from unbraid.study.work import CELLS, Task, record, work


@pytest.fixture(params=["folder", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path)
    pytest.importorskip("fsspec")
    return f"memory://{uuid.uuid4().hex}"


def test_files_are_written_read_listed_removed_and_set_aside(root: str) -> None:
    store = Store(root)
    assert store.read("cells/a.json") is None
    assert store.names("cells") == []
    store.write("cells/a.json", b"1")
    store.write("cells/b/run.json", b"2")
    assert store.read("cells/a.json") == b"1"
    assert store.names("cells") == ["a.json", "b"]
    store.set_aside("cells/b")
    store.set_aside("cells/none")
    assert store.read("cells/b.aside-1/run.json") == b"2"
    assert store.read("cells/b/run.json") is None
    store.remove("cells/a.json")
    store.remove("cells/a.json")
    assert store.read("cells/a.json") is None


def test_a_cell_computed_elsewhere_is_the_same_to_the_last_digit(root: str, tmp_path: Path) -> None:
    cell = Cell("vae", "digits", {"latent_dim": 2, "network": "patches"}, steps=3)
    there = work(Task(root, cell, ("mig",), 200))
    here = work(Task(str(tmp_path / "other"), cell, ("mig",), 200))
    assert there.values == here.values
    store = Store(root)
    weights = (tmp_path / "other" / CELLS / cell.key / "model.safetensors").read_bytes()
    assert store.read(f"{CELLS}/{cell.key}/model.safetensors") == weights
    assert record(store, cell) == there


def test_a_folder_elsewhere_is_fetched_first_and_sent_back_as_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setattr(module, "SECONDS", 0.02)
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("cells/a/checkpoint.pt", b"old")
    with store.here("cells/a") as path:
        assert (path / "checkpoint.pt").read_bytes() == b"old"
        (path / "history.jsonl").write_bytes(b"row")
        for _ in range(3000):
            if store.read("cells/a/history.jsonl") == b"row":
                break
            __import__("time").sleep(0.02)
        assert store.read("cells/a/history.jsonl") == b"row", "sent while it is still open"
        (path / "checkpoint.pt").write_bytes(b"newer")
        (path / ".lock").write_bytes(b"")
    assert store.read("cells/a/checkpoint.pt") == b"newer"
    assert store.names("cells/a") == ["checkpoint.pt", "history.jsonl"]


def test_what_comes_within_a_tick_of_the_clock_after_the_file_was_sent_is_sent_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setattr(module, "SECONDS", 0.02)
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("cells/a/history.jsonl", b"row")
    with store.here("cells/a") as path:
        file = path / "history.jsonl"
        before = file.stat()
        file.write_bytes(b"row, row")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.read("cells/a/history.jsonl") == b"row, row"


def test_an_address_of_no_known_kind_is_a_sentence() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(RunError, match="is no address"):
        Store("nonesuch://a/b")


def test_results_are_read_from_wherever_the_study_is(root: str, spec: Spec) -> None:
    for cell in spec.cells[:2]:
        work(Task(root, cell, spec.scores, spec.samples))
    found = rows(spec, root)
    assert [row.state for row in found] == ["done", "done", "open", "open", "open", "open"]
    assert to_csv(found).count("\n") == 7
