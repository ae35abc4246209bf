"""The how-to pages run as they stand, and every name that they give for another library's exists here."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from unbraid import registry
from unbraid.cli.main import verbs
from unbraid.study.spec import parse

PAGES = Path(__file__).parents[1] / "docs" / "how-to"
TABLES = (PAGES / "from-elsewhere.md").read_text("utf-8")
SHELVES = ("models", "scores", "worlds", "views", "plots")
OPTIONS = {"known", "protocol", "beta", "start", "anneal", "steps", "network", "decode", "colour", "background"}
"""What the tables name besides: options, each said to be one of a thing that stands beside it."""
RIGHT = [row.strip().strip("|").split(" | ")[1] for row in TABLES.splitlines() if re.match(r"\| (?!---)", row)]
NAMED = sorted({name for cell in RIGHT for name in re.findall(r"`([^`]+)`", cell)})


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / f"{page}.md").read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize(("page", "least"), [("data", 3), ("model", 3), ("score", 3), ("cluster", 1)])
def test_a_page_runs(page: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks(page, "python")
    assert len(found) >= least
    names: dict[str, object] = {"__name__": "how-to"}
    for number, block in enumerate(found):
        exec(compile(block, f"docs/how-to/{page}.md, block {number}", "exec"), names)


def test_the_study_can_be_planned() -> None:
    (shown,) = blocks("cluster", "yaml")
    assert len(parse(shown).cells) == 15


@pytest.mark.parametrize("page", [file.stem for file in PAGES.glob("*.md")])
def test_commands_and_links_exist(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    assert set(re.findall(r"^ *unbraid (\w+)", text, flags=re.MULTILINE)) <= set(verbs())
    links = {link for link in re.findall(r"\]\((?!http)([^)#]+)\)", text) if "generated/" not in link}
    assert {link for link in links if not (PAGES / link).exists()} == set()


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (PAGES / "index.md").read_text("utf-8")
    assert set(re.findall(r"^[\w-]+$", index, flags=re.MULTILINE)) == {file.stem for file in PAGES.glob("*.md")} - {
        "index"
    }


@pytest.mark.parametrize("name", NAMED)
def test_a_name_that_stands_for_anothers_exists(name: str) -> None:
    if name.startswith("unbraid "):
        assert name.split()[1] in verbs()
    elif name.startswith("unbraid."):
        assert resolved(name) is not None
    elif name.startswith("--preset "):
        assert all(name.split()[1] in registry.load("models", m).presets for m in ("betavae", "factorvae", "betatcvae"))
    elif name.startswith("torch."):
        assert name == "torch.randn"
    else:
        assert name in {*SHELVES, *OPTIONS} or any(name in registry.names(shelf) for shelf in SHELVES)


def resolved(name: str) -> object:
    """What a dotted name stands for: the longest module, then its attributes."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    return None


def test_every_row_says_where_it_went() -> None:
    assert len(RIGHT) > 45
    assert all(cell.strip() for cell in RIGHT)
