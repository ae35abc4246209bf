"""What the pages of the gallery share: sections, words, and pictures that are drawn anew when their code changes."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import unbraid
from unbraid import registry

__all__ = ["SOURCE", "bibtex", "digest", "page", "picture", "sign", "table", "told"]

SOURCE = Path(unbraid.__file__).parent
SECTIONS = re.compile(r"^(Args|Attributes|Raises|Returns|>>>)", re.MULTILINE)


def page(shelf: str, title: str, intro: str, of: Callable[[str], Iterable[str]]) -> str:
    """A page, in reStructuredText, with a section for everything on a shelf."""
    parts = [title, "=" * len(title), "", intro]
    for name in registry.names(shelf):
        parts += [name, "-" * len(name), "", *of(name), ""]
    return "\n".join(parts)


def told(made: Any) -> Iterator[str]:
    """What a class or function says of itself before it comes to arguments."""
    yield from (SECTIONS.split(inspect.getdoc(made) or "")[0].strip(), "")


def bibtex(citation: str) -> Iterator[str]:
    """A citation, where there is one."""
    if citation:
        yield from (".. code-block:: bibtex", "", *(f"   {line.strip()}" for line in citation.splitlines()), "")


def digest(uses: Iterable[str], *files: Path, besides: str = "") -> str:
    """A few letters that change when a file does, or one of those of unbraid that it uses (patterns), or some words."""
    read = [*files, *(file for pattern in uses for file in sorted(SOURCE.glob(pattern)))]
    said = hashlib.blake2b(b"".join(file.read_bytes() for file in read), digest_size=6)
    said.update(besides.encode())
    return said.hexdigest()


def sign(made: Any, uses: Iterable[str], besides: str = "") -> str:
    """The same, of the file in which a class or function stands."""
    return digest(uses, Path(inspect.getfile(made)), besides=besides)


def picture(shelf: str, name: str, folder: Path, signed: str, draw: Callable[[], Figure]) -> Iterator[str]:
    """The directive that shows a picture, which is drawn unless it is there: it is called after its sign."""
    file = folder / f"{name}-{signed}.png"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = draw()
        for old in folder.glob(f"{name}-*.png"):
            old.unlink()
        drawn.savefig(file)
    yield from (f".. image:: {folder.name}/{file.name}", f"   :alt: {registry.summary(shelf, name)}", "")


def table(widths: str, head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A table with a heading."""
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in (head, *rows):
        yield from (
            f"   {'-' if column else '* -'} {cell}".replace("   -", "     -") for column, cell in enumerate(row)
        )
    yield ""
