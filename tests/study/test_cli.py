"""``unbraid study``: what a person types, and what is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unbraid.cli.main import main
from unbraid.study.drive import drive
from unbraid.study.engine import Engine
from unbraid.study.spec import load
from unbraid.study.store import Store
from unbraid.study.work import CELLS, Outcome, _keep
from unbraid.study.work import lost as give_up


@pytest.fixture
def measured(file: Path, tmp_path: Path) -> Path:
    """A study of which all cells are done but one that failed and one that is open; nothing of it was trained."""
    spec, store = load(file), Store(tmp_path / "out")
    store.write("study.yaml", spec.text.encode())
    for i, cell in enumerate(spec.cells[:4]):
        values = {"mig": 0.1 * i, "loss.reconstruction": 200.0 - i, "elbo": -210.0 - i}
        _keep(store, cell, Outcome("done", values=values, seconds=2.0))
    give_up(store, spec.cells[4], "given up after 4 attempts, the last because a node is gone")
    return tmp_path / "out"


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    main(["study", *map(str, words)])
    return capsys.readouterr().out


def test_status_counts_names_and_estimates(file: Path, measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "status", file, "--out", measured)
    assert "4 done, 1 failed, 1 open" in text
    assert "failed (lost): betavae (latent_dim=2 network=patches beta=4)" in text
    assert "the last because a node is gone" in text
    assert "2 s of work are left" in text or "0:02 of work are left" in text


def test_table_shows_every_cell_its_pivot_and_files(
    file: Path, measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "table", file, "--out", measured).count("digits") == 6
    text = said(capsys, "table", file, "--out", measured, "--pivot", "mig", "--by", "model")
    assert "0.250" in text
    said(capsys, "table", file, "--out", measured, "--csv", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text("utf-8").count("\n") == 7


def test_sql_prints_comma_separated_values(file: Path, measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = "select model, max(value) as best from scores where score = 'mig' group by model order by model"
    assert (
        said(capsys, "sql", file, question, "--out", measured) == "model,best\nbetavae,0.30000000000000004\nvae,0.1\n"
    )


def test_plan_without_measuring_lists_the_runs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "plan", file, "--no-measure")
    assert "small: 6 runs; scores: mig on 200 images" in text


def test_plan_measures_time_and_room(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "plan", file)
    assert "of work on one core" in text
    assert "MB on the disk" in text


def test_the_exit_status_tells_that_cells_failed(
    file: Path, measured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _keep(Store(measured), load(file).cells[5], Outcome("done", values={"mig": 0.5}, seconds=2.0))
    with pytest.raises(SystemExit) as end:
        said(capsys, "run", file, "--out", measured)
    assert end.value.code == 1
    assert "5 of 6 cells are done, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rum", "{file}"], "unknown verb of study 'rum': did you mean run"),
        (["run", "none.yaml"], "none.yaml cannot be read"),
        (["run", "{file}", "--address", "auto"], "--address is that of a Ray cluster"),
        (["run", "{file}", "--jobs", "0"], "jobs must be a finite number of at least 1"),
        (["table", "{file}", "--pivot", "mig"], "no cell is finished, so there is no mig yet"),
        (["sql", "{file}", "select"], "this cannot be answered"),
        (["report", "{file}"], "give `unbraid study run` first"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    file: Path, tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["study", *(word.format(file=file) for word in words)])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_study_is_run_and_reported(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Callable[..., Engine]
) -> None:
    spec, root = load(file), tmp_path / "out"
    drive(spec, root, here())
    capsys.readouterr()
    files = said(capsys, "report", file, "--out", root).split()
    assert [Path(name).suffix for name in files] == [".html", ".csv", ".tex"]
    page = (root / "report.html").read_text("utf-8")
    assert page.count("<img") == 6
    assert "Within and between methods" in page
    assert "The best and the worst run by mig" in page
    assert "6 of 6 cells are finished" in page
    assert r"betavae & latent\_dim=2 network=patches beta=4" in (root / "report.tex").read_text("utf-8")
    assert not list((root / CELLS).glob("*.log"))
