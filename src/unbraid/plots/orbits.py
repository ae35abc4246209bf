"""Orbits of single factors in the planes in which they turn."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._style import FAINT, GREY, MARGIN, WIDTH, Page, colours, plain
from unbraid.score import Sampler, as_codes
from unbraid.scores._acting import regressed, stepped
from unbraid.types import Factor

__all__ = ["orbits"]

SAMPLES, TRACES, GAP = 400, 12, 20


def orbits(*, acting: Sampler) -> Figure:
    """Codes while one factor goes round, in the plane of every factor: a circle where it turns, a point elsewhere.

    Column f is the plane in which factor f shows: what the codes say, linearly, of its cosine and sine. In row f that
    factor takes all its values from a dozen beginnings, coloured by its value. On the diagonal every trace should be
    the grey circle; beside it, where other factors show, it should not move.

    Args:
        acting: Codes of any factor values.

    Raises:
        InvalidData: When no factor can step.
    """
    generator = np.random.default_rng(0)
    steps = stepped(acting, SAMPLES, generator)
    reader = regressed(steps, SAMPLES)[1]
    columns, count = steps.action.columns, len(steps.action.columns)
    side = min(300.0, (WIDTH - 2 * MARGIN - 110 - GAP * (count - 1)) / count)
    left, top = MARGIN + 110, Page.heading + 34
    note = (
        f"{TRACES} traces a panel. A row goes round one factor, a column is the plane of one; grey is the ideal circle."
    )
    page = Page(WIDTH, top + count * (side + GAP) - GAP + 24, "Orbits in the planes of the factors", note)
    turn = np.linspace(0, 2 * np.pi, 200)
    for row, column in enumerate(columns):
        factor = acting.space.all[column]
        values = np.repeat(acting.space.sample(TRACES, generator)[:, None], factor.size, axis=1)
        values[:, :, column] = np.arange(factor.size)
        codes = as_codes(acting.represent(values.reshape(-1, values.shape[2])), "the codes") - steps.mean
        seen = (codes @ reader.T).reshape(TRACES, factor.size, count, 2)
        shade = colours(Factor(factor.name, factor.size, "cyclic"))
        page.text(left - 16, top + row * (side + GAP) + side / 2, plain(factor.name, 12), ha="right")
        for plane in range(count):
            axes = page.axes(left + plane * (side + GAP), top + row * (side + GAP), side, side)
            axes.set_label("orbit")
            axes.spines[:].set_visible(False)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlim(-1.3, 1.3)
            axes.set_ylim(-1.3, 1.3)
            axes.plot(np.cos(turn), np.sin(turn), color=FAINT, linewidth=6, zorder=0, solid_capstyle="round")
            for trace in seen[:, :, plane]:
                closed = np.concatenate([trace, trace[:1]])
                axes.plot(closed[:, 0], closed[:, 1], color=GREY, linewidth=0.7, alpha=0.7, zorder=1)
                axes.scatter(trace[:, 0], trace[:, 1], c=shade, s=22, linewidths=0, zorder=2)
    for plane, column in enumerate(columns):
        x = left + plane * (side + GAP) + side / 2
        page.text(x, top - 14, f"plane of {plain(acting.space.names[column], 12)}", ha="center", color=GREY)
    return page.figure
