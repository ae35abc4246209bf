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
SHOWN = ("plain", "max-pool", "dropout", "deeper", "information 3e-06")
DRAWN = ("0", "1e-05", "3e-05")
"""The prices whose maps are drawn."""
WHERE = ("image", "stage 1", "stage 2", "stage 3")
CELL, GAP, LABELS = 72, 6, 170

Rows = dict[str, list[dict[str, Any]]]


def grouped(rows: list[dict[str, Any]]) -> Rows:
    """The seeds of every setting, by its name."""
    found: Rows = {}
    for row in rows:
        name = f"information {row['beta']:g}" if row["kind"] == "information" else row["kind"]
        found.setdefault(name, []).append(row)
    return found


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
    lines += [
        "",
        "| beta | nats told by stages 1, 2, 3 | digit / mark / pieces / background, stage 1 | stage 2 | ratio |",
    ]
    lines.append("| --- " * 5 + "|")
    for name, some in rows.items():
        if name.startswith("information"):
            told = [f"{mean(some, 'told', i):.1f}" for i in range(3)]
            where = [" / ".join(f"{mean(some, 'places', i, k):.2f}" for k in range(4)) for i in range(2)]
            ratios = [f"{mean(some, 'places', i, 0) / mean(some, 'places', i, 3):.1f}" for i in range(2)]
            lines.append(f"| {name[12:]} | {', '.join(told)} | {where[0]} | {where[1]} | {', '.join(ratios)} |")
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
    """The error, what is left of the mark, and how much more is told of the digit, against the price."""
    some = {float(name[12:]): rows[name] for name in rows if name.startswith("information")}
    betas = sorted(some)
    page = Page(
        WIDTH, 420, "Rectified layers at rising prices",
        "Left: what is found in each stage. Right: the information of a place in the digit over one in the background.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 140) / 2
    axes = page.axes(MARGIN + 50, Page.heading + 20, wide, 250)
    for i, colour in ((2, PALETTE[5]), (3, PALETTE[0])):
        axes.plot(range(len(betas)), [mean(some[b], "mark", i, 0) for b in betas], "o-", color=colour)
        axes.text(0.05, mean(some[betas[0]], "mark", i, 0) + 0.05, f"mark, stage {i}, nats", color=colour, size=9.5)
    axes.plot(range(len(betas)), [mean(some[b], "error") for b in betas], "o-", color=PALETTE[1])
    axes.text(0.05, mean(some[betas[0]], "error") + 0.05, "test error", color=PALETTE[1], size=9.5)
    right = page.axes(MARGIN + 50 + wide + 80, Page.heading + 20, wide, 250)
    for i, colour in ((0, PALETTE[2]), (1, PALETTE[3])):
        ratios = [mean(some[b], "places", i, 0) / mean(some[b], "places", i, 3) for b in betas]
        right.plot(range(len(betas)), ratios, "o-", color=colour)
        right.text(1, ratios[1] + (0.25 if i == 0 else -0.4), f"stage {i + 1}", color=colour, size=9.5, ha="center")
    right.set_ylim(bottom=0)
    for each in (axes, right):
        framed(each)
        each.set_xticks(range(len(betas)), [f"{b:g}" for b in betas])
        each.set_xlabel("beta")
    return page.figure


def maps(folder: Path) -> Figure | None:
    """Images, and below them where the first two stages tell how much, for some prices; None where there are none."""
    files = [file for beta in DRAWN if (file := folder / f"{beta}, 0.pt").exists()]
    if not files:
        return None
    kept = [torch.load(file, weights_only=True) for file in files]
    count = len(kept[0]["x"])
    height = Page.heading + (1 + 2 * len(files)) * (CELL + GAP) + 20
    page = Page(
        max(WIDTH, MARGIN * 2 + LABELS + count * (CELL + GAP)), height, "Where the information is",
        "Nats of a place, each row from 0 to its own greatest; the price rises from row to row.",
    )  # fmt: skip
    rows = [("images", kept[0]["x"][:, 0], "gray")]
    for file, some in zip(files, kept, strict=True):
        beta = file.stem.partition(",")[0]
        rows += [(f"beta {beta}, stage {i + 1}", some["maps"][i], HEAT) for i in range(2)]
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
