"""Training in a view: its options reach the stream, are kept in the run, and can be typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unbraid.cli.main import main
from unbraid.errors import InvalidOption, RunError, UnknownName
from unbraid.models.vae import VAE
from unbraid.runs import folder
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.worlds.digits import Digits

QUICK = {"steps": 2, "batch_size": 4, "latent_dim": 2, "progress": False}
LINE = "train vae sprites --latent-dim 2 --steps 1 --fit.batch-size 4 --fit.no-progress --out run"


@pytest.fixture
def seen(monkeypatch) -> list[object]:
    """The VAE sees pairs, and what it sees is kept."""
    batches: list[object] = []
    loss = VAE.loss

    def noted(self, batch, step):
        batches.append(batch)
        return loss(self, batch, step)

    monkeypatch.setattr(VAE, "view", "pairs")
    monkeypatch.setattr(VAE, "loss", noted)
    return batches


def config(path: Path) -> dict[str, object]:
    return json.loads((path / folder.RUN).read_text())["view"]


def test_options_reach_the_stream_and_are_kept(tmp_path, seen) -> None:
    options = {"k": 3, "protocol": "uni", "known": True, "factors": ("scale", "x", "y")}
    run = train("vae", "sprites", out=tmp_path / "a", view=options, **QUICK)
    assert len(seen) == 2
    assert all(batch.differ.sum(dim=1).tolist() == [3] * 4 for batch in seen)
    kept = {**options, "factors": ["scale", "x", "y"], "rate": 1.0}
    assert config(run.path) == {"name": "pairs", "options": kept}


def test_a_second_world_is_kept_by_its_name(tmp_path, seen, monkeypatch) -> None:
    monkeypatch.setattr(VAE, "view", "domains")
    run = train("vae", "digits", out=tmp_path / "a", view={"other": Digits()}, **QUICK)
    assert config(run.path)["options"]["other"] == {"name": "digits", "options": {}}


@pytest.mark.usefixtures("seen")
def test_a_run_goes_on_only_in_the_same_view(tmp_path) -> None:
    path = train("vae", "sprites", out=tmp_path / "a", view={"k": 1}, **QUICK).path
    weights = (path / folder.MODEL).read_bytes()
    (path / folder.MODEL).unlink()
    with pytest.raises(RunError, match=r"different run \(k is 1, not 2\)"):
        train("vae", "sprites", out=path, view={"k": 2}, **QUICK)
    train("vae", "sprites", out=path, view={"k": 1}, **QUICK)
    assert (path / folder.MODEL).read_bytes() == weights


def test_a_run_from_before_there_were_views_goes_on(tmp_path) -> None:
    path = train("vae", "digits", out=tmp_path / "a", **QUICK).path
    assert config(path) == {"name": "images", "options": {}}
    weights = (path / folder.MODEL).read_bytes()
    about = json.loads((path / folder.RUN).read_text())
    del about["view"], about["finished"]
    (path / folder.RUN).write_text(json.dumps(about))
    assert Run(path).model.latent_dim == 2
    (path / folder.MODEL).unlink()
    assert (train("vae", "digits", out=path, **QUICK).path / folder.MODEL).read_bytes() == weights


def test_an_option_that_a_view_has_not_is_refused_before_anything_is_written(tmp_path, seen) -> None:
    with pytest.raises(InvalidOption, match="the view pairs has no option 'protocoll': did you mean protocol"):
        train("vae", "digits", out=tmp_path / "a", view={"protocoll": "uni"}, **QUICK)
    with pytest.raises(InvalidOption, match="has no option 'seed': known: k, known, protocol, factors, rate"):
        train("vae", "digits", out=tmp_path / "a", view={"seed": 1}, **QUICK)
    with pytest.raises(InvalidOption, match="k must be"):
        train("vae", "digits", out=tmp_path / "a", view={"k": 9}, **QUICK)
    with pytest.raises(UnknownName, match="unknown factor 'class_': did you mean class"):
        train("vae", "digits", out=tmp_path / "a", view={"factors": ["class_"]}, **QUICK)
    assert not (tmp_path / "a").exists()
    assert not seen


def test_options_of_the_models_view_can_be_typed(tmp_path, seen, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    flags = "--view.k 2 --view.known --view.protocol uni --view.factors x y"
    main(f"{LINE} {flags}".split())
    assert "is finished" in capsys.readouterr().out
    assert seen[0].differ.sum(dim=0).tolist() == [0, 0, 0, 4, 4]
    expected = {"k": 2, "known": True, "protocol": "uni", "factors": ["x", "y"], "rate": 1.0}
    assert config(tmp_path / "run") == {"name": "pairs", "options": expected}


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize(("flags", "sentence"), [
    ("--view.protocl uni", "unknown option --view.protocl: did you mean --view.protocol"),
    ("--view.protocol both", "--view.protocol must be loc or lap or uni, but is 'both'"),
    ("--protocol uni", "unknown option --protocol: did you mean --view.protocol"),
    ("--view.k one", "--view.k must be a whole number, but is 'one'"),
    ("--view.k 7", "k must be -1 or 1 .. 5"),
    ("--view.factors z", "unknown factor 'z'"),
    ("--view.batch-size 3", "unknown option --view.batch-size: did you mean --fit.batch-size"),
])  # fmt: skip
def test_a_view_that_cannot_be_is_answered_with_a_sentence(tmp_path, monkeypatch, capsys, flags, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([*LINE.split(), *flags.split()])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"unbraid: {sentence}")
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "flags"), [
    ("pairs", ["--view.k INT", "--view.protocol {loc,lap,uni}", "--view.known", "How many factors change"]),
    ("domains", ["--view.other STR", "--view.no-disjoint", "or its name"]),
    ("classes", ["--view.factors", "--view.group INT"]),
])  # fmt: skip
def test_the_help_shows_the_options_of_the_models_view(monkeypatch, capsys, name, flags) -> None:
    monkeypatch.setattr(VAE, "view", name)
    with pytest.raises(SystemExit):
        main(["train", "vae", "sprites", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert all(flag in text for flag in flags), text
    assert "--view.seed" not in text


def test_a_model_of_single_images_has_no_view_options(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["train", "vae", "sprites", "--help"])
    assert "--view" not in capsys.readouterr().out
