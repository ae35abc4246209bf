"""The tables and pictures of class and style, from ``results.jsonl``.

``python studies/class-content/figures.py`` prints the tables and writes ``strokes.png`` and ``reverse.png``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._style import GREY, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
SHOWN = {
    "class_from_style_active": "class from style: active",
    "class_from_style_sampled": "sampled",
    "class_from_style_mean": "all means",
    "class_from_class_code": "from class code",
    "swapped_class": "swapped is class donor's",
    "swapped_class_of_style_donor": "style donor's",
    "prior_class": "prior sample",
    "style_kept": "R² of style donor",
    "style_of_class_donor": "of class donor",
    "style_in_code": "in code",
    "active_latents": "active latents",
    "dependence": "change with class over with style",
}
COLUMNS = (
    "class_from_style_active", "class_from_style_sampled", "class_from_style_mean", "swapped_class", "style_kept",
    "style_in_code", "active_latents",
)  # fmt: skip
"""What tables show; the rest is in the records, and is named where it misses what is asked for."""
LEAST = {"class_from_class_code": 0.98, "swapped_class": 0.95, "style_kept": 0.5, "style_in_code": 0.6}
MOST = {"class_from_style_active": 2.0, "style_of_class_donor": 0.05}
"""What is asked for: at least, and at most; the class from the style in units of chance."""
SWEPT, STEPS = "cycle at ", 8000
DASHED = {"color": GREY, "linewidth": 1, "linestyle": (0, (4, 3))}

Rows = list[dict[str, Any]]


def missed(row: dict[str, Any]) -> list[str]:
    """What a run, or the medians of some, has less or more of than is asked for."""
    parts, most = row["parts"], MOST | {"class_from_style_active": MOST["class_from_style_active"] * row["chance"]}
    short = [key for key, bar in LEAST.items() if key in parts and parts[key] < bar]
    return [SHOWN[key] for key in (*short, *(key for key, bar in most.items() if key in parts and parts[key] > bar))]


def grouped(found: Rows) -> dict[tuple[str, int], Rows]:
    """The seeds of every variant and number of steps."""
    groups: dict[tuple[str, int], Rows] = {}
    for row in found:
        groups.setdefault((row["variant"], row["steps"]), []).append(row)
    return groups


def middle(runs: Rows) -> dict[str, Any]:
    """The medians of some runs, as if they were one run's."""
    parts = {key: float(np.median([one["parts"][key] for one in runs])) for key in runs[0]["parts"]}
    return {"chance": runs[0]["chance"], "parts": parts}


def table(found: Rows) -> str:
    """Of every variant the median over seeds and, where there are several, the least and the greatest."""
    shown = {key: SHOWN[key] for key in COLUMNS if key in found[0]["parts"]}
    rows = [["", "steps", "seeds", *shown.values(), "CPU s", "misses"], ["---"] * (len(shown) + 5)]
    for (variant, steps), runs in grouped(found).items():
        cells = [variant, f"{steps:,}", str(len(runs))]
        for key in shown:
            digits = 0 if key == "active_latents" else 2
            low, mid, high = (f"{q:.{digits}f}" for q in np.quantile([one["parts"][key] for one in runs], [0, 0.5, 1]))
            cells.append(mid if low == high else f"{mid} ({low} .. {high})")
        rows.append([*cells, f"{np.median([one['cpu_seconds'] for one in runs]):.0f}", "; ".join(missed(middle(runs)))])
    style = found[0]["parts"].get("judge_style")
    note = f"\n\nThe judge: {found[0]['parts']['judge']:.3f} of classes" + (f", R² {style:.2f}." if style else ".")
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + f"{note} Chance: {found[0]['chance']:.3f}."


def scatter(found: Rows) -> Figure:
    """How much of the class is left in the style, against how much of the style is kept, for every run."""
    page = Page(
        WIDTH, 520, "What it costs to take the class out of the style",
        f"Each point is a run, of {STEPS:,} steps unless told; left and above is good. Dashed: what is asked for.",
    )  # fmt: skip
    axes = page.axes(MARGIN + 50, Page.heading + 10, WIDTH - 2 * MARGIN - 260, 350)
    for place, ((variant, steps), runs) in enumerate(grouped(found).items()):
        where = [[one["parts"][key] for one in runs] for key in ("class_from_style_active", "style_kept")]
        marker, colour = "os^DvP"[place % 6], PALETTE[place % len(PALETTE)]
        name = variant if steps == STEPS else f"{variant}, {steps:,}"
        axes.plot(*where, marker, color=colour, markersize=7, label=name, linestyle="none")
    axes.axvline(MOST["class_from_style_active"] * found[0]["chance"], **DASHED)
    axes.axhline(LEAST["style_kept"], **DASHED)
    axes.set_xlabel("class from means of the style's latents in use")
    axes.set_ylabel("style kept in swapped images, R²")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=9)
    return page.figure


def curve(found: Rows) -> Figure:
    """What the reverse cycle takes from the style, the class and the rest, as its learning rate rises."""
    page = Page(
        WIDTH, 470, "How fast may the reverse cycle learn?",
        f"Strokes, {STEPS:,} steps; every run a point, medians joined. Dashed: what is asked for.",
    )  # fmt: skip
    width = (WIDTH - 2 * MARGIN - 130) / 2
    classes = ("class_from_style_active", "class_from_style_sampled", "class_from_style_mean")
    left = page.axes(MARGIN + 40, Page.heading + 20, width, 270)
    right = page.axes(MARGIN + 130 + width, Page.heading + 20, width, 270)
    _lines(left, found, classes, ("means of latents in use", "samples", "all means"), PALETTE[:3])
    _lines(right, found, ("style_in_code", "style_kept"), ("in its code", "in swapped images"), PALETTE[3:5])
    left.axhline(MOST["class_from_style_active"] * found[0]["chance"], **DASHED)
    left.set_ylabel("class from the style")
    right.axhline(LEAST["style_in_code"], **DASHED | {"color": PALETTE[3]})
    right.axhline(LEAST["style_kept"], **DASHED | {"color": PALETTE[4]})
    right.set_ylabel("style kept, R²")
    return page.figure


def _lines(axes: Any, found: Rows, keys: Sequence[str], names: Sequence[str], inks: Sequence[str]) -> None:
    rates = sorted({rate for rate in map(_rate, found) if rate is not None})
    for key, name, ink in zip(keys, names, inks, strict=True):
        values = [[row["parts"][key] for row in found if _rate(row) == rate] for rate in rates]
        axes.plot(range(len(rates)), [np.median(some) for some in values], color=ink, label=name)
        for place, some in enumerate(values):
            axes.plot([place] * len(some), some, "o", color=ink, markersize=4)
    axes.set_xticks(range(len(rates)), [f"{rate:g}" if rate else "no cycle" for rate in rates])
    axes.set_xlabel("learning rate of the reverse cycle")
    axes.legend(frameon=False, fontsize=9)


def _rate(row: dict[str, Any]) -> float | None:
    """The learning rate of the reverse cycle as the paper has it, 0 without one; None of another model."""
    variant = str(row["variant"])
    if variant.startswith(SWEPT):
        return float(variant.removeprefix(SWEPT))
    return {"no reverse cycle": 0.0, "cycle": float(row["rate"])}.get(variant)


def draw(found: Rows) -> None:
    """Write the pictures of all runs on Strokes that are long enough."""
    last = [row for row in found if row["steps"] >= STEPS and row["world"] == "strokes"]
    swept = [row for row in last if row["steps"] == STEPS and _rate(row) is not None]
    scatter(last).savefig(HERE / "strokes.png", dpi=100)
    curve(swept).savefig(HERE / "reverse.png", dpi=100)


def tables(found: Rows) -> str:
    """A table of every world."""
    worlds = {row["world"]: [one for one in found if one["world"] == row["world"]] for row in found}
    return "\n\n".join(f"{name}\n\n{table(some)}" for name, some in worlds.items())


if __name__ == "__main__":
    rows = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
    print(tables(rows))
    draw(rows)
