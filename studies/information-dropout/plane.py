"""Where layers stand in the information plane as training goes on, for units that saturate and for units that do not.

``python studies/information-dropout/plane.py`` fits what ``plane.json`` beside this file does not hold yet, prints what
layers tell, and draws ``plane.png``.
"""

from __future__ import annotations

import argparse
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn

from unbraid.fit import Note, Tensors, Trial
from unbraid.info.plane import InformationPlane
from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
SAMPLES, BATCH, EPOCHS, RATE, LOOKED, NOISE = 1200, 60, 64, 1e-3, 400, 0.4
SIZES = (64, 32, 16, 8, 10)
UNITS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}
SHOWN = (0, 1, 2, 4, 8, 16, 32, 64)
"""Epochs after which there is a dot."""


def data() -> tuple[Tensor, Tensor]:
    """Handwritten digits of 8 x 8 pixels, in an order of no meaning."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.data))
    return torch.tensor(digits.data[order] / 8 - 1, dtype=torch.float32), torch.from_numpy(digits.target[order])


def network(kind: str) -> tuple[nn.Sequential, list[str]]:
    """Three hidden layers and logits, and the names of what is looked at."""
    layers: list[nn.Module] = []
    for before, after in pairwise(SIZES):
        layers += [nn.Linear(before, after), UNITS[kind]()]
    return nn.Sequential(*layers[:-1]), ["1", "3", "5", "6"]


def followed(kind: str, seed: int) -> dict[str, Any]:
    """Where every layer stood before the first epoch and after each, and the errors at the end."""
    x, y = data()
    torch.manual_seed(seed)
    model, names = network(kind)
    plane = InformationPlane(model, names, x[:LOOKED], y[:LOOKED], noise=NOISE)
    points = [dict(plane())]
    trial = Trial(
        model,
        lambda weights: torch.optim.Adam(weights, RATE),
        nn.CrossEntropyLoss(),
        callbacks=[Note(plane)],
    )
    history = trial.fit(Tensors(x[:SAMPLES], y[:SAMPLES], batch_size=BATCH, seed=seed), epochs=EPOCHS)
    points += [{name: float(row[name]) for name in points[0]} for row in history]
    model.eval()
    with torch.no_grad():
        wrong = (model(x).argmax(dim=1) != y).float()
    shown = [[[round(points[e][f"I(x; {n})"], 4), round(points[e][f"I({n}; y)"], 4)] for n in names] for e in SHOWN]
    row = {"units": kind, "seed": seed, "points": shown}
    return {**row, "train": float(wrong[:SAMPLES].mean()), "test": float(wrong[SAMPLES:].mean())}


def draw(rows: list[dict[str, Any]]) -> Figure:
    """A panel for each kind of unit; a line for each layer and seed, from open before training to full after it."""
    page = Page(
        WIDTH, 470, "The information plane, as training goes on",
        f"A line for each layer and seed, a dot after 0, 1, 2, 4 .. {EPOCHS} epochs, larger with time. Noise of "
        f"{NOISE:g} times a layer's spread.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 110) / 2
    names = (*(f"layer {i + 1}, {n} units" for i, n in enumerate(SIZES[1:-1])), "logits")
    for panel, kind in enumerate(UNITS):
        axes = page.axes(MARGIN + 50 + panel * (wide + 60), Page.heading + 26, wide, 270)
        axes.axvline(math.log(LOOKED), color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        axes.axhline(math.log(10), color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        for row in (row for row in rows if row["units"] == kind):
            points = np.array(row["points"])
            for layer, colour in zip(range(len(names)), (PALETTE[0], PALETTE[2], PALETTE[3], PALETTE[1]), strict=True):
                axes.plot(*points[:, layer].T, color=colour, linewidth=0.9, alpha=0.7)
                axes.scatter(*points[:, layer].T, s=np.arange(3, 3 + 4 * len(points), 4), color=colour, alpha=0.7)
        axes.grid(color=FAINT, linewidth=0.8)
        axes.tick_params(colors=GREY, labelcolor=INK)
        axes.set_xlabel("I(x; layer), nats")
        axes.set_title(kind, size=10.5, color=INK)
        if not panel:
            axes.set_ylabel("I(layer; y), nats")
    for i, (name, colour) in enumerate(zip(names, (PALETTE[0], PALETTE[2], PALETTE[3], PALETTE[1]), strict=True)):
        page.text(MARGIN + 50 + 160 * i, 452, name, color=colour)
    return page.figure


def main() -> None:
    """Fit and write what is missing, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    file = HERE / "plane.json"
    rows = json.loads(file.read_text("utf-8")) if file.exists() else []
    done = {(row["units"], row["seed"]) for row in rows}
    for seed in range(options.seeds):
        for kind in UNITS:
            if (kind, seed) not in done:
                rows.append(followed(kind, seed))
                file.write_text(json.dumps(rows) + "\n", "utf-8")
    for kind in UNITS:
        for layer in range(len(SIZES) - 1):
            mean = np.mean([row["points"] for row in rows if row["units"] == kind], axis=0)[:, layer]
            print(kind, layer + 1, "; ".join(f"{a:.2f} {b:.2f}" for a, b in mean))
        for part in ("train", "test"):
            print(kind, part, [round(row[part], 3) for row in rows if row["units"] == kind])
    draw(rows).savefig(HERE / "plane.png")


if __name__ == "__main__":
    main()
