"""The page of worlds: what each looks like, its factors, and how much of them a network reads from the pixels."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import unbraid
from unbraid import registry
from unbraid.errors import UnbraidError
from unbraid.plots.sheet import sheet
from unbraid.runs.show import material
from unbraid.types import Factor
from unbraid.world import World
from unbraid.worlds._wrapped import Wrapped

__all__ = ["worlds"]

READ = Path(__file__).parent.parent / "studies" / "visibility" / "results.json"
SOURCE = Path(unbraid.__file__).parent
DRAWS = ("draw/*.py", "plots/_draw.py", "plots/_style.py", "plots/sheet.py", "runs/show.py")
"""What draws a picture besides the world's own file."""
SECTIONS = re.compile(r"^(Args|Attributes|Raises|Returns|>>>)", re.MULTILINE)
MOST = 8
"""Values of a factor that are all listed."""

INTRO = """\
Every world that can be made without files is shown by images as it draws them, and by a row for each factor that moves
it alone. Below are its factors, and how much of each a small convolutional network reads from images that it never saw:
the part of right answers for categories, beside that of the commonest one, and for all others the part of the variance
that is explained, R², of the value or of the cosine and sine of a cycle. A factor that is not in every image is asked
for where it is. How the figures are made stands in ``studies/visibility``.
"""


def worlds(folder: Path) -> str:
    """The page, in reStructuredText; its pictures are drawn into ``folder``, where they are not there already."""
    read = json.loads(READ.read_text("utf-8"))
    parts = ["Worlds", "======", "", INTRO]
    for name in registry.names("worlds"):
        parts += [name, "-" * len(name), "", *_world(name, folder, read), ""]
    return "\n".join(parts)


def _world(name: str, folder: Path, read: dict[str, Any]) -> Iterator[str]:
    cls = registry.load("worlds", name)
    yield from (SECTIONS.split(inspect.getdoc(cls) or "")[0].strip(), "")
    if hasattr(cls, "source"):
        yield f"``unbraid fetch {name}`` fetches its files, or says where they are: {cls.source.home} "
        yield f"({cls.source.licence})."
        return
    if issubclass(cls, Wrapped) or not (world := _made(cls)):
        yield f"``unbraid show {name} --help`` lists what it is made from."
        return
    yield from (f".. image:: {_picture(name, world, folder).name}", "   :alt: " + registry.summary("worlds", name), "")
    yield from _table("30 14 56", ["factor", "kind", "values"], [[f.name, f.kind, _values(f)] for f in world.space])
    rows = {title: found for title, found in read.items() if found["world"] == name}
    if rows:
        yield from _table(f"40 {' '.join(['20'] * len(rows))}", ["read from pixels", *rows], list(_read(rows)))


def _made(cls: type[World]) -> World | None:
    try:
        return cls()
    except (UnbraidError, TypeError):  # it needs files, or to be told which
        return None


def _picture(name: str, world: World, folder: Path) -> Path:
    """The picture of a world, drawn unless it is there: it is called after the code that draws it."""
    draws = [file for pattern in DRAWS for file in SOURCE.glob(pattern)]
    sources = sorted([Path(inspect.getfile(type(world))), *draws])
    digest = hashlib.blake2b(b"".join(file.read_bytes() for file in sources), digest_size=6).hexdigest()
    file = folder / f"{name}-{digest}.png"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{name}-*.png"):
            old.unlink()
        sheet(**material(world)).savefig(file)
    return file


def _values(factor: Factor) -> str:
    shown = [value if isinstance(value, str) else f"{value:.3g}" for value in factor.values]
    if factor.size > MOST:
        return f"{factor.size}, from {shown[0]} to {shown[-1]}"
    return ", ".join(shown)


def _read(rows: dict[str, Any]) -> Iterator[list[str]]:
    """For each question what was read in each variant of a world."""
    for answers in zip(*(found["read"] for found in rows.values()), strict=True):
        chance = f" (commonest {answers[0]['chance']:.0%})" if "chance" in answers[0] else ""
        told = [f"{one['value']:.1%}" if "chance" in one else f"R² {one['value']:.3f}" for one in answers]
        yield [answers[0]["factor"] + chance, *told]


def _table(widths: str, head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in (head, *rows):
        yield from (
            f"   {'-' if column else '* -'} {cell}".replace("   -", "     -") for column, cell in enumerate(row)
        )
    yield ""
