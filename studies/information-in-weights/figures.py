"""The tables and the picture of what weights hold, from ``results.jsonl``.

``python studies/information-in-weights/figures.py`` prints the tables and writes ``transition.png`` and ``growth.png``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from run import BETAS, FINE, LABELS

from unbraid.plots._style import FAINT, GREY, HEAT, INK, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
COUNTS = (100, 200, 400)

Rows = list[dict[str, Any]]


def chosen(rows: Rows, **fields: Any) -> Rows:
    """The rows with these settings; Gaussian noise around 0 in the wide network unless they say otherwise."""
    wanted = {"noise": "gaussian", "prior": "zero", "network": "wide", "samples": 200} | fields
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def mean(rows: Rows, name: str) -> float:
    """Over seeds; not a number where there are none."""
    return float(np.mean([row[name] for row in rows])) if rows else math.nan


def tables(rows: Rows) -> str:
    """By labels and price; then by samples; then other priors and noises."""
    names = ("train_error", "test_error", "held_per_sample", "flatness", "promise")
    lines = [f"| labels | beta | seeds | {' | '.join(names)} |", "| --- " * (3 + len(names)) + "|"]
    for labels in LABELS:
        for beta in BETAS:
            some = chosen(rows, labels=labels, beta=beta)
            if some:
                cells = " | ".join(f"{mean(some, name):.2f}" for name in names)
                lines.append(f"| {labels} | {beta:g} | {len(some)} | {cells} |")
    lines += ["", "| labels | beta | " + " | ".join(f"N {n}: error, nats" for n in COUNTS) + " |", "| --- " * 5 + "|"]
    for labels in ("random", "real"):
        for beta in BETAS:
            cells = []
            for count in COUNTS:
                some = chosen(rows, labels=labels, beta=beta, samples=count)
                cells.append(f"{mean(some, 'train_error'):.2f}, {mean(some, 'held'):.0f}" if some else "")
            lines.append(f"| {labels} | {beta:g} | {' | '.join(cells)} |")
    lines += ["", "| random labels, beta | prior at 0: error, nats a sample | at the start | log-normal noise |"]
    lines.append("| --- " * 4 + "|")
    for beta in BETAS:
        cells = []
        for other in ({"seed": 0}, {"prior": "start"}, {"noise": "log-normal"}):
            some = chosen(rows, labels="random", beta=beta, **other)
            cells.append(f"{mean(some, 'train_error'):.2f}, {mean(some, 'held_per_sample'):.1f}" if some else "")
        lines.append(f"| {beta:g} | {' | '.join(cells)} |")
    lines += ["", "| random labels, beta | wide: error, loss, nats a sample, for each nat gained | narrow |"]
    lines.append("| --- " * 3 + "|")
    for beta in FINE:
        cells = []
        for other in ({}, {"network": "narrow", "prior": "start"}):
            some = chosen(rows, labels="random", beta=beta, **other)
            cells.append(", ".join(f"{value:.2f}" for value in looseness(some)))
        lines.append(f"| {beta:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def looseness(some: Rows) -> tuple[float, ...]:
    """Error, loss, nats held a sample, and how many of them for every nat by which the loss is below log 10."""
    error, loss, held = (mean(some, name) for name in ("train_error", "train_loss", "held_per_sample"))
    return error, loss, held, held / (math.log(10) - loss)


def transition(rows: Rows) -> Figure:
    """Training error, test error and nats a sample against the price, for each kind of labels."""
    page = Page(
        WIDTH, 440, "Random labels need information that real ones do not",
        "200 digits; dots are seeds, lines join their means. Dotted: log 10, the nats of a random label.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 170) / 3
    panels = (("train_error", "training error"), ("test_error", "test error"), ("held_per_sample", "nats a sample"))
    for panel, (name, label) in enumerate(panels):
        axes = page.axes(MARGIN + 50 + panel * (wide + 60), Page.heading + 20, wide, 250)
        for labels, colour in zip(LABELS, PALETTE, strict=False):
            some = [row for beta in BETAS for row in chosen(rows, labels=labels, beta=beta)]
            axes.plot(BETAS, [mean(chosen(rows, labels=labels, beta=b), name) for b in BETAS], color=colour)
            axes.plot([row["beta"] for row in some], [row[name] for row in some], "o", color=colour, ms=4, alpha=0.6)
        framed(axes)
        axes.set_xscale("log")
        axes.set_xlabel("beta")
        axes.set_ylabel(label)
        if name == "held_per_sample":
            axes.set_yscale("symlog", linthresh=0.1)
            axes.set_ylim(-0.01, 70)
            axes.axhline(math.log(10), color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    for i, (labels, colour) in enumerate(zip(LABELS, PALETTE, strict=False)):
        page.text(MARGIN + 50 + 110 * i, 420, labels, color=colour)
    return page.figure


def growth(rows: Rows) -> Figure:
    """The error as a map over price and samples, for random and real labels; and the nats held, by samples."""
    page = Page(
        WIDTH, 400, "Information grows with the samples where labels are random",
        "Training error by price and number of samples, and nats held at beta 0.03; means of three seeds.",
    )  # fmt: skip
    for panel, labels in enumerate(("random", "real")):
        axes = page.axes(MARGIN + 50 + panel * 340, Page.heading + 40, 290, 200)
        cells = np.array(
            [[mean(chosen(rows, labels=labels, beta=b, samples=n), "train_error") for b in BETAS] for n in COUNTS]
        )
        axes.imshow(cells, cmap=HEAT, vmin=0, vmax=0.9, aspect="auto", origin="lower")
        for (i, j), value in np.ndenumerate(cells):
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", size=9, color="white" if value > 0.5 else INK)
        axes.set_xticks(range(len(BETAS)), [f"{b:g}" for b in BETAS])
        axes.set_yticks(range(len(COUNTS)), [str(n) for n in COUNTS])
        axes.set_xlabel("beta")
        axes.set_title(f"{labels} labels", size=10.5, color=INK)
    axes = page.axes(MARGIN + 740, Page.heading + 40, 190, 200)
    for labels, colour in (("random", PALETTE[2]), ("real", PALETTE[0])):
        held = [mean(chosen(rows, labels=labels, beta=0.03, samples=n), "held") for n in COUNTS]
        axes.plot(COUNTS, held, "o-", color=colour)
        axes.text(COUNTS[0], held[-1], labels, color=colour, size=9.5)
    framed(axes)
    axes.set_xlabel("samples")
    axes.set_title("nats held", size=10.5, color=INK)
    axes.set_ylim(bottom=0)
    return page.figure


def framed(axes: Axes) -> None:
    """A faint grid behind."""
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelcolor=INK)


def main() -> None:
    """Print and draw."""
    rows: Rows = [json.loads(line) for line in (HERE / "results.jsonl").read_text("utf-8").splitlines()]
    print(tables(rows))
    transition(rows).savefig(HERE / "transition.png")
    growth(rows).savefig(HERE / "growth.png")


if __name__ == "__main__":
    main()
