"""The figures of a study: how scores spread, with what, and which of them go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from unbraid.plots._style import GREY, INK, MARGIN, PALETTE, Page, plain
from unbraid.study.analysis import Table, agreement, explained

__all__ = ["against", "correlations", "shares", "spread"]

BOTH = LinearSegmentedColormap.from_list("both", ["#b4508f", "#e7c6da", "#f7f9fb", "#c6d9ec", "#3b6fb6"])
PANEL, GAP = 292, 62


def spread(table: Table, scores: Sequence[str]) -> Figure:
    """Every run as a dot and a box over those of one model, a panel for each score; darker dots are later settings."""
    models = _models(table)
    columns = min(3, len(scores))
    lines = -(-len(scores) // columns)
    height = 250
    page = Page(
        max(1000, 2 * MARGIN + columns * (PANEL + GAP)),
        Page.heading + lines * (height + 96) + 10,
        "How scores spread within and between models",
        "A dot a run, darker for later values of its grid; box: quartiles and median over all its settings and seeds.",
    )
    for n, score in enumerate(scores):
        left = MARGIN + 34 + (n % columns) * (PANEL + GAP)
        top = Page.heading + 26 + (n // columns) * (height + 96)
        page.text(left, top - 14, plain(score, 40), weight="bold")
        axes = page.axes(left, top, PANEL, height)
        for i, model in enumerate(models):
            rows = [row for row in table if row["model"] == model]
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
        axes.set_xlim(-0.6, len(models) - 0.4)
        axes.set_xticks(range(len(models)), [plain(model, 14) for model in models], rotation=28, ha="right")
        axes.grid(axis="y", color="#eef0f2")
        axes.set_axisbelow(True)
    return page.figure


def against(table: Table, score: str) -> Figure:
    """A score over the settings of each model: the median over seeds, the range they span, and every run."""
    models = _models(table)
    columns, lines, height = min(3, len(models)), -(-len(models) // 3), 220
    low, high = min(row[score] for row in table), max(row[score] for row in table)
    margin = 0.06 * (high - low or 1.0)
    page = Page(
        max(1000, 2 * MARGIN + columns * (PANEL + GAP)),
        Page.heading + lines * (height + 100) + 10,
        f"{plain(score, 40)} over the settings of each model",
        "Line: median over seeds; band: from the least to the greatest; dots: runs. All panels have one scale.",
    )
    for n, model in enumerate(models):
        left = MARGIN + 34 + (n % columns) * (PANEL + GAP)
        top = Page.heading + 26 + (n // columns) * (height + 100)
        page.text(left, top - 14, plain(model, 40), weight="bold")
        axes = page.axes(left, top, PANEL, height)
        rows, colour = [row for row in table if row["model"] == model], PALETTE[n % len(PALETTE)]
        settings = list(dict.fromkeys(row["options"] for row in rows))
        groups = [[row[score] for row in rows if row["options"] == one] for one in settings]
        x = np.arange(len(settings))
        axes.fill_between(x, [min(g) for g in groups], [max(g) for g in groups], color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, [np.median(g) for g in groups], color=colour, linewidth=2)
        for i, group in enumerate(groups):
            axes.plot([i] * len(group), group, "o", color=colour, alpha=0.7, markersize=4, markeredgewidth=0)
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlim(-0.4, max(0.4, len(settings) - 0.6))
        labels = [plain(_short(one, settings), 22) for one in settings]
        axes.set_xticks(
            x, labels, rotation=20 if len(settings) > 3 else 0, ha="right" if len(settings) > 3 else "center"
        )
        axes.grid(axis="y", color="#eef0f2")
        axes.set_axisbelow(True)
    return page.figure


def shares(table: Table, scores: Sequence[str]) -> Figure:
    """How much of each score's variance goes with the model, with its settings, and with nothing but the seed."""
    page = Page(
        1000,
        Page.heading + 52 + 34 * len(scores) + 30,
        "What the scores' variance goes with",
        "The share that goes with the model, what its settings add, and what is left among runs that differ by seed.",
    )
    axes = page.axes(MARGIN + 170, Page.heading + 40, 1000 - 2 * MARGIN - 190, 34 * len(scores))
    names = ("model", "settings", "seed")
    tones = (PALETTE[0], PALETTE[5], "#c9ced6")
    for i, name in enumerate(names):
        page.text(MARGIN + 190 + 130 * i, Page.heading + 14, f"■ {name}", color=tones[i], weight="bold")
    for y, score in enumerate(scores):
        parts = explained([r[score] for r in table], [r["model"] for r in table], [r["options"] for r in table])
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


def _models(table: Table) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in table))


def _short(options: str, all_options: Sequence[str]) -> str:
    """The words of a setting that not all settings share; without the name where it is always the same one."""
    if len(all_options) == 1:
        return options or "as it is"
    common = set.intersection(*(set(one.split()) for one in all_options))
    words: list[Any] = [word for word in options.split() if word not in common]
    names = {word.partition("=")[0] for one in all_options for word in one.split() if word not in common}
    return " ".join(words) if len(names) > 1 or not words else words[0]
