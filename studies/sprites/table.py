"""The table of the study and its picture."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._strips import strips

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


def picture(found: Sequence[Mapping[str, Any]]) -> Figure:
    """A dot for every seed, a line at the median, a panel for every score."""
    rows = dict.fromkeys(one["row"] for one in found)
    seeds = len({one["seed"] for one in found})
    note = "a dot a seed, a line at their median" if seeds > 1 else "one seed"
    return strips(
        {row: {column: values(found, row, column) for column in SHOWN} for row in rows},
        "Objectives on Sprites",
        f"{note}; reconstruction in nats, less is better",
        free=("reconstruction",),
    )
