"""Studies on the page: which runs there are, and how they are opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from unbraid.errors import InvalidData
from unbraid.explore import gallery as module
from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.studied import Studied, is_study
from unbraid.explore.subject import Subject
from unbraid.runs.run import Run

HERE = "http://127.0.0.1:8700"


def test_a_folder_of_a_study_is_told_from_a_run(study: Path, run: Path) -> None:
    assert is_study(study)
    assert not is_study(run)


def test_every_finished_run_is_told_with_what_was_measured(study: Path) -> None:
    about = Studied(study).about(first=5)
    assert [run["number"] for run in about["runs"]] == [5, 6, 7, 8]
    assert [run["title"] for run in about["runs"]] == [
        "vae, seed 0", "vae, seed 1", "betavae, seed 0", "betavae, seed 1",
    ]  # fmt: skip
    assert [run["method"] for run in about["runs"]] == ["vae", "vae", "betavae", "betavae"]
    scores = [score["name"] for score in about["scores"]]
    assert scores[:2] == ["mig", "sap"]
    assert all(set(run["values"]) == set(scores) for run in about["runs"])
    for run, path in zip(about["runs"], Studied(study).paths, strict=True):
        assert run["values"]["mig"] == pytest.approx(Run(path).scores["mig"]["value"], abs=1e-6)


def test_the_best_run_has_the_greatest_first_score(study: Path) -> None:
    studied = Studied(study)
    values = [run["values"]["mig"] for run in studied.about(0)["runs"]]
    assert values[studied.best] == max(values)


def test_a_study_of_which_nothing_is_finished_is_refused(study: Path, tmp_path: Path) -> None:
    shutil.copy(study / "study.yaml", tmp_path)
    with pytest.raises(InvalidData, match=r"no cell of .* is finished"):
        Studied(tmp_path)


def test_a_run_of_a_study_is_opened_when_it_is_asked_for(study: Path, subject: Subject) -> None:
    gallery = Gallery([subject], [Studied(study)], samples=100)
    with TestClient(make(gallery), base_url=HERE) as client:
        assert [run["number"] for run in client.get("/api/runs").json()] == [0]
        (told,) = client.get("/api/studies").json()
        number = told["runs"][2]["number"]
        opened = client.get(f"/api/runs/{number}").json()
        assert (opened["number"], opened["title"], opened["model"]) == (number, "betavae, seed 0", "betavae")
        assert [run["number"] for run in client.get("/api/runs").json()] == [0, number]
        assert client.post(f"/api/runs/{number}/decode", json={"codes": [[0.0, 1.0]]}).status_code == 200
        assert client.get("/api/runs/5").status_code == 404


def test_the_run_that_was_not_looked_at_for_longest_is_closed_first(
    study: Path, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OPEN", 2)
    gallery = Gallery([subject], [Studied(study)], samples=100)
    first = gallery.open(1)
    gallery.open(2)
    assert gallery.ready(1) is first
    gallery.open(3)
    assert list(gallery.shown()) == [0, 1, 3]
    assert gallery.ready(2) is None


def test_what_a_study_has_lost_is_told_in_a_sentence(study: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(study, root)
    gallery = Gallery([], [Studied(root)])
    shutil.rmtree(gallery.studies[0].paths[1])
    with TestClient(make(gallery), base_url=HERE) as client:
        answer = client.get("/api/runs/1")
        assert answer.status_code == 422
        assert "does not exist" in answer.text
