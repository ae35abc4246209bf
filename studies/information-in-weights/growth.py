"""How many nats a network's weights need to be right about so many of its samples, as samples grow in number.

``python studies/information-in-weights/growth.py`` fits what ``growth.jsonl`` beside this file does not hold yet, a
network a line, prints the tables and draws ``needed.png``.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from figures import Rows, framed
from matplotlib.figure import Figure
from run import Setting, fill

from unbraid.plots._style import GREY, INK, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
SEEDS = range(3)
COUNTS = {"real": (100, 200, 400, 800, 1600), "random": (100, 200, 400, 800)}
PRICES = (1e-3, 2e-3, 4e-3)
"""Of a nat, beta / N, for real labels. At one price there is one trade of errors for nats, however many samples."""
BETAS = (0.06, 0.12, 0.2)
"""For random labels."""
ERROR = 0.15
EQUAL = (0.4, 0.8, 1.6)
"""Prices beta that are looked at for all the samples that have them."""
COLOURS = {"real": PALETTE[0], "random": PALETTE[2]}


def groups() -> list[list[Setting]]:
    """All networks; those of one seed and of as many samples are fitted together."""
    found = []
    for seed, count in product(SEEDS, COUNTS["real"]):
        asked = [("real", price * count) for price in PRICES]
        asked += [("random", beta) for beta in BETAS if count in COUNTS["random"]]
        found.append([Setting(labels, count, beta, "gaussian", "start", "centred", seed) for labels, beta in asked])
    return found


def needed(rows: Rows, labels: str, count: int) -> list[float]:
    """The nats at which the training error is 0.15, for every seed: between two prices, a line in logarithms."""
    found = []
    for seed in SEEDS:
        some = [r for r in rows if (r["labels"], r["samples"], r["seed"]) == (labels, count, seed)]
        points = sorted((math.log(r["train_error"]), math.log(r["held"])) for r in some if r["held"] > 1)
        if points and points[0][0] <= math.log(ERROR) <= points[-1][0]:
            found.append(math.exp(np.interp(math.log(ERROR), *np.transpose(points))))
    return found


def priced(rows: Rows, beta: float, count: int, name: str = "held") -> list[float]:
    """What real labels hold at a price, for every seed."""
    return [r[name] for r in rows if r["labels"] == "real" and r["samples"] == count and math.isclose(r["beta"], beta)]


def table(rows: Rows) -> str:
    """Nats by samples: at an equal error, at equal prices of a nat, at equal prices beta; and for twice the samples."""
    counts = COUNTS["real"]
    lines = [f"| nats held | {' | '.join(f'N {n:,}' for n in counts)} | for twice |", "| --- " * 7 + "|"]
    lines += [row(f"{labels}, error {ERROR:g}", [needed(rows, labels, n) for n in counts]) for labels in COLOURS]
    for price, (name, field) in product(PRICES, {"nats": "held", "error": "train_error", "test": "test_error"}.items()):
        lines.append(row(f"real, beta / N {price:g}, {name}", [priced(rows, price * n, n, field) for n in counts]))
    lines += [row(f"real, beta {beta:g}", [priced(rows, beta, n) for n in counts]) for beta in EQUAL]
    return "\n".join(lines)


def row(name: str, cells: list[list[float]]) -> str:
    """Means with their spread over seeds, and how many times as much for twice the samples."""
    means = [float(np.mean(cell)) if len(cell) == len(SEEDS) else math.nan for cell in cells]
    places = 0 if max(max(cell, default=0.0) for cell in cells) > 1 else 3
    shown = [f"{m:,.{places}f} ± {np.std(c):.{places}f}" if c else "" for m, c in zip(means, cells, strict=True)]
    twice = ", ".join(f"{b / a:.2f}" for a, b in pairwise(means) if math.isfinite(b / a))
    return f"| {name} | {' | '.join(shown)} | {twice} |"


def picture(rows: Rows) -> Figure:
    """Nats against samples, at an equal error and at equal prices of a nat; and the loss that so many nats bring."""
    page = Page(
        WIDTH, 450, "Real labels need so much and no more; random ones need it of every sample",
        "Handwritten digits. Dots are seeds, lines join their means. Dotted: log 10 nats a sample.",
    )  # fmt: skip
    wide, counts = (WIDTH - 2 * MARGIN - 190) / 3, COUNTS["real"]
    left, middle, right = (page.axes(MARGIN + 50 + i * (wide + 70), Page.heading + 40, wide, 240) for i in range(3))
    for labels, colour in COLOURS.items():
        cells = {n: found for n in counts if len(found := needed(rows, labels, n)) == len(SEEDS)}
        left.plot(list(cells), [np.mean(found) for found in cells.values()], color=colour)
        for n, found in cells.items():
            left.plot([n] * len(found), found, "o", color=colour, ms=4, alpha=0.6)
    left.plot(counts, [n * math.log(10) for n in counts], color=GREY, lw=1, linestyle=(0, (1, 2)))
    for price, colour in zip(PRICES, PALETTE, strict=False):
        nats = [float(np.mean(priced(rows, price * n, n))) for n in counts]
        middle.plot(counts, nats, "o-", color=colour, ms=4)
        middle.text(counts[-1], nats[-1] * 1.08, f"{price:g}", color=colour, size=9.5, ha="right")
    for line, (count, colour) in enumerate(zip(counts, PALETTE, strict=False)):
        held, loss = ([np.mean(priced(rows, p * count, count, f)) for p in PRICES] for f in ("held", "train_loss"))
        right.plot(held, loss, "o-", color=colour, ms=4)
        right.text(0.97, 0.97 - 0.08 * line, f"N {count:,}", color=colour, size=9.5, ha="right", va="top",
                   transform=right.transAxes)  # fmt: skip
    for axes, title, label in (
        (left, f"nats for an error of {ERROR:g}", "samples"),
        (middle, "nats of real labels, by beta / N", "samples"),
        (right, "training loss, real labels", "nats held"),
    ):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.set_title(title, size=10.5, color=INK)
        framed(axes)
    for axes, across, up in (
        (left, counts, (300, 1000, 3000, 10_000)),
        (middle, counts, (150, 200, 300, 400)),
        (right, (200, 400), (0.2, 0.4, 0.8)),
    ):
        axes.minorticks_off()
        axes.set_xticks(across, [str(n) for n in across])
        axes.set_yticks(up, [f"{value:,}" for value in up])
    left.set_ylim(200, 12_000)
    middle.set_ylim(130, 500)
    for i, (labels, colour) in enumerate(COLOURS.items()):
        page.text(MARGIN + 50 + 110 * i, 434, f"{labels} labels", color=colour)
    return page.figure


def main() -> None:
    """Fit, print and draw."""
    file = HERE / "growth.jsonl"
    fill(file, groups(), __doc__)
    rows: Rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    print(table(rows))
    picture(rows).savefig(HERE / "needed.png")


if __name__ == "__main__":
    main()
