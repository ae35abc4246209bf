"""Every run a dot, in a row for what was done and a panel for what was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, Page

__all__ = ["strips"]

LEFT, WIDE, TALL, GAP = 190, 150, 34, 26


def strips(
    values: Mapping[str, Mapping[str, Sequence[float]]], title: str, note: str = "", *, free: Collection[str] = ()
) -> Figure:
    """A dot for every run, and a line at the median of the runs that were made alike.

    Args:
        values: What was done, to what was measured, to its value in every run; all were measured alike.
        title: What is seen.
        note: In grey below it.
        free: What was measured and has no natural 0, whose axis need not begin there.
    """
    rows, columns = list(values), list(next(iter(values.values())))
    height = TALL * len(rows)
    page = Page(LEFT + len(columns) * (WIDE + GAP) + MARGIN, Page.heading + height + 70, title, note)
    for i, column in enumerate(columns):
        axes = page.axes(LEFT + i * (WIDE + GAP), Page.heading, WIDE, height)
        for j, row in enumerate(rows):
            numbers = values[row][column]
            axes.axhline(j, color=FAINT, linewidth=0.8, zorder=0)
            axes.plot([np.median(numbers)] * 2, [j - 0.3, j + 0.3], color=INK, linewidth=1.6)
            axes.plot(numbers, [j] * len(numbers), "o", color=PALETTE[0], markersize=6, alpha=0.75, clip_on=False)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        if column not in free:
            axes.set_xlim(left=0)
        axes.set_yticks(range(len(rows)), rows if i == 0 else [""] * len(rows))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_color(GREY)
        axes.set_xlabel(column)
    return page.figure
