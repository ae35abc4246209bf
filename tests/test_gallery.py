"""The gallery shows everything that is on the shelves, as the README and the command line list it, and what is true."""

from __future__ import annotations

import functools
import importlib
import json
import re
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unbraid import registry
from unbraid.cli import main as command_line
from unbraid.cli.list import SHELVES

ROOT = Path(__file__).parents[1]
READ = json.loads((ROOT / "studies" / "visibility" / "results.json").read_text("utf-8"))
PAGES = {"models": "models", "worlds": "worlds", "scores": "scores", "mix": "mixers"}
"""The function that makes the page of each shelf."""


def load(shelf: str) -> ModuleType:
    return importlib.import_module(f"_gallery_{shelf}")


@pytest.fixture(autouse=True)
def _the_scripts_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield
    for name in set(sys.modules) - known:
        if name.startswith("_gallery"):
            del sys.modules[name]


def blank(shelf: str, name: str, *_: Any) -> list[str]:
    """In place of a picture: its alternative text."""
    return [f"picture: {registry.summary(shelf, name)}"]


def headings(page: str) -> list[str]:
    lines = page.splitlines()
    return [line for line, below in pairwise(lines) if line and below == "-" * len(line)]


@pytest.mark.parametrize("shelf", SHELVES)
def test_readme_command_line_and_shelf_agree(shelf: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = re.compile(rf"^\| {shelf} \| \[`(\w+)`\]\(\S+\) \| (.+) \|$", re.MULTILINE)
    command_line.main(["list", shelf])
    listed = [tuple(line.split(None, 1)) for line in capsys.readouterr().out.splitlines()]
    assert row.findall((ROOT / "README.md").read_text("utf-8")) == listed
    assert listed == [(name, registry.summary(shelf, name)) for name in registry.names(shelf)]


@pytest.mark.parametrize("shelf", PAGES)
def test_gallery_and_shelf_agree(shelf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(shelf)
    monkeypatch.setattr(module, "picture", blank)
    page = getattr(module, PAGES[shelf])(tmp_path)
    assert headings(page) == list(registry.names(shelf))
    said = " ".join(page.split())
    assert all(registry.summary(shelf, name).rstrip(".") in said for name in registry.names(shelf))


@pytest.mark.parametrize("shelf", ["models", "scores", "mix"])
def test_each_of_these_has_a_picture(shelf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(shelf)
    monkeypatch.setattr(module, "picture", blank)
    page = getattr(module, PAGES[shelf])(tmp_path)
    assert page.count("picture: ") == len(registry.names(shelf))


@pytest.mark.parametrize("name", registry.names("models"))
def test_the_command_that_the_page_shows_is_the_fit_that_it_draws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, asked = load("models"), {}

    @functools.wraps(module.train)
    def noted(model: str, world: Any, **options: Any) -> Any:
        asked.update(model=model, world=world, **options)
        return SimpleNamespace(finished=True, path=options["out"], name=name, config={"steps": options["steps"]})

    monkeypatch.setattr("unbraid.runs.train.train", noted)
    program, *words = shlex.split(module.command(name))
    command_line.main(words)
    world, made, chosen, fit = module._settings(name)
    assert (program, asked["model"], type(asked["world"]).__name__.lower()) == ("unbraid", name, world)
    assert {key: asked[key] for key in chosen | fit} == chosen | fit
    assert {key: getattr(asked["world"], key) for key in made} == made


def test_a_model_is_drawn_after_a_short_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("models")
    monkeypatch.setitem(module.SEEN, "images", ("digits", {}, 2))
    page = "\n".join(module._model("vae", tmp_path))
    [picture] = tmp_path.iterdir()
    assert f".. image:: {tmp_path.name}/{picture.name}" in page
    assert "unbraid train vae digits --network patches --latent-dim 6 --steps 2" in page
    with Image.open(picture) as drawn:
        assert np.asarray(drawn.convert("L")).std() > 20


def test_a_drawn_world_has_a_picture_that_is_drawn_once(tmp_path: Path) -> None:
    module = load("worlds")
    page = "\n".join(module._world("flatland", tmp_path, {}))
    [picture] = tmp_path.iterdir()
    assert f".. image:: {tmp_path.name}/{picture.name}" in page
    assert "x\n     - cyclic\n     - 4, 12, 20, 28, 36, 44, 52, 60" in page
    drawn = picture.stat().st_mtime_ns
    assert "\n".join(module._world("flatland", tmp_path, {})) == page
    assert picture.stat().st_mtime_ns == drawn


def test_a_picture_of_an_older_world_is_removed(tmp_path: Path) -> None:
    (tmp_path / "flatland-0123.png").write_bytes(b"")
    list(load("worlds")._world("flatland", tmp_path, {}))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_world_that_reads_files_says_how_to_get_them(tmp_path: Path) -> None:
    page = "\n".join(load("worlds")._world("shapes3d", tmp_path, {}))
    assert "unbraid fetch shapes3d" in page
    assert "Apache-2.0" in page
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("title", READ)
def test_what_was_read_is_of_a_world_and_its_factors(title: str) -> None:
    found = READ[title]
    made = registry.load("worlds", found["world"])
    assert set(found["options"]) <= set(registry.parameters(made))
    names = [one["factor"] for one in found["read"]]
    assert len(set(names)) == len(names)
    assert all(one["value"] <= 1 for one in found["read"])


@pytest.mark.parametrize("name", ["mig", "dcies", "totalcorrelation"])
def test_a_score_has_a_bar_for_each_representation(name: str) -> None:
    module = load("scores")
    values = json.loads((ROOT / "docs" / "scores.json").read_text("utf-8"))[name]
    bars = [patch for axes in module.bars(values).axes for patch in axes.patches]
    assert [round(bar.get_width(), 6) for bar in bars[1::2]] == [round(value, 6) for value in values.values()]


@pytest.mark.parametrize("name", ["fmix", "pointfmix", "manifoldmixup", "alternate"])
def test_a_mixer_is_drawn(name: str, tmp_path: Path) -> None:
    "".join(load("mix")._mixer(name, tmp_path))
    [picture] = tmp_path.iterdir()
    with Image.open(picture) as drawn:
        assert len(set(drawn.convert("L").resize((200, 100)).tobytes())) > 10
