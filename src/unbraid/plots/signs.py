"""Signs of training going wrong, over its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._curves import over_steps
from unbraid.plots._history import SIGN
from unbraid.plots._style import MARGIN, PALETTE, WIDTH, Page, plain

__all__ = ["signs"]

PANEL, BETWEEN = 170, 40


def signs(*, history: Sequence[Mapping[str, float]]) -> Figure:
    """What a model knows of its training going wrong, one panel each: how many actions it uses, how far these turn ...

    A policy that uses one action alone, or matrices whose greatest angle falls to 0, have collapsed; the run has said
    so in a sentence when it happened.

    Args:
        history: Rows with ``step`` and, in some of them, numbers whose names begin with ``sign_``.

    Raises:
        InvalidData: When no row has such a number.
    """
    rows = [row for row in history if math.isfinite(row.get("step", math.nan))]
    names = list(dict.fromkeys(name for row in rows for name in row if name.startswith(SIGN)))
    if not names:
        raise InvalidData("signs draws what models note of training going wrong, of which the history holds nothing")
    left, top = MARGIN + 70, Page.heading + 30
    page = Page(WIDTH, top + len(names) * (PANEL + BETWEEN) + 20, "Signs over training", "")
    for place, name in enumerate(names):
        found = np.array([(row["step"], row[name]) for row in rows if name in row], dtype=np.float64)
        axes = page.axes(left, top + place * (PANEL + BETWEEN), WIDTH - left - MARGIN - 20, PANEL)
        axes.set_label("sign")
        axes.plot(found[:, 0], found[:, 1], color=PALETTE[place % len(PALETTE)], linewidth=1.8)
        high = float(np.nanmax(found[:, 1])) if np.isfinite(found[:, 1]).any() else 1.0
        axes.set_ylim(min(0.0, 1.1 * float(np.nanmin(found[:, 1]))), 1.1 * high or 1.0)
        span = float(found[0, 0]), float(found[-1, 0])
        axes.set_xlim(*(span if span[0] < span[1] else (span[0] - 1, span[1] + 1)))
        over_steps(axes, "", last=place == len(names) - 1, ticks=4)
        page.text(left, top + place * (PANEL + BETWEEN) - 14, plain(name.removeprefix(SIGN), 40))
    return page.figure
