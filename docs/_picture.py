"""The picture of every score on representations whose virtue is known, drawn from what ``_scores.py`` recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from unbraid import registry
from unbraid.plots._style import FAINT, GREY, HEAT, INK, MARGIN, Page

__all__ = ["GROUPS", "ROWS", "draw", "unblind"]

GROUPS = {
    "information of single latents and factors": "mig dcimig jemmig unified migsup modularity med infom infoc edi",
    "one latent alone": "mcc tad sap snc",
    "no factors needed": "totalcorrelation mutualinformation hfs udr",
    "predictors of factors": "dci nk reduceddownstream downstream explicitness infoe dcies",
    "factors held, and factors changed": "factorvae_score betavae_score zmax irs consistency restrictiveness omes",
    "paths and use": "flatness linearity covariateshift fairness",
    "steps around a circle": "independence actionaccuracy actionerror cyclicconsistency rollout dlsbd",
}
"""The scores by what they look at; the first half in the upper band of the picture, the second in the lower."""

ROWS = {
    "perfect": "one latent a factor",
    "permuted": "shuffled, some flipped",
    "warped": "each latent bent",
    "periodic": "one factor on a circle",
    "duplicated": "one factor twice",
    "merged": "two factors in one latent",
    "noisy": "half a spread of noise",
    "rotated": "pairs turned by 45°",
    "mixed": "a random linear mixture",
    "dead": "three latents left",
    "all dead": "none left",
    "random": "noise alone",
}
GAPS = ("periodic", "merged", "dead")
"""The rows above which there is some room."""
FLAWED = tuple(ROWS)[5:]
"""What no score that asks for disentanglement should take for perfect."""
BLIND = 0.05
"""How near to the perfect codes, as a share of the range of its colours, a score is said to see no flaw."""

CELL, ROW, LABELS, HEADS, ROOM, TOP = 40, 25, 250, 152, 14, 136
MARK = "#e58a2a"


def shade(values: Mapping[str, float], direction: str) -> dict[str, float]:
    """From 0, the worst value of all representations, to 1, the best."""
    worst, best = (min, max) if direction == "higher" else (max, min)
    low, high = worst(values.values()), best(values.values())
    return {of: (value - low) / (high - low) for of, value in values.items()}


def blind(of: str, shades: Mapping[str, float]) -> bool:
    """Whether a representation is flawed and its shade is no worse than that of the perfect one."""
    return of in FLAWED and shades[of] > shades["perfect"] - BLIND


def unblind(record: Path) -> list[str]:
    """The scores that see every flaw, in the order of the picture."""
    measured = json.loads(record.read_text("utf-8"))
    names = [score for scores in GROUPS.values() for score in scores.split()]
    shades = {name: shade(measured[name], registry.load("scores", name).declaration.direction) for name in names}
    return [name for name in names if not any(blind(of, shades[name]) for of in ROWS)]


def written(value: float) -> str:
    """A value in four characters at most.

    >>> [written(value) for value in (-0.001, 0.9953, 0.499, -0.479, 1.5008, 17.7)]
    ['0', '1', '.50', '-.48', '1.5', '18']
    """
    if abs(value) < 0.005:
        return "0"
    if abs(value) >= 9.95:
        return f"{value:.0f}"
    if abs(value) >= 0.995:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.2f}".replace("0.", ".")


def draw(record: Path, out: Path) -> None:
    """Write the picture: rows are representations, columns scores, in two bands."""
    measured = json.loads(record.read_text("utf-8"))
    bands: list[list[tuple[str, Sequence[str]]]] = [[], []]
    for number, (title, scores) in enumerate(GROUPS.items()):
        bands[2 * number // len(GROUPS)].append((title, scores.split()))
    widest = max(sum(len(scores) for _, scores in band) for band in bands)
    width = 2 * MARGIN + LABELS + CELL * widest + ROOM * 2
    band_height = HEADS + ROW * len(ROWS) + ROOM * len(GAPS) + 44
    page = Page(
        width,
        TOP + band_height * 2 - 26,
        "What every score says of representations whose virtue is known",
        "Ten latents; 10,000 samples of five factors of 3, 6, 40, 32 and 32 values; every score with its own defaults.",
    )
    axes = page.axes(0, 0, page.width, page.height)
    axes.set(xlim=(0, page.width), ylim=(page.height, 0))
    axes.set_axis_off()
    legend(page, axes)
    for number, band in enumerate(bands):
        top = TOP + number * band_height
        heights, y = {}, top + HEADS
        for of, text in ROWS.items():
            y += ROOM * (of in GAPS)
            heights[of], y = y, y + ROW
            page.text(MARGIN, heights[of] + ROW / 2, of, size=10.5, weight="bold")
            page.text(MARGIN + LABELS - 14, heights[of] + ROW / 2, text, size=9.5, color=GREY, ha="right")
        x = MARGIN + LABELS
        for title, scores in band:
            axes.plot([x + 2, x + CELL * len(scores) - 2], [top + 22] * 2, color=INK, linewidth=1.2)
            page.text(x + 2, top + 10, title, size=9.5, weight="bold")
            for score in scores:
                column(page, axes, score, measured[score], x, top + HEADS, heights)
                x += CELL
            x += ROOM
    page.figure.savefig(out, dpi=200)


def legend(page: Page, axes: Axes) -> None:
    """What colours and marks mean, in a line."""
    y, x = 102, MARGIN
    for shade in np.linspace(0, 0.92, 24):
        axes.add_patch(Rectangle((x, y - 8), 4, 16, facecolor=HEAT(shade)))
        x += 4
    page.text(x + 10, y, "worst to best value of the column", size=9.5)
    x += 275
    axes.add_patch(corner(x, y - 6, 12))
    page.text(x + 22, y, "flawed, yet as good as perfect to this score", size=9.5)
    page.text(x + 340, y, "▾  low values are good", size=9.5)


def column(
    page: Page, axes: Axes, score: str, values: Mapping[str, float], x: float, top: float, heights: Mapping[str, float]
) -> None:
    """One score."""
    direction = registry.load("scores", score).declaration.direction
    name = score.removesuffix("_score") + (" ▾" if direction == "lower" else "")
    page.text(x + CELL / 2 + 2, top - 6, name, size=9.5, rotation=55, ha="left", va="bottom", rotation_mode="anchor")
    shades = shade(values, direction)
    for of, y in heights.items():
        colour = HEAT(0.92 * shades[of])
        cell = Rectangle((x + 0.75, y + 0.75), CELL - 1.5, ROW - 1.5, facecolor=colour, edgecolor=FAINT, linewidth=0.4)
        axes.add_patch(cell)
        ink = "white" if shades[of] > 0.55 else INK
        page.text(x + CELL / 2, y + ROW / 2, written(values[of]), size=8.5, color=ink, ha="center")
        if blind(of, shades):
            axes.add_patch(corner(x + CELL - 10, y + 0.75, 9))


def corner(x: float, y: float, side: float) -> Polygon:
    """The mark of a score that sees no flaw: the upper right half of a square."""
    return Polygon(np.array([(x, y), (x + side, y), (x + side, y + side)]), facecolor=MARK)
