"""A run as a folder to share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unbraid.errors import RunError
from unbraid.runs import folder
from unbraid.runs.evaluate import evaluate
from unbraid.runs.export import export
from unbraid.runs.run import Run
from unbraid.runs.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "run"
    train("vae", "digits", steps=3, batch_size=8, latent_dim=2, network="patches", out=out, progress=False)
    evaluate(out, scores=["mig"], samples=300)
    return out


def test_the_folder_is_a_run_with_the_same_weights(run: Path, tmp_path: Path) -> None:
    files = export(run, tmp_path / "shared")
    assert all(file.is_file() for file in files)
    mine, there = Run(run), Run.load(tmp_path / "shared")
    assert there.scores == mine.scores
    assert there.history == mine.history
    for name, value in mine.model.state_dict().items():
        assert torch.equal(value, there.model.state_dict()[name])


def test_nothing_in_it_executes_and_nothing_of_this_machine_is_in_the_card(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "shared")
    kinds = {file.suffix for file in (tmp_path / "shared").rglob("*") if file.is_file()}
    assert kinds <= {".json", ".jsonl", ".safetensors", ".md", ".png"}
    assert str(tmp_path) not in (tmp_path / "shared" / "README.md").read_text("utf-8")


def test_the_card_says_what_it_is_worth_and_how_it_was_made(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "shared")
    card = (tmp_path / "shared" / "README.md").read_text("utf-8")
    head = card.split("---")[1]
    assert "library_name: unbraid" in head
    value = Run(run).scores["mig"]["value"]
    assert f"| mig | {value:.3f} |" in card
    for said in ("`latent_dim` 2", "`steps` 3", "`learning_rate` 0.0005", "@", "figures/traversals.png"):
        assert said in card
    for name in card.split("](figures/")[1:]:
        assert (tmp_path / "shared" / "figures" / name.partition(")")[0]).is_file()


def test_a_run_that_is_not_finished_is_not_shared(run: Path, tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / folder.RUN).write_bytes((run / folder.RUN).read_bytes())
    with pytest.raises(RunError, match="is not finished"):
        export(tmp_path / "begun", tmp_path / "shared")
    assert not (tmp_path / "shared").exists()


def test_what_is_there_already_is_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    for target, why in ((tmp_path, "holds something already"), (tmp_path / "mine.txt", "mine.txt is a file")):
        with pytest.raises(RunError, match=f"{why}: choose a new or an empty folder"):
            export(run, target)
    assert (tmp_path / "mine.txt").read_text() == "precious"
