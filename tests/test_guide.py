"""The pages of the guide run as they stand, from top to bottom, and their studies are studies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unbraid.study.spec import load, parse

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "fit.md").read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize(("page", "least"), [("fit", 7), ("information", 4), ("mix", 4), ("studies", 1)])
def test_the_guide_runs(page: str, least: int) -> None:
    found = blocks(page, "python")
    assert len(found) >= least
    names: dict[str, object] = {"__name__": "guide"}
    for number, block in enumerate(found):
        exec(compile(block, f"docs/{page}.md, block {number}", "exec"), names)


def test_the_study_of_the_guide_and_those_in_the_repository_can_be_run() -> None:
    shown, searching = blocks("studies", "yaml")
    assert len(parse(shown).cells) == 35
    assert len(parse(searching.replace("models:", "name: searching\nworlds: [sprites]\nmodels:")).searches) == 2
    files = sorted((ROOT / "studies").glob("*.yaml"))
    assert {"smoke.yaml", "impossibility.yaml"} <= {file.name for file in files}
    assert all(load(file).name == file.stem for file in files)
    assert len(load(ROOT / "studies" / "impossibility.yaml").cells) == 90


def test_the_examples_that_the_guide_names_exist() -> None:
    named = re.findall(r"`(examples/\w+\.py)`", GUIDE)
    assert named
    assert all((ROOT / name).exists() for name in named)
