"""The figures of a study: how scores spread, with what, and which of them go together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from unbraid.plots._style import GREY, INK, MARGIN, PALETTE, Page, plain
from unbraid.study.analysis import Table, agreement, explained
from unbraid.types import Floats

__all__ = ["against", "correlations", "shares", "spread"]

BOTH = LinearSegmentedColormap.from_list("both", ["#b4508f", "#e7c6da", "#f7f9fb", "#c6d9ec", "#3b6fb6"])
PANEL, GAP = 292, 62
MANY = 7
"""Settings that can stand side by side."""


def spread(table: Table, scores: Sequence[str]) -> Figure:
    """Every run as a dot and a box over those of one method, a panel for each score; darker dots are later settings."""
    methods = _methods(table)
    columns = min(3, len(scores))
    lines = -(-len(scores) // columns)
    height = 250
    page = Page(
        max(1000, 2 * MARGIN + columns * (PANEL + GAP)),
        Page.heading + lines * (height + 96) + 10,
        "How scores spread within and between methods",
        "A dot a run, darker for later values of its grid; box: quartiles and median over all its settings and seeds.",
    )
    for n, score in enumerate(scores):
        left = MARGIN + 34 + (n % columns) * (PANEL + GAP)
        top = Page.heading + 26 + (n // columns) * (height + 96)
        page.text(left, top - 14, plain(score, 40), weight="bold")
        axes = page.axes(left, top, PANEL, height)
        for i, method in enumerate(methods):
            rows = [row for row in table if row["method"] == method]
            settings = list(dict.fromkeys(row["options"] for row in rows))
            values = np.array([row[score] for row in rows])
            place = np.array([settings.index(row["options"]) for row in rows])
            tone = 0.35 + 0.65 * (place + 1) / len(settings)
            jitter = (place - (len(settings) - 1) / 2) * (0.5 / max(1, len(settings)))
            jitter = jitter + np.random.default_rng(0).uniform(-0.04, 0.04, len(rows))
            colour = PALETTE[i % len(PALETTE)]
            box = axes.boxplot(
                values, positions=[i], widths=0.72, showfliers=False, showcaps=False, patch_artist=True, zorder=1
            )
            for part in (*box["boxes"], *box["whiskers"], *box["medians"]):
                part.set_color(colour)
            box["boxes"][0].set(facecolor=colour + "1c", linewidth=1)
            box["medians"][0].set(linewidth=2.2)
            for x, y, alpha in zip(i + jitter, values, tone, strict=True):
                axes.plot(x, y, "o", color=colour, alpha=alpha, markersize=3.6, markeredgewidth=0, zorder=2)
        axes.set_xlim(-0.6, len(methods) - 0.4)
        axes.set_xticks(range(len(methods)), [plain(method, 14) for method in methods], rotation=28, ha="right")
        axes.grid(axis="y", color="#eef0f2")
        axes.set_axisbelow(True)
    return page.figure


def against(table: Table, score: str) -> Figure:
    """A score over the settings of each method: the median over seeds, the range they span, and every run."""
    methods = _methods(table)
    columns, lines, height = min(3, len(methods)), -(-len(methods) // 3), 220
    low, high = min(row[score] for row in table), max(row[score] for row in table)
    margin = 0.06 * (high - low or 1.0)
    page = Page(
        max(1000, 2 * MARGIN + columns * (PANEL + GAP)),
        Page.heading + lines * (height + 100) + 10,
        f"{plain(score, 40)} over the settings of each method",
        "Line: median over seeds; band: from the least to the greatest; dots: runs. All panels have one scale.",
    )
    for n, method in enumerate(methods):
        left = MARGIN + 34 + (n % columns) * (PANEL + GAP)
        top = Page.heading + 26 + (n // columns) * (height + 100)
        page.text(left, top - 14, plain(method, 40), weight="bold")
        axes = page.axes(left, top, PANEL, height)
        rows, colour = [row for row in table if row["method"] == method], PALETTE[n % len(PALETTE)]
        name, settings = _settings([row["options"] for row in rows])
        groups = [[row[score] for row in rows if row["options"] == one] for one in settings]
        x = _place(axes, name, list(settings.values()))
        axes.fill_between(x, [min(g) for g in groups], [max(g) for g in groups], color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, [np.median(g) for g in groups], color=colour, linewidth=2)
        for place, group in zip(x, groups, strict=True):
            axes.plot([place] * len(group), group, "o", color=colour, alpha=0.7, markersize=4, markeredgewidth=0)
        axes.set_ylim(low - margin, high + margin)
        axes.grid(axis="y", color="#eef0f2")
        axes.set_axisbelow(True)
    return page.figure


def shares(table: Table, scores: Sequence[str]) -> Figure:
    """How much of each score's variance goes with the method, with its settings, and with nothing but the seed."""
    page = Page(
        1000,
        Page.heading + 52 + 34 * len(scores) + 30,
        "What the scores' variance goes with",
        "The share that goes with the method, what its settings add, and what is left among runs that differ by seed.",
    )
    axes = page.axes(MARGIN + 170, Page.heading + 40, 1000 - 2 * MARGIN - 190, 34 * len(scores))
    names = ("method", "settings", "seed")
    tones = (PALETTE[0], PALETTE[5], "#c9ced6")
    for i, name in enumerate(names):
        page.text(
            MARGIN + 190 + 130 * i, Page.heading + 14, f"■ {name}", color=tones[i] if i < 2 else GREY, weight="bold"
        )
    for y, score in enumerate(scores):
        parts = explained([r[score] for r in table], [r["method"] for r in table], [r["options"] for r in table])
        start = 0.0
        for part, tone in zip(parts, tones, strict=True):
            axes.barh(y, part, left=start, color=tone, height=0.72)
            if part > 0.045:
                ink = INK if tone == tones[2] else "white"
                axes.text(start + part / 2, y, f"{part:.0%}", ha="center", va="center", color=ink, size=9.5)
            start += part
    axes.set_yticks(range(len(scores)), [plain(score) for score in scores], size=10.5)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return page.figure


def correlations(table: Table, rows: Sequence[str], columns: Sequence[str], title: str) -> Figure:
    """Spearman's rank correlation over all runs, as a matrix."""
    found = agreement(table, rows, columns)
    cell = max(40.0, min(74.0, 720 / len(columns)))
    left, top = MARGIN + 170, Page.heading + 92
    page = Page(
        max(1000, left + cell * len(columns) + 60),
        top + 34 * len(rows) + 36,
        title,
        f"Rank correlation (Spearman) over {len(table)} runs, from -1 (opposite orders) to 1 (the same order).",
    )
    axes = page.axes(left, top, cell * len(columns), 34 * len(rows))
    axes.pcolormesh(found, cmap=BOTH, vmin=-1, vmax=1, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(len(columns)) + 0.5, [plain(n, 16) for n in columns], rotation=35, ha="left", size=10)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [plain(name) for name in rows], size=10.5)
    for (i, j), value in np.ndenumerate(found):
        same = rows[i] == columns[j]
        ink = GREY if same else "white" if abs(value) > 0.75 else INK
        axes.text(j + 0.5, i + 0.5, f"{value:.2f}".replace("0.", ".", 1), ha="center", va="center", size=9.5, color=ink)
    return page.figure


def _methods(table: Table) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in table))


def _settings(options: Sequence[str]) -> tuple[str, dict[str, str]]:
    """What the settings differ by, where it is one option, and what each is called: ``"beta"``, ``"1"``, ``"4"``."""
    settings = list(dict.fromkeys(options))
    common = set.intersection(*(set(one.split()) for one in settings)) if len(settings) > 1 else set(options[0].split())
    own = {one: [word for word in one.split() if word not in common] for one in settings}
    names = {word.partition("=")[0] for words in own.values() for word in words}
    if len(names) != 1:
        return "", {one: plain(" ".join(words), 22) or "as it is" for one, words in own.items()}
    values = {one: words[0].partition("=")[2] if words else "as it is" for one, words in own.items()}
    with suppress(ValueError):
        values = dict(sorted(values.items(), key=lambda pair: float(pair[1])))
    return names.pop(), values


def _place(axes: Axes, name: str, values: Sequence[str]) -> Floats:
    """Where the settings stand: side by side, or where they are many numbers on an axis of their own."""
    axes.set_xlabel(plain(name, 40))
    with suppress(ValueError):
        numbers = np.array([float(value) for value in values])
        if len(numbers) > MANY:
            if numbers.min() > 0 and numbers.max() > 20 * numbers.min():
                axes.set_xscale("log")
            return numbers
    many = len(values) > 3 and max(map(len, values)) > 5
    axes.set_xlim(-0.4, max(0.4, len(values) - 0.6))
    axes.set_xticks(range(len(values)), values, rotation=20 if many else 0, ha="right" if many else "center")
    return np.arange(len(values), dtype=np.float64)
