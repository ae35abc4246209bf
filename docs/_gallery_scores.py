"""The page of scores: what each asks, what it needs, and its values for representations whose virtue is known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from _gallery import bibtex, page, picture, sign, told
from _picture import FLAWED, ROWS, written
from matplotlib.figure import Figure

from unbraid import registry
from unbraid.plots._style import FAINT, GREY, INK, PALETTE, Page

__all__ = ["scores"]

RECORD = Path(__file__).with_name("scores.json")
WIDTH, ROW, LABELS, BARS, TOP = 760, 20, 260, 420, 14
NEEDS = {
    "codes": "codes and factors",
    "sampler": "images of any factors (a world that is complete, or drawn)",
    "runs": "the codes of several runs, and no factors",
}

INTRO = """\
Every score, in alphabetical order, with its values for twelve representations that no model has made: bars of flawed
ones are orange. :doc:`/choose-a-score` sets all of them side by side and says how they differ and what each does not
see. ``unbraid evaluate RUN --scores NAME ...`` measures a run; a study measures what needs several runs; and each is a
function that can be called without either.
"""


def scores(folder: Path) -> str:
    """The page, in reStructuredText; its pictures are drawn into ``folder``, where they are not there already."""
    record = json.loads(RECORD.read_text("utf-8"))
    return page("scores", "Scores", INTRO, lambda name: _score(name, record[name], folder))


def _score(name: str, values: Mapping[str, float], folder: Path) -> Iterator[str]:
    score = registry.load("scores", name)
    declared = score.declaration
    yield from told(score)
    low, high = (_bound(bound) for bound in (declared.lowest, declared.highest))
    yield f"From {low} to {high}, {declared.direction} is better; needs {NEEDS[declared.needs]}."
    yield from (f":func:`Reference <{score.__module__}.{name}>`. {declared.reference}.", "")
    yield from picture("scores", name, folder, _signed(name, values), lambda: bars(values))
    yield from bibtex(declared.citation)


def _signed(name: str, values: Mapping[str, float]) -> str:
    return sign(registry.load("scores", name), ("plots/_style.py",), json.dumps(values))


def _bound(value: float) -> str:
    if math.isfinite(value):
        return f"{value:g}"
    return "any number below 0" if value < 0 else "any number"


def bars(values: Mapping[str, float]) -> Figure:
    """A bar for each representation."""
    drawn = Page(WIDTH, 2 * TOP + ROW * len(ROWS), "")
    axes = drawn.axes(LABELS, TOP, BARS, ROW * len(ROWS))
    low, high = min(0.0, *values.values()), max(0.0, *values.values())
    axes.set(xlim=(low, high if high > low else 1.0), ylim=(len(ROWS) - 0.5, -0.5))
    axes.set_axis_off()
    for row, (of, text) in enumerate(ROWS.items()):
        y = TOP + ROW * (row + 0.5)
        axes.barh(row, high - low, left=low, height=0.7, color=FAINT, alpha=0.5)
        axes.barh(row, values[of], height=0.7, color=PALETTE[1 if of in FLAWED else 0])
        drawn.text(14, y, of, size=9.5, weight="bold")
        drawn.text(LABELS - 12, y, text, size=9, color=GREY, ha="right")
        drawn.text(LABELS + BARS + 10, y, written(values[of]), size=9.5, color=INK)
    return drawn.figure
