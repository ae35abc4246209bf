"""The table of the study and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._strips import strips
from unbraid.plots._style import HEAT, MARGIN, Page

__all__ = ["SHOWN", "picture", "shares", "table"]

SHOWN = {
    "infom": "InfoM",
    "infom_living": "InfoM, living",
    "infoe": "InfoE",
    "infoc": "InfoC",
    "dci": "DCI D",
    "completeness": "DCI C",
    "informativeness": "DCI I",
    "mig": "MIG",
    "error": "squared error",
}
"""What is measured, and the head of its column."""
DRAWN = ("infom", "infom_living", "infoe", "infoc", "dci", "error")
FACTORS = ("floor hue", "wall hue", "object hue", "scale", "shape", "orientation")
CELL = 17


def by_method(found: Sequence[Mapping[str, Any]], key: str) -> dict[str, list[Any]]:
    """A number of every run, by method, the method of the highest median InfoM first."""
    methods = {one["method"]: [run["infom"] for run in found if run["method"] == one["method"]] for one in found}
    ordered = sorted(methods, key=lambda name: -float(np.median(methods[name])))
    return {name: [one[key] for one in found if one["method"] == name] for name in ordered}


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Medians over seeds, with the least and the greatest InfoM, best first."""
    heads = [*SHOWN.values(), "living", "CPU s"]
    columns = [by_method(found, key) for key in (*SHOWN, "living", "cpu_seconds")]
    lines = [["", "seeds", *heads], ["---"] * (len(heads) + 2)]
    for name, modular in columns[0].items():
        medians = [float(np.median(column[name])) for column in columns]
        spread = f" ({min(modular):.2f} to {max(modular):.2f})" if len(modular) > 1 else ""
        cells = [f"{value:.2f}" for value in medians[: len(SHOWN) - 1]]
        cells = [cells[0] + spread, *cells[1:], f"{medians[-3]:.4f}", f"{medians[-2]:.0f}", f"{medians[-1]:.0f}"]
        lines.append([name, str(len(modular)), *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def picture(found: Sequence[Mapping[str, Any]]) -> Figure:
    """A dot for every seed, a line at the median, a panel for every score."""
    columns = {SHOWN[key]: by_method(found, key) for key in DRAWN}
    rows = {name: {head: column[name] for head, column in columns.items()} for name in columns["InfoM"]}
    seeds = max(len(values) for values in columns["InfoM"].values())
    note = "A dot a seed, a line at the median" if seeds > 1 else "One seed"
    title = f"Quantised latents and VAEs on Rooms, {found[0]['steps']:,} steps"
    return strips(rows, title, f"{note}; of the squared error, less is better.", free=("squared error",))


def shares(found: Sequence[Mapping[str, Any]]) -> Figure:
    """What each latent of the first seed knows of each factor, a panel for every method, in the table's order."""
    panels = {name: np.array(runs[0]) for name, runs in by_method(found, "told").items()}
    wide, tall = CELL * len(FACTORS), CELL * max(len(matrix) for matrix in panels.values())
    title = "What each latent knows"
    note = "Rows are latents, columns factors: the share of a factor's entropy, from 0 (white) to all of it (dark)."
    page = Page(max(2 * MARGIN + (wide + 50) * len(panels), 800), Page.heading + tall + 140, title, note)
    for place, (name, matrix) in enumerate(panels.items()):
        order = np.lexsort((-matrix.max(axis=1), matrix.argmax(axis=1)))
        axes = page.axes(MARGIN + place * (wide + 50), Page.heading + 24, wide, tall)
        axes.imshow(matrix[order], cmap=HEAT, vmin=0, vmax=1, aspect="auto")
        axes.set_title(name, size=10, loc="left")
        axes.set_xticks(range(len(FACTORS)), FACTORS, rotation=90)
        axes.set_yticks([])
    return page.figure
