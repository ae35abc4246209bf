"""The chapters of the guide are whole: in order, executed, with pictures, and what they say they see is asserted."""

from __future__ import annotations

import ast
import importlib
import re
from itertools import pairwise
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "guide"
CHAPTERS = re.search(r"```\{toctree\}\n.*?\n\n(.*?)\n```", (GUIDE / "index.md").read_text("utf-8"), re.DOTALL)[
    1
].split()  # type: ignore[index]
WIDE = 90
"""Characters of code that fit into the page."""


def text(chapter: str) -> str:
    return (GUIDE / f"{chapter}.md").read_text("utf-8")


def cells(chapter: str) -> list[tuple[str, bool]]:
    """The code of every cell, and whether the page hides it."""
    found = re.findall(r"```\{code-cell\} python\n(.*?)```", text(chapter), re.DOTALL)
    plain = ["".join(re.sub(r"^[:%].*\n", "", line) for line in cell.splitlines(keepends=True)) for cell in found]
    return [(code, ":tags: [remove-cell]" in cell) for code, cell in zip(plain, found, strict=True)]


def test_every_chapter_is_in_the_table_of_contents() -> None:
    assert len(CHAPTERS) > 4
    assert {file.stem for file in GUIDE.glob("*.md")} == {*CHAPTERS, "index"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_executed_and_shows_a_figure(chapter: str) -> None:
    assert text(chapter).startswith("---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n")
    assert text(chapter).count("```{code-cell}") == len(cells(chapter)) >= 2
    last = [ast.parse(code).body[-1] for code, hidden in cells(chapter) if not hidden]
    assert any(isinstance(node, ast.Expr) and "print" not in ast.unparse(node) for node in last)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_chapter_says_it_sees_is_asserted(chapter: str) -> None:
    (checks,) = [ast.parse(code) for code, hidden in cells(chapter) if hidden]
    assert sum(isinstance(node, ast.Assert) for node in checks.body) >= 2


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_chapter_uses_of_unbraid_exists(chapter: str) -> None:
    used = [node for code, _ in cells(chapter) for node in ast.walk(ast.parse(code))]
    for node in used:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unbraid"):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, name.name) for name in node.names)
    assert any(isinstance(node, ast.Import | ast.ImportFrom) and "unbraid" in ast.unparse(node) for node in used)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_leads_on_and_to_the_reference(chapter: str) -> None:
    links = set(re.findall(r"\]\((?!http)([^)#]+)\)", text(chapter)))
    made = {link for link in links if "generated/" in link}
    assert {link for link in links - made if not (GUIDE / link).exists()} == set()
    assert any(link.startswith("../") for link in links)
    following = dict(pairwise(CHAPTERS))
    assert following.get(chapter, "index") + ".md" in links


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_code_fits_into_the_page(chapter: str) -> None:
    shown = [code for code, hidden in cells(chapter) if not hidden]
    assert [line for code in shown for line in code.splitlines() if len(line) > WIDE] == []
