"""The page of worlds: what each looks like, its factors, and how much of them a network reads from the pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _gallery import page, picture, sign, table, told

from unbraid import registry
from unbraid.errors import UnbraidError
from unbraid.plots.sheet import sheet
from unbraid.runs.show import material
from unbraid.types import Factor
from unbraid.world import World
from unbraid.worlds._wrapped import Wrapped

__all__ = ["worlds"]

READ = Path(__file__).parent.parent / "studies" / "visibility" / "results.json"
DRAWS = ("draw/*.py", "plots/_draw.py", "plots/_style.py", "plots/sheet.py", "runs/show.py")
"""What draws a picture besides the world's own file."""
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
    return page("worlds", "Worlds", INTRO, lambda name: _world(name, folder, read))


def _world(name: str, folder: Path, read: dict[str, Any]) -> Iterator[str]:
    cls = registry.load("worlds", name)
    yield from told(cls)
    if hasattr(cls, "source"):
        yield f"``unbraid fetch {name}`` fetches its files, or says where they are: {cls.source.home} "
        yield f"({cls.source.licence})."
        return
    if issubclass(cls, Wrapped) or not (world := _made(cls)):
        yield f"``unbraid show {name} --help`` lists what it is made from."
        return
    yield from picture("worlds", name, folder, sign(cls, DRAWS), lambda: sheet(**material(world)))
    yield from table("30 14 56", ["factor", "kind", "values"], [[f.name, f.kind, _values(f)] for f in world.space])
    rows = {title: found for title, found in read.items() if found["world"] == name}
    if rows:
        yield from table(f"40 {' '.join(['20'] * len(rows))}", ["read from pixels", *rows], list(_read(rows)))


def _made(cls: type[World]) -> World | None:
    try:
        return cls()
    except (UnbraidError, TypeError):  # it needs files, or to be told which
        return None


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
