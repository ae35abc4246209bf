"""What plots over the steps of a fit share: how their axes look, and how curves are named where they end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from unbraid.plots._style import FAINT

__all__ = ["name_ends", "number", "over_steps"]

STEPS = [1, 2, 2.5, 5, 10]
LINE = 20
"""Pixels from one name to the next, at least."""


def over_steps(axes: Axes, of: str, *, last: bool = True, ticks: int = 6) -> None:
    """Dress axes whose x are steps and whose y are ``of``; only the last of several panels has numbers below."""
    axes.set_ylabel(of)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=STEPS))
    axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=STEPS))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}".replace("-", "−"))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:,.6g}".replace("-", "−"))
    if last:
        axes.set_xlabel("step")
    else:
        axes.tick_params(labelbottom=False)


def name_ends(
    axes: Axes, ends: Mapping[str, float], texts: Mapping[str, str], colour: Mapping[str, str], height: float
) -> None:
    """Write at the right of each curve what it is, in the curve's colour, none over another.

    Args:
        axes: Whose limits are final.
        ends: Where each curve ends.
        texts: What is written.
        colour: Of each.
        height: Of the axes, in pixels.
    """
    names = sorted(ends, key=lambda name: ends[name])
    low, high = axes.get_ylim()
    heights = np.array([(ends[name] - low) / (high - low) for name in names]).clip(0, 1)
    apart = LINE / height
    for i in range(1, len(names)):
        heights[i] = max(heights[i], heights[i - 1] + apart)
    heights -= max(0.0, heights[-1] - 1.0)
    for i in range(len(names) - 2, -1, -1):
        heights[i] = min(heights[i], heights[i + 1] - apart)
    for name, y in zip(names, heights, strict=True):
        axes.text(1.02, y, texts[name], transform=axes.transAxes, color=colour[name], size=10.5, va="center")


def number(value: float) -> str:
    """A number of nats with about three digits that matter.

    >>> number(-1234.5), number(0.0123)
    ('−1,234', '0.012')
    """
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}".replace("-", "−")
