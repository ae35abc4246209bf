"""The tables and pictures of what networks keep, from ``results.jsonl`` and the maps that ``run.py`` leaves.

``python studies/information-dropout/figures.py`` prints the tables and writes ``layers.png``, ``prices.png`` and, where
``runs/information-dropout`` holds maps, ``maps.png``.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unbraid.plots._style import FAINT, GREY, HEAT, INK, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
SHOWN = ("plain", "max-pool", "dropout", "deeper", "information 0.0001")
NOISY = {"information": "rectified layers", "one layer": "one softplus layer"}
DRAWN = ("information, 0", "information, 0.0001", "information, 0.0003", "one layer, 0", "one layer, 0.0003")
"""The networks whose maps are drawn, by kind and price."""
WHERE = ("image", "stage 1", "stage 2", "stage 3")
CELL, GAP, LABELS = 60, 5, 170

Rows = dict[str, list[dict[str, Any]]]


def grouped(rows: list[dict[str, Any]]) -> Rows:
    """The seeds of every setting, by its name."""
    found: Rows = {}
    for row in rows:
        name = f"{row['kind']} {row['beta']:g}" if row["kind"] in NOISY else row["kind"]
        found.setdefault(name, []).append(row)
    return found


def priced(rows: Rows, kind: str) -> dict[float, list[dict[str, Any]]]:
    """The networks of a noisy kind by their price, the lowest first."""
    some = {float(name.rpartition(" ")[2]): rows[name] for name in rows if name.startswith(kind)}
    return dict(sorted(some.items()))


def ratio(some: list[dict[str, Any]], layer: int) -> float:
    """How many times more a place of the digit tells than one of the background."""
    return mean(some, "places", layer, 0) / mean(some, "places", layer, 3)


def mean(rows: list[dict[str, Any]], *path: Any) -> float:
    """The mean over seeds of what lies at a path."""
    values = []
    for row in rows:
        value: Any = row
        for step in path:
            value = value[step]
        values.append(value)
    return float(np.mean(values))


def tables(rows: Rows) -> str:
    """Errors and information by layer; then where the information of each stage is."""
    lines = ["| network | seeds | test error | I(z; mark): image, stages 1, 2, 3 | I(z; class) |", "| --- " * 5 + "|"]
    for name, some in rows.items():
        told = [" ".join(f"{mean(some, what, i, 0):.2f}" for i in range(4)) for what in ("mark", "class")]
        error = f"{mean(some, 'error'):.3f}"
        lines.append(f"| {name} | {len(some)} | {error} | {told[0]} | {told[1]} |")
    lines += ["", "| network | nats told | digit / mark / pieces / background | digit over background |"]
    lines.append("| --- " * 4 + "|")
    for kind in NOISY:
        for beta, some in priced(rows, kind).items():
            count = min(len(some[0]["places"]), 2)
            told = ", ".join(f"{mean(some, 'told', i):.0f}" for i in range(len(some[0]["told"])))
            where = [" / ".join(f"{mean(some, 'places', i, k):.1f}" for k in range(4)) for i in range(count)]
            ratios = ", ".join(f"{ratio(some, i):.1f}" for i in range(count))
            lines.append(f"| {kind}, {beta:g} | {told} | {'; '.join(where)} | {ratios} |")
    return "\n".join(lines)


def layers(rows: Rows) -> Figure:
    """What every stage keeps of the mark and of the class, for each architecture."""
    shown = [name for name in SHOWN if name in rows]
    seeds = min(len(rows[name]) for name in shown)
    page = Page(
        WIDTH, 440, "Deeper layers keep the class and lose what does not matter",
        f"What a small convolutional reader finds in each layer, noise included, on Clutter; seeds: {seeds}.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 120 - 150) / 2
    panels = (("mark", "I(z; mark), nats", math.log(4)), ("class", "I(z; class), nats", math.log(10)))
    for panel, (what, label, top) in enumerate(panels):
        axes = page.axes(MARGIN + 50 + panel * (wide + 60), Page.heading + 10, wide, 270)
        for name, colour in zip(shown, PALETTE, strict=False):
            axes.plot(range(4), [mean(rows[name], what, i, 0) for i in range(4)], "o-", color=colour, linewidth=2)
        axes.axhline(top, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        framed(axes)
        axes.set_xticks(range(4), WHERE)
        axes.set_ylabel(label)
        axes.set_ylim(-0.03 * top, 1.06 * top)
    for line, (name, colour) in enumerate(zip(shown, PALETTE, strict=False)):
        page.text(WIDTH - 170, Page.heading + 30 + 24 * line, name.replace("information", "information,"), color=colour)
    return page.figure


def prices(rows: Rows) -> Figure:
    """The error, what the second stage tells of mark and class, and how much more of the digit, against the price."""
    page = Page(
        WIDTH, 440, "What rising prices take",
        "What a reader finds in stage 2, in nats, and errors (dots are seeds); a place of the digit over one of the "
        "background.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 200) / 3
    last = page.axes(MARGIN + 40 + 2 * (wide + 70), Page.heading + 36, wide, 230)
    for panel, (kind, title) in enumerate(NOISY.items()):
        some = priced(rows, kind)
        axes = page.axes(MARGIN + 40 + panel * (wide + 60), Page.heading + 36, wide, 230)
        for path, colour in ((("class", 2, 0), PALETTE[0]), (("mark", 2, 0), PALETTE[2]), (("error",), PALETTE[1])):
            axes.plot(range(len(some)), [mean(one, *path) for one in some.values()], "o-", color=colour, linewidth=2)
            seeds = [(place, mean([row], *path)) for place, one in enumerate(some.values()) for row in one]
            axes.plot(*zip(*seeds, strict=True), "o", color=colour, ms=4, alpha=0.5)
        axes.set_title(title, size=10.5, color=INK)
        axes.set_ylim(0, 2.2)
        axes.set_xticks(range(len(some)), [f"{beta:g}" for beta in some])
        stages = (0, 1) if kind == "information" else (0,)
        for stage in stages:
            name = f"stage {stage + 1}" if len(stages) > 1 else "the one layer"
            ratios = [ratio(one, stage) for beta, one in some.items() if beta < 1e-3]
            colour = PALETTE[3 + stage + 2 * panel]
            last.plot([f"{beta:g}" for beta in some if beta < 1e-3], ratios, "o-", color=colour, linewidth=2)
            page.text(MARGIN + 40 + 2 * (wide + 70) + 80 * (stage + 2 * panel), 424, name, color=colour)
        framed(axes)
        axes.set_xlabel("beta")
    for i, (name, colour) in enumerate((("I(z; class)", 0), ("I(z; mark)", 2), ("test error", 1))):
        page.text(MARGIN + 40 + 120 * i, 424, name, color=PALETTE[colour])
    last.set_ylim(bottom=0)
    last.set_title("digit over background", size=10.5, color=INK)
    framed(last)
    last.set_xlabel("beta")
    return page.figure


def maps(folder: Path) -> Figure | None:
    """Images, and below them where the first two stages tell how much, for some prices; None where there are none."""
    files = [file for name in DRAWN if (file := folder / f"{name}, 0.pt").exists()]
    if not files:
        return None
    kept = [torch.load(file, weights_only=True) for file in files]
    count = len(kept[0]["x"])
    shown = [some["maps"][:2] for some in kept]
    height = Page.heading + (1 + sum(len(some) for some in shown)) * (CELL + GAP) + 20
    page = Page(
        max(WIDTH, MARGIN * 2 + LABELS + count * (CELL + GAP)), height, "Where the information is",
        "Nats of a place, each row from 0 to its own greatest.",
    )  # fmt: skip
    rows = [("images", kept[0]["x"][:, 0], "gray")]
    for file, some in zip(files, shown, strict=True):
        kind, beta, _ = file.stem.split(", ")
        names = [f"stage {i + 1}" for i in range(2)] if len(some) > 1 else [kind]
        rows += [(f"{name}, beta {beta}", told, HEAT) for name, told in zip(names, some, strict=True)]
    for line, (label, pictures, colours) in enumerate(rows):
        y = Page.heading + line * (CELL + GAP)
        page.text(MARGIN, y + CELL / 2, label, size=10)
        for column, picture in enumerate(pictures):
            axes = page.axes(MARGIN + LABELS + column * (CELL + GAP), y, CELL, CELL)
            axes.imshow(picture.numpy(), cmap=colours, vmin=0, vmax=float(pictures.max()), interpolation="nearest")
            axes.set_axis_off()
    return page.figure


def framed(axes: Axes) -> None:
    """A faint grid behind."""
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelcolor=INK)


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, default=Path("runs/information-dropout"))
    options = parser.parse_args()
    rows = grouped([json.loads(line) for line in (HERE / "results.jsonl").read_text("utf-8").splitlines()])
    print(tables(rows))
    layers(rows).savefig(HERE / "layers.png")
    prices(rows).savefig(HERE / "prices.png")
    if (figure := maps(options.maps)) is not None:
        figure.savefig(HERE / "maps.png")


if __name__ == "__main__":
    main()
