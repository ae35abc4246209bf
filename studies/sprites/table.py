"""The table of the study and its picture."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, Page

__all__ = ["write"]

COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "MIG": lambda one: one["scores"]["mig"]["value"],
    "DCI D": lambda one: one["scores"]["dci"]["parts"]["disentanglement"],
    "DCI C": lambda one: one["scores"]["dci"]["parts"]["completeness"],
    "DCI I": lambda one: one["scores"]["dci"]["parts"]["informativeness"],
    "SAP": lambda one: one["scores"]["sap"]["value"],
    "FactorVAE score": lambda one: one["scores"]["factorvae_score"]["value"],
    "reconstruction": lambda one: one["reconstruction"],
    "CPU seconds": lambda one: one["cpu_seconds"],
}
"""What is read from a run, by the head of its column."""
SHOWN = ("MIG", "DCI D", "SAP", "FactorVAE score", "reconstruction")
LEFT, WIDE, TALL, GAP = 190, 150, 34, 26


def write(found: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Write ``table.md``, ``table.csv`` and ``scores.png``.

    Args:
        found: What was measured, a row for every run, in order.
        target: The folder.
    """
    if not found:
        return
    (target / "table.md").write_text(markdown(found), "utf-8")
    with (target / "table.csv").open("w", newline="", encoding="utf-8") as file:
        sheet = csv.writer(file, lineterminator="\n")
        sheet.writerow(["row", "seed", *COLUMNS])
        sheet.writerows([one["row"], one["seed"], *(f"{read(one):.4g}" for read in COLUMNS.values())] for one in found)
    picture(found).savefig(target / "scores.png", dpi=200)


def values(found: Sequence[Mapping[str, Any]], row: str, column: str) -> list[float]:
    """One number of every seed of a row."""
    return [COLUMNS[column](one) for one in found if one["row"] == row]


def markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """Medians over seeds, with the least and the greatest."""
    rows = list(dict.fromkeys(one["row"] for one in found))
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    for row in rows:
        cells = [_cell(values(found, row, column)) for column in COLUMNS]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(numbers: Sequence[float]) -> str:
    digits = 0 if min(numbers) >= 100 else 1 if min(numbers) >= 10 else 2
    middle, least, most = (f"{n:.{digits}f}" for n in (float(np.median(numbers)), min(numbers), max(numbers)))
    return f"{middle} ({least} to {most})" if len(numbers) > 1 else middle


def picture(found: Sequence[Mapping[str, Any]]) -> Any:
    """A dot for every seed, a line at the median, a panel for every score."""
    rows = list(dict.fromkeys(one["row"] for one in found))
    height = TALL * len(rows)
    seeds = len({one["seed"] for one in found})
    page = Page(
        LEFT + len(SHOWN) * (WIDE + GAP) + MARGIN,
        Page.heading + height + 70,
        "Objectives on Sprites",
        ("a dot a seed, a line at their median" if seeds > 1 else "one seed")
        + "; reconstruction in nats, less is better",
    )
    for i, column in enumerate(SHOWN):
        axes = page.axes(LEFT + i * (WIDE + GAP), Page.heading, WIDE, height)
        for j, row in enumerate(rows):
            numbers = values(found, row, column)
            axes.axhline(j, color=FAINT, linewidth=0.8, zorder=0)
            axes.plot([np.median(numbers)] * 2, [j - 0.3, j + 0.3], color=INK, linewidth=1.6)
            axes.plot(numbers, [j] * len(numbers), "o", color=PALETTE[0], markersize=6, alpha=0.75, clip_on=False)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        if column != "reconstruction":
            axes.set_xlim(left=0)
        axes.set_yticks(range(len(rows)), rows if i == 0 else [""] * len(rows))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_color(GREY)
        axes.set_xlabel(column)
    return page.figure
