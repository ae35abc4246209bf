"""The README says what is true: its table lists what is on the shelves, its Python runs, its commands exist."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from unbraid import registry
from unbraid.cli import _flags
from unbraid.cli.main import verbs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SHELVES = ("models", "worlds", "views", "scores", "mix", "plots")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def contents() -> str:
    rows = ["| shelf | name | what it is |", "| --- | --- | --- |"]
    for shelf in SHELVES:
        for name in registry.names(shelf):
            file = f"src/unbraid/{shelf}/{name}.py"
            rows.append(f"| {shelf} | [`{name}`]({file}) | {registry.summary(shelf, name)} |")
    return "\n".join(rows)


def test_the_table_lists_what_is_on_the_shelves() -> None:
    shown = README.partition("tests/test_readme.py -->\n")[2].partition("\n<!-- end of contents -->")[0]
    assert shown == contents(), "the README's table is out of date: run .venv/bin/python scripts/contents"


def test_every_linked_file_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), f"the README links to {target}, which does not exist"


def test_the_commands_are_verbs_and_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for line in "".join(blocks("sh")).splitlines():
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert re.search(rf"^{words[0]}:", makefile, flags=re.MULTILINE)
        else:
            assert (program, words[0] in verbs()) == ("unbraid", True)


def test_the_example_is_ten_lines_or_fewer() -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks("python")
    ast.parse(example)
    monkeypatch.chdir(tmp_path)
    # Three steps and few samples: that every line works, not what it reaches.
    short = example.replace("steps=5000", "steps=3").replace('"sap"), ', '"sap"), samples=300, ')
    short = short.replace('scores=("mig", "dci", "sap"))', 'scores=("mig", "dci", "sap"), samples=300)')
    assert "steps=3" in short
    assert "samples=300" in short
    exec(compile(short, "README.md", "exec"), {})


def test_the_train_command_has_only_known_flags() -> None:
    from unbraid.runs.train import train

    command = next(line for line in "".join(blocks("sh")).splitlines() if line.startswith("unbraid train"))
    words = shlex.split(command, comments=True)
    known = [name for name, *_ in _flags.fields(registry.load("models", words[2])) + _flags.fields(train)]
    for flag in (word for word in words if word.startswith("--")):
        assert flag.removeprefix("--").replace("-", "_") in known
