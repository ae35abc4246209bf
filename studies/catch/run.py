"""The catch: on past data a table of answers is the best representation there is, and it says nothing of future data.

``python studies/catch/run.py`` computes everything and writes ``results.json``, ``catch.png`` and ``prices.png``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn import functional as F

from unbraid.info.discrete import entropy, mutual_information
from unbraid.nn.gaussian import Gaussian
from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, WIDTH, Page
from unbraid.types import Floats, Integers

HERE = Path(__file__).parent
TRAIN, CLASSES, HASHES = 1200, 10, 2**16
BETA = 1e-2
"""The price of a nat in the table."""
BETAS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
STEPS, LATENTS, CELLS = 800, 6, 3
SMOOTH = 0.1
"""Counted for every class in every code, so that an answer never seen is surprising, and not infinitely so."""


def split(seed: int) -> tuple[Floats, Integers, Floats, Integers]:
    """Digits to learn and digits to be tested on."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.data))
    x, y = digits.data[order], digits.target[order].astype(np.int64)
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


def numbered(rows: Floats) -> Integers:
    """A number for every different row."""
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def hashed(rows: Floats) -> Integers:
    """Sixteen bits of every image, as good as random: equal for equal images, and nothing alike for similar ones."""
    weights = np.random.default_rng(0).integers(1, 2**31, rows.shape[1])
    mixed = (rows.astype(np.uint64) * weights.astype(np.uint64)).sum(axis=1, dtype=np.uint64)
    for shift in (33, 29, 32):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(48)).astype(np.int64)


def codes(x: Floats, y: Integers, test_x: Floats) -> dict[str, tuple[Integers, Integers]]:
    """What is compared: a whole number for every image to learn, and for every image of the test."""
    whole = numbered(np.concatenate([x, test_x]))
    seen, index = np.unique(whole[: len(x)], return_index=True)
    place = np.searchsorted(seen, whole[len(x) :]).clip(max=len(seen) - 1)
    known = seen[place] == whole[len(x) :]
    # Of an image that is not in its table a table gives whatever its hash falls on.
    fallen = hashed(test_x)
    looked_up = np.where(known, index[place], fallen % len(x))
    first = np.unique(whole[: len(x)], return_inverse=True)[1]
    pca = PCA(2).fit(x)
    axes = [pca.transform(part) for part in (x, test_x)]
    edges = [np.quantile(column, np.linspace(0, 1, CELLS + 1)[1:-1]) for column in axes[0].T]
    cells = [sum(np.digitize(a[:, j], edges[j]) * CELLS**j for j in range(2)) for a in axes]
    hashes = hashed(x), hashed(test_x)
    return {
        "raw pixels": (whole[: len(x)], whole[len(x) :]),
        "random 16-bit hash": hashes,
        "index": (index[first], looked_up),
        "4-bit label look-up": (y, y[looked_up]),
        "PCA, 9 cells": (np.asarray(cells[0], dtype=np.int64), np.asarray(cells[1], dtype=np.int64)),
    }


def surprise(z: Integers, y: Integers, test_z: Integers, test_y: Integers) -> float:
    """The cross-entropy of labels by a table of how often each code had each class among those learned from."""
    names, place = np.unique(z, return_inverse=True)
    table = np.full((len(names) + 1, CLASSES), SMOOTH)
    np.add.at(table, (place, y), 1.0)
    table[-1] = np.bincount(y, minlength=CLASSES)
    found = np.searchsorted(names, test_z).clip(max=len(names) - 1)
    row = np.where(names[found] == test_z, found, len(names))
    chances = table[row] / table[row].sum(axis=1, keepdims=True)
    return float(-np.log(chances[np.arange(len(test_y)), test_y]).mean())


class Bottleneck(nn.Module):
    """A network with a noisy code of six numbers between an image and its class."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 2 * LATENTS))
        self.reader = nn.Sequential(nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, x: Tensor) -> tuple[Tensor, Gaussian]:
        """Logits by one sample of the code, and the code's distribution."""
        code = Gaussian(*self.encoder(x).chunk(2, dim=1))
        return self.reader(code.rsample()), code


def bottleneck(beta: float, parts: tuple[Floats, Integers, Floats, Integers], seed: int) -> dict[str, float]:
    """A fitted bottleneck: cross-entropy and the bound of I(x; z) on both sets, and its error."""
    x, y, test_x, test_y = (
        torch.from_numpy(part / 8 - 1).float() if part.dtype == np.float64 else torch.from_numpy(part) for part in parts
    )
    torch.manual_seed(seed)
    model = Bottleneck()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3, fused=True)
    for _ in range(STEPS):
        some = torch.randint(len(x), (128,))
        logits, code = model(x[some])
        optimiser.zero_grad()
        (F.cross_entropy(logits, y[some]) + beta * code.kl()).backward()
        optimiser.step()
    found = {}
    with torch.no_grad():
        for name, images, labels in (("train", x, y), ("test", test_x, test_y)):
            chance = torch.stack([model(images)[0].softmax(dim=1) for _ in range(10)])
            each = chance.gather(2, labels.expand(10, -1)[..., None])
            found[f"{name} loss"] = float(-each.log().mean())
            found[f"{name} kl"] = float(model(images)[1].kl())
            found[f"{name} error"] = float((chance.mean(dim=0).argmax(dim=1) != labels).float().mean())
    return found


def compared(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, float]]]:
    """The table, and the bottleneck at every price."""
    x, y, test_x, test_y = parts = split(seed)
    rows = []
    for name, (z, test_z) in codes(x, y, test_x).items():
        told, right = float(entropy(z[:, None])[0]), float(mutual_information(z[:, None], y[:, None])[0, 0])
        fit = float(entropy(y[:, None])[0]) - right
        ahead = surprise(z, y, test_z, test_y)
        row = {"representation": name, "I(z; x)": told, "I(z; y)": right, "train loss": fit, "test loss": ahead}
        rows.append({**row, "train": fit + BETA * told, "test": ahead + BETA * told})
    prices = [{"beta": beta, **bottleneck(beta, parts, seed)} for beta in BETAS]
    chosen = prices[BETAS.index(BETA)]
    right = float(entropy(y[:, None])[0]) - chosen["train loss"]
    row = {"representation": "bottleneck network", "I(z; x)": chosen["train kl"], "I(z; y)": right}
    row |= {name: chosen[name] for name in ("train loss", "test loss")}
    row |= {part: chosen[f"{part} loss"] + BETA * chosen[f"{part} kl"] for part in ("train", "test")}
    return [*rows, row], prices


def averaged(runs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The mean of every number over seeds."""
    return [
        {
            key: value if isinstance(value, str) else float(np.mean([run[i][key] for run in runs]))
            for key, value in row.items()
        }
        for i, row in enumerate(runs[0])
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """In bits what is told, in nats what is lost."""
    lines = ["| representation | I(z; x), bits | I(z; y), bits | loss, train | loss, test | Lagrangian, train | test |"]
    lines.append("| --- " * 7 + "|")
    for row in rows:
        bits = " | ".join(f"{row[name] / math.log(2):.2f}" for name in ("I(z; x)", "I(z; y)"))
        nats = " | ".join(f"{row[name]:.2f}" for name in ("train loss", "test loss", "train", "test"))
        lines.append(f"| {row['representation']} | {bits} | {nats} |")
    return "\n".join(lines)


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The Lagrangian of every representation on past and on future data."""
    page = Page(
        WIDTH, 430, "The catch: what is best on the past says nothing of the future",
        f"H(y|z) + {BETA:g} I(z; x), in nats, on {TRAIN:,} digits that everything was made of, and on 597 others.",
    )  # fmt: skip
    axes = page.axes(MARGIN + 160, Page.heading + 10, WIDTH - 2 * MARGIN - 200, 270)
    for place, row in enumerate(rows):
        for part, (key, colour) in enumerate((("train", PALETTE[0]), ("test", PALETTE[1]))):
            axes.barh(place + 0.36 * part - 0.18, row[key], height=0.34, color=colour)
            axes.text(row[key] + 0.03, place + 0.36 * part - 0.18, f"{row[key]:.2f}", va="center", size=9, color=INK)
    _framed(axes)
    axes.set_yticks(range(len(rows)), [row["representation"] for row in rows])
    axes.invert_yaxis()
    page.text(MARGIN + 160, 408, "past data", color=PALETTE[0])
    page.text(MARGIN + 240, 408, "future data", color=PALETTE[1])
    return page.figure


def draw_prices(prices: list[dict[str, float]]) -> Figure:
    """The Lagrangian and the error of the bottleneck against its price."""
    page = Page(
        WIDTH, 430, "A bottleneck at every price, on past and on future data",
        "Left: the Lagrangian, in nats. Right: the share of wrong answers. Means over seeds.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 120) / 2
    panels = (("Lagrangian, nats", lambda row, part: row[f"{part} loss"] + row["beta"] * row[f"{part} kl"]),
              ("error", lambda row, part: row[f"{part} error"]))  # fmt: skip
    for number, (label, value) in enumerate(panels):
        axes = page.axes(MARGIN + 50 + number * (wide + 60), Page.heading + 10, wide, 260)
        axes.set_xscale("log")
        for part, colour in (("train", PALETTE[0]), ("test", PALETTE[1])):
            axes.plot([row["beta"] for row in prices], [value(row, part) for row in prices], "o-", color=colour)
        _framed(axes)
        axes.set_ylabel(label)
        axes.set_xlabel("beta")
    page.text(MARGIN + 50, 412, "past data", color=PALETTE[0])
    page.text(MARGIN + 130, 412, "future data", color=PALETTE[1])
    return page.figure


def _framed(axes: Axes) -> None:
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelcolor=INK)


def main() -> None:
    """Compute, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    tables, prices = zip(*[compared(seed) for seed in range(options.seeds)], strict=True)
    rows, priced = averaged(list(tables)), averaged(list(prices))
    gaps = [
        {"train": run[5]["train"] - run[3]["train"], "test": run[3]["test loss"] - run[5]["test loss"],
         "hash": run[1]["test loss"] - run[5]["test loss"], "hash, train": run[5]["train"] - run[1]["train"]}
        for run in tables
    ]  # fmt: skip
    seconds = round(time.process_time() - start, 1)
    results = {"beta": BETA, "rows": rows, "prices": priced, "gaps": gaps, "cpu_seconds": seconds}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(table(rows), gaps, f"{seconds} CPU s", sep="\n")
    draw(rows).savefig(HERE / "catch.png")
    draw_prices(priced).savefig(HERE / "prices.png")


if __name__ == "__main__":
    main()
