"""How a fit went: every term of the loss over its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._curves import name_ends, number, over_steps
from unbraid.plots._history import KL, SIGN
from unbraid.plots._style import GREY, INK, MARGIN, PALETTE, WIDTH, Page, plain
from unbraid.types import Floats

__all__ = ["losses"]

Curve: TypeAlias = tuple[Floats, Floats]
"""Steps and values, NaN where a value is not finite."""

APART = 5.0
"""Terms whose sizes differ by more than this stand in panels of their own."""
SETTLING = 0.05
"""The share of a fit whose values may lie above the panel, since a first loss dwarfs all that follow."""
FLAT = 0.4
"""The share of a panel's height to which the first moments may press all that follows."""
SMOOTHED_FROM = 100
"""Points from which on a running mean is drawn over the values."""
COUNTERS = ("step", "epoch")
"""What a row says besides nats; the KL of each latent is drawn by :mod:`unbraid.plots.capacity`."""
PANEL, BETWEEN, LABELS = 230, 44, 210


def losses(*, history: Sequence[Mapping[str, float]]) -> Figure:
    """Every term of the loss over the steps of a fit, in nats per image; one panel for each order of size.

    Long curves are drawn twice, faint as recorded and bold as a running mean. Values that are not finite leave gaps.

    Args:
        history: Rows with ``step`` and named values in nats per image; a row need not hold every name, and its
            ``epoch``, the KL of single latents and the signs of what goes wrong are not drawn.

    Raises:
        InvalidData: When no row has a step and a finite value.
    """
    curves = _curves(history)
    panels = _panels(curves)
    terms = [name for name in curves if name != "loss"]
    colour = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(terms)} | {"loss": INK}
    steps = np.concatenate([steps for steps, _ in curves.values()])
    left, top = MARGIN + 70, Page.heading + 14

    broken = sum(int(np.isnan(values).sum()) for _, values in curves.values())
    window = _window(max(len(values) for _, values in curves.values()))
    note = "Nats per image" + (f"; faint as recorded, bold the mean of {window} records" if window > 1 else "")
    note += f"; {broken:,} values are not finite" if broken else ""
    height = top + len(panels) * (PANEL + BETWEEN) + 24
    page = Page(WIDTH, height, "The loss and its terms over training", note + ".")
    for row, names in enumerate(panels):
        axes = page.axes(left, top + row * (PANEL + BETWEEN), WIDTH - left - LABELS, PANEL)
        axes.set_label("panel")
        for name in names:
            _draw(axes, *curves[name], colour[name])
        _limit(axes, [curves[name] for name in names])
        span = (float(steps.min()), float(steps.max()))
        axes.set_xlim(*(span if span[0] < span[1] else (span[0] - 1, span[1] + 1)))
        over_steps(axes, "nats per image", last=row == len(panels) - 1)
        smooth = {name: _smooth(curves[name][1]) for name in names}
        ends = {name: float(values[np.isfinite(values)][-1]) for name, values in smooth.items()}
        texts = {name: f"{plain(name, 18)}  {number(end)}" for name, end in ends.items()}
        name_ends(axes, ends, texts, colour, PANEL)
    return page.figure


def _curves(history: Sequence[Mapping[str, float]]) -> dict[str, Curve]:
    """Steps and values of every name, in the order in which names first occur; not finite is NaN."""
    rows = [row for row in history if math.isfinite(row.get("step", math.nan))]
    names = dict.fromkeys(
        name for row in rows for name in row if name not in COUNTERS and not name.startswith((KL, SIGN))
    )
    curves = {}
    for name in names:
        pairs = np.array([(row["step"], row[name]) for row in rows if name in row], dtype=np.float64)
        pairs[~np.isfinite(pairs)] = np.nan
        if np.isfinite(pairs[:, 1]).any():
            curves[name] = (pairs[:, 0], pairs[:, 1])
    if not curves:
        raise InvalidData(f"history needs rows with a step and a finite value, but none of {len(history)} has them")
    return curves


def _panels(curves: Mapping[str, Curve]) -> list[list[str]]:
    """Names grouped by size, the largest first; a term that is about 0 joins the smallest."""
    size = {name: float(np.nanmedian(np.abs(values))) for name, (_, values) in curves.items()}
    panels: list[list[str]] = []
    for name in sorted(size, key=lambda name: -size[name]):
        if panels and (size[name] * APART >= size[panels[-1][0]] or size[name] < 1e-3):
            panels[-1].append(name)
        else:
            panels.append([name])
    return panels


def _window(count: int) -> int:
    return 1 if count < SMOOTHED_FROM else max(3, count // 40)


def _draw(axes: Axes, steps: Floats, values: Floats, colour: str) -> None:
    finite = np.isfinite(values)
    window = _window(len(values))
    alone = finite & ~np.append(False, finite[:-1]) & ~np.append(finite[1:], False)
    axes.plot(steps[alone], values[alone], "o", color=colour, markersize=4)
    if window == 1:
        axes.plot(steps, values, color=colour, linewidth=1.8)
        return
    axes.plot(steps, values, color=colour, linewidth=0.8, alpha=0.25)
    axes.plot(steps, _smooth(values), color=colour, linewidth=1.8)


def _smooth(values: Floats) -> Floats:
    """The mean of the finite values around each; where a value is not finite, so is its mean."""
    kernel, finite = np.ones(_window(len(values))), np.isfinite(values)
    total = np.convolve(np.where(finite, values, 0.0), kernel, "same")
    count = np.convolve(finite.astype(np.float64), kernel, "same")
    return np.where(finite, total / np.maximum(count, 1.0), np.nan)


def _limit(axes: Axes, curves: Sequence[Curve]) -> None:
    """Show what follows the first moments at full height when these would flatten it, and say what lies above."""
    everything = np.concatenate([values[np.isfinite(values)] for _, values in curves])
    settled = [values[int(len(values) * SETTLING) :] for _, values in curves]
    later = np.concatenate([values[np.isfinite(values)] for values in settled])
    low, high = float(everything.min()), float(everything.max())
    if later.size and float(later.max()) - low < FLAT * (high - low):
        text = f"↑ up to {number(high)} at first"
        axes.text(0.0, 1.045, text, transform=axes.transAxes, color=GREY, size=9.5, va="center")
        high = float(later.max())
    margin = 0.08 * (high - low) or 1.0
    axes.set_ylim(0.0 if 0 <= low < 0.5 * high else low - margin, high + margin)
