"""Presets and budgets: what is given by hand counts more, and a run says what it was made of."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from unbraid.cli.main import main
from unbraid.errors import InvalidOption, RunError, UnknownName
from unbraid.models.betavae import BetaVAE
from unbraid.runs import folder
from unbraid.runs.preset import Settings, settled, shortened
from unbraid.runs.train import train

SMALL = {"latent_dim": 2, "network": "dense", "steps": 400, "batch_size": 4, "learning_rate": 1e-3, "anneal": 300}


@pytest.fixture(autouse=True)
def _presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BetaVAE, "presets", {"small": SMALL, "other": {"beta": 1.0}})


def about(path: Path) -> dict:
    return json.loads((path / folder.RUN).read_text())


def test_what_is_given_by_hand_counts_more_than_a_preset_and_that_more_than_what_is_usual():
    assert settled("betavae", None, None, {}, steps=None) == Settings({}, 5000, 64, 5e-4)
    held = {"latent_dim": 2, "network": "dense", "anneal": 300}
    assert settled("betavae", "small", None, {}, steps=None) == Settings(held, 400, 4, 1e-3)
    by_hand = settled("betavae", "small", None, {"latent_dim": 3}, steps=7, learning_rate=1.0)
    assert by_hand == Settings(held | {"latent_dim": 3}, 7, 4, 1.0)
    assert settled("betavae", "other", None, {}, batch_size=8) == Settings({"beta": 1.0}, 5000, 8, 5e-4)


def test_a_budget_scales_what_counts_steps_and_says_so():
    short = settled("betavae", "small", 4, {}, steps=None)
    assert (short.steps, short.options["anneal"]) == (4, 3)
    assert short.said == (
        "4 steps in place of 400; anneal from 300 to 3; what appears in 400 steps need not appear in 4"
    )
    assert settled("betavae", "small", 800, {}).options["anneal"] == 600
    assert settled("betavae", "small", 800, {}).said == "800 steps in place of 400; anneal from 300 to 600"
    assert settled("betavae", None, 5000, {}).said == "5,000 steps in place of 5,000; no option in use counts steps"
    with pytest.raises(InvalidOption, match=r"budget must be .* at least 1, but is 0"):
        settled("betavae", None, 0, {})


def test_an_option_that_counts_steps_keeps_its_kind_and_never_becomes_never():
    options = {"a": 100, "b": 0, "c": 100.0, "d": None, "e": 7}
    assert shortened(options, ("a", "b", "c", "d"), 1000, 1) == {"a": 1, "c": 0.1}


def test_a_run_holds_what_its_preset_and_budget_came_to(tmp_path):
    path = train("betavae", "digits", preset="small", budget=4, out=tmp_path / "a", beta=2.0, progress=False).path
    config = about(path)
    options = {name: config["model"]["options"][name] for name in ("latent_dim", "network", "anneal", "beta")}
    assert options == {"latent_dim": 2, "network": "dense", "anneal": 3, "beta": 2.0}
    assert (config["steps"], config["fit"]["batch_size"], config["fit"]["learning_rate"]) == (4, 4, 1e-3)
    assert (config["preset"], config["budget"]) == ("small", 4)


def test_a_preset_is_its_settings_given_one_by_one_and_a_run_may_go_on_under_either_name(tmp_path):
    given = {name: value for name, value in SMALL.items() if name != "steps"}
    one = train("betavae", "digits", preset="small", steps=3, out=tmp_path / "a", progress=False).path
    two = train("betavae", "digits", steps=3, out=tmp_path / "b", progress=False, **given).path
    assert (one / folder.MODEL).read_bytes() == (two / folder.MODEL).read_bytes()
    (one / folder.MODEL).unlink()
    with pytest.raises(RunError, match="preset is small, not other"):
        train("betavae", "digits", preset="other", steps=3, out=one, progress=False, **given)
    train("betavae", "digits", steps=3, out=one, progress=False, **given)
    assert (one / folder.MODEL).read_bytes() == (two / folder.MODEL).read_bytes()


def test_what_cannot_be_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(UnknownName, match=r"unknown preset of betavae 'smal': did you mean small\?"):
        train("betavae", "digits", preset="smal", out=tmp_path / "a")
    with pytest.raises(UnknownName, match=r"unknown preset of ae 'small': there are none\."):
        train("ae", "digits", preset="small", out=tmp_path / "a")
    for option in ({"preset": "small"}, {"budget": 3}):
        with pytest.raises(
            InvalidOption, match="made already: a preset or a budget, which set options, needs a model's name"
        ):
            train(BetaVAE((1, 32, 32)), "digits", out=tmp_path / "a", **option)
    assert not list(tmp_path.iterdir())


def test_typed_options_count_more_than_the_preset_and_a_budget_is_said(tmp_path, capsys):
    main(f"train betavae digits --preset=small --budget 4 --latent-dim 3 --out {tmp_path / 'a'}".split())
    assert capsys.readouterr().err.splitlines()[0] == (
        "unbraid: 4 steps in place of 400; anneal from 300 to 3; what appears in 400 steps need not appear in 4"
    )
    config = about(tmp_path / "a")
    assert (config["model"]["options"]["latent_dim"], config["model"]["options"]["network"]) == (3, "dense")
    assert (config["steps"], config["fit"]["batch_size"]) == (4, 4)


@pytest.mark.parametrize("words", ["betavae", "betavae digits", "betavae digits --preset small"])
def test_the_help_of_a_model_has_a_line_for_each_preset(capsys, words):
    with suppress(SystemExit):
        main(f"train {words} --help".split())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    first = lines.index("presets:") + 1
    typed = "--steps 400 --fit.batch-size 4 --fit.learning-rate 0.001 --anneal 300"
    assert lines[first : first + 2] == [f"small --latent-dim 2 --network dense {typed}", "other --beta 1.0"]


def test_the_help_of_a_model_without_presets_does_not_speak_of_them(capsys):
    main(["train", "ae", "--help"])
    said = capsys.readouterr().out
    assert "presets:" not in said
    assert said.startswith("usage: unbraid train ae WORLD [OPTIONS]")
