"""How latents are switched on: the nats of each one over training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unbraid.errors import InvalidData, require_at_least
from unbraid.plots._curves import name_ends, number, over_steps
from unbraid.plots._history import KL
from unbraid.plots._latents import as_pair, favourites
from unbraid.plots._style import GREY, INK, MARGIN, PALETTE, WIDTH, Page, latent, plain
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["capacity", "onsets"]

TOTAL, EACH, BETWEEN, LABELS = 110, 330, 30, 230
PIN = 17
"""Pixels from one pin to the next, at least."""


def capacity(
    *,
    history: Sequence[Mapping[str, float]],
    codes: Floats,
    factors: Integers,
    space: FactorSpace,
    allowance: Floats | None = None,
    threshold: float = 0.2,
) -> Figure:
    """The KL of every latent over training, in the order in which they are switched on, and what each one tells of.

    A latent is on from the record on after which its KL never falls below a threshold; numbered pins show when. At the
    end of each curve: the latent, the factor of which it carries the greatest share in the end, and its nats. Above,
    the KL of all latents together, and what the model holds it to, where it does.

    Args:
        history: Rows with ``step`` and, in some of them, the KL of each latent (``kl_z0`` ...), in nats.
        codes: Of the fitted model, ``(N, D)``; some thousands, since the information of few samples is overstated.
        factors: The factor values of the same samples, ``(N, F)``.
        space: The factors.
        allowance: How many nats the KL is held to at every row of the history.
        threshold: From how many nats on a latent is on, at least 0.

    Raises:
        InvalidData: When the history does not tell of latents, or the arrays do not fit together.
    """
    require_at_least(0, threshold=threshold)
    codes, factors = as_pair(codes, factors, space)
    steps, nats = _nats(history, codes.shape[1])
    told = favourites(codes, factors)
    first = onsets(nats, threshold)
    on = sorted((j for j in range(len(first)) if first[j] is not None), key=lambda j: (first[j], -nats[-1, j]))
    colour = {j: PALETTE[i % len(PALETTE)] for i, j in enumerate(on)}

    left, top, width = MARGIN + 70, Page.heading + 14, WIDTH - (MARGIN + 70) - LABELS
    note = f"Pins: from when on a latent stays above {threshold:g} nats, in that order. The images are always the same."
    page = Page(WIDTH, top + TOTAL + BETWEEN + EACH + 62, "How latents are switched on", note)
    whole, each = page.axes(left, top, width, TOTAL), page.axes(left, top + TOTAL + BETWEEN, width, EACH)
    whole.set_label("total")
    each.set_label("latents")
    for axes in (whole, each):
        axes.set_xlim(0, steps[-1])
    _whole(whole, steps, nats.sum(axis=1), history, allowance)
    for j in range(nats.shape[1]):
        alive = j in colour
        each.plot(
            steps, nats[:, j], color=colour.get(j, GREY), linewidth=1.8 if alive else 0.9, zorder=2 if alive else 1
        )
    each.axhline(threshold, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    each.set_ylim(0, max(1.12 * float(_settled(nats).max()), 3 * threshold))
    over_steps(each, "nats, each latent")
    _pins(each, [(float(steps[first[j] or 0]), colour[j]) for j in on], threshold, width / steps[-1])

    ends = {latent(j): float(nats[-1, j]) for j in on}
    texts = {latent(j): f"{latent(j)}  {_factor(told[j], space)}  {number(float(nats[-1, j]))}" for j in on}
    colours = {latent(j): colour[j] for j in on}
    if len(on) < len(first):
        ends["off"], colours["off"] = float(np.mean([nats[-1, j] for j in range(len(first)) if j not in colour])), GREY
        off = len(first) - len(on)
        texts["off"] = f"{off} latent{'s' * (off > 1)} off" if on else f"all {off} latents off"
    name_ends(each, ends, texts, colours, EACH)
    return page.figure


def onsets(nats: Floats, threshold: float) -> list[int | None]:
    """The first record of each latent after which it never falls below a threshold: ``(T, D)`` to D; None where none.

    >>> onsets(np.array([[0.9, 0.1, 0.3], [0.1, 0.2, 0.4], [0.3, 0.1, 0.5]]), 0.2)
    [2, None, 0]
    """
    below = nats < threshold
    last = [int(np.flatnonzero(column)[-1]) if column.any() else -1 for column in below.T]
    return [at + 1 if at + 1 < len(nats) else None for at in last]


def _nats(history: Sequence[Mapping[str, float]], latents: int) -> tuple[Floats, Floats]:
    names = [f"{KL}{j}" for j in range(latents)]
    rows = [[row["step"], *(row[name] for name in names)] for row in history if all(name in row for name in names)]
    table = np.array([row for row in rows if all(map(math.isfinite, row))], dtype=np.float64)
    if not len(table):
        raise InvalidData(
            f"capacity draws the KL of {latents} latents ({names[0]} ...), of which the history holds no finite row: "
            "runs of models with a KL have it, from this version on"
        )
    return table[:, 0], table[:, 1:]


def _settled(nats: Floats) -> Floats:
    """Without the first twentieth of training, whose KL may dwarf all that follows."""
    return nats[len(nats) // 20 :]


def _whole(
    axes: Axes, steps: Floats, total: Floats, history: Sequence[Mapping[str, float]], allowance: Floats | None
) -> None:
    axes.plot(steps, total, color=INK, linewidth=1.8)
    ends, texts, colours = {"KL": float(total[-1])}, {"KL": f"KL  {number(float(total[-1]))}"}, {"KL": INK}
    high = float(_settled(total).max())
    if allowance is not None:
        axes.plot([row["step"] for row in history], allowance, color=PALETTE[1], linewidth=1.4, linestyle=(0, (4, 3)))
        ends["C"], colours["C"] = float(allowance[-1]), PALETTE[1]
        texts["C"] = f"C(t)  {number(ends['C'])}"
        high = max(high, float(np.max(allowance)))
    axes.set_ylim(0, 1.15 * high + 1e-3)
    over_steps(axes, "nats, all", last=False, ticks=3)
    name_ends(axes, ends, texts, colours, TOTAL)


def _pins(axes: Axes, places: Sequence[tuple[float, str]], threshold: float, scale: float) -> None:
    """A numbered pin for each place, left to right; those that would touch stand above each other."""
    low, high = axes.get_ylim()
    level: list[float] = []  # the x at which the last pin of each level stands, in pixels
    for turn, (step, colour) in enumerate(places, 1):
        x = step * scale
        row = next((i for i, taken in enumerate(level) if x - taken >= PIN), len(level))
        level[row : row + 1] = [x]
        y = threshold + (high - low) * (PIN * (row + 1)) / EACH
        axes.plot([step, step], [threshold, y], color=colour, linewidth=0.9, zorder=3)
        axes.plot(step, y, "o", color=colour, markersize=11, zorder=4, clip_on=False)
        axes.text(step, y, str(turn), color="white", size=7.5, weight="bold", ha="center", va="center", zorder=5)


def _factor(told: tuple[int, float] | None, space: FactorSpace) -> str:
    return plain(space.names[told[0]], 14) if told else "no factor"
