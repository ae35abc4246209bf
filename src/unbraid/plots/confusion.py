"""Which action is inferred where which was taken."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.info.matching import match
from unbraid.plots._style import GREY, HEAT, INK, MARGIN, WIDTH, Page, plain
from unbraid.score import Sampler
from unbraid.scores._acting import applied, fitted, stepped
from unbraid.scores.actionaccuracy import confusion as shares
from unbraid.types import Integers

__all__ = ["confusion"]

SAMPLES, CELL, LABELS = 300, 62, 130


def confusion(*, acting: Sampler) -> Figure:
    """A table of how often each action is inferred where each true step was taken, from the images before and after.

    A model's own actions have no names: they are numbered as the model has them, and stand in the order that makes most
    of the diagonal. Where a model infers none, the action is the one whose matrix of least squared error explains the
    codes best.

    Args:
        acting: Codes of any factor values, and how the model infers actions, where it does.

    Raises:
        InvalidData: When no factor can step.
    """
    steps = stepped(acting, SAMPLES, np.random.default_rng(0))
    count = len(steps.after)
    taken = [np.full(SAMPLES, action) for action in range(count)]
    inferred: list[Integers]
    if acting.infer is None:
        error = applied(fitted(steps.before, steps.after), steps.before)[None] - steps.after[:, None]
        inferred = list((error**2).sum(axis=-1).argmin(axis=1))
    else:
        inferred = [acting.infer(steps.values, steps.acted(steps.values, one)) for one in taken]
    table = shares(inferred)
    found = match(table)[1] if table.shape[1] < count else match(table.T)[0]
    order = np.concatenate([found, np.setdiff1d(np.arange(table.shape[1]), found)]).astype(np.int64)
    table = table[:, order]

    left, top = MARGIN + LABELS, Page.heading + 46
    right = (
        float(np.trace(table[:, :count]) / count) if table.shape[1] >= count else float(table.max(axis=0).sum() / count)
    )
    note = f"{100 * right:.1f} % on the diagonal, of {count * SAMPLES:,} steps; by chance {100 / count:.1f} %."
    page = Page(WIDTH, top + count * CELL + 40, "Which action is inferred where which was taken", note)
    axes = page.axes(left, top, CELL * table.shape[1], CELL * count)
    axes.set_label("confusion")
    axes.pcolormesh(table, cmap=HEAT, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=6, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set_yticks(np.arange(count) + 0.5, [f"{plain(name, 10)} {what}" for name, what in steps.called])
    axes.set_xticks(np.arange(table.shape[1]) + 0.5, [str(one) for one in order])
    page.text(left - 12, top - 16, "inferred", ha="right", color=GREY)
    for (i, j), value in np.ndenumerate(table):
        colour = "white" if value > 0.55 else INK if value > 0.05 else GREY
        axes.text(j + 0.5, i + 0.5, f"{100 * value:.0f}", ha="center", va="center", size=10, color=colour)
    return page.figure
