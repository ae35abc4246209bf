"""Whether noise, and a price on it, make a network answer better where there are few images or few units.

``python studies/information-dropout/small.py`` fits what ``small.jsonl`` beside this file does not hold yet, a network
a line, prints the table and draws ``small.png``. Dense networks of two hidden layers, the digit in one place.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anchored import TESTED, Part, data
from matplotlib.figure import Figure
from torch import Tensor, nn

from unbraid.fit import OneCycle, State, Tensors, Trial, add_to_loss
from unbraid.fit.state import MODEL
from unbraid.nn.informationdropout import InformationLinear, divergence
from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
POOL, SAMPLES, UNITS, STEPS, RATE, BATCH = 3000, (300, 1000), (16, 96), 400, 3e-3, 128
NOISES: dict[str, dict[str, Any]] = {
    "none": {},
    "dropout 0.2": {"dropout": 0.2},
    "dropout 0.5": {"dropout": 0.5},
    "uniform, 0": {"prior": "log-uniform", "beta": 0.0},
    "uniform, 0.003": {"prior": "log-uniform", "beta": 0.003},
    "uniform, 0.01": {"prior": "log-uniform", "beta": 0.01},
    "uniform, 0.03": {"prior": "log-uniform", "beta": 0.03},
    "normal, 0.003": {"prior": "log-normal", "beta": 0.003},
    "normal, 0.01": {"prior": "log-normal", "beta": 0.01},
}
"""What stands after each hidden layer: nothing, binary dropout, or information dropout by its prior and its price."""


def network(units: int, *, dropout: float = 0.0, prior: Any = None) -> nn.Sequential:
    """Two hidden layers, the second of half as many units."""
    layers: list[nn.Module] = []
    for before, after in ((576, units), (units, units // 2)):
        if prior is None:
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        else:
            layers.append(InformationLinear(before, after, prior=prior, max_noise=1.0))
    return nn.Sequential(*layers, nn.Linear(units // 2, 10))


def fitted(name: str, units: int, seed: int, train: Part) -> nn.Sequential:
    """A network, after as many steps whatever the number of images."""
    options = dict(NOISES[name])
    beta = options.pop("beta", 0.0)
    torch.manual_seed(seed)
    model = network(units, **options)

    @add_to_loss
    def price(state: State) -> Tensor | None:
        return beta * divergence(state[MODEL]).mean() if beta else None

    trial = Trial(model, criterion=nn.CrossEntropyLoss(), callbacks=[OneCycle(RATE), price])
    trial.fit(Tensors(train[0], train[1], batch_size=BATCH, seed=seed), steps=STEPS)
    return model.eval()


def error(model: nn.Module, part: Part) -> float:
    """The share of wrong answers, without noise."""
    with torch.no_grad():
        return float((model(part[0]).argmax(dim=1) != part[1]).float().mean())


def chosen(train: Part, samples: int, seed: int) -> Part:
    """Other images for every seed."""
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(train[0]))[:samples])
    return train[0][rows], train[1][rows], train[2][rows]


def errors(rows: list[dict[str, Any]], name: str, samples: int, units: int) -> np.ndarray[Any, Any]:
    """Those of every seed on other images, in the order of seeds."""
    some = [r for r in rows if (r["noise"], r["samples"], r["units"]) == (name, samples, units)]
    return np.array([row["error"] for row in sorted(some, key=lambda row: int(row["seed"]))])


def table(rows: list[dict[str, Any]]) -> str:
    """Mean errors, and of each noise the mean difference from none, seed by seed, with its standard error."""
    sizes = list(product(SAMPLES, UNITS))
    lines = ["| | " + " | ".join(f"{samples:,} images, {units} units" for samples, units in sizes) + " |"]
    lines.append("| --- " * (len(sizes) + 1) + "|")
    for name in NOISES:
        cells = []
        for samples, units in sizes:
            own = errors(rows, name, samples, units)
            gain = own - errors(rows, "none", samples, units)
            spread = f" ± {gain.std(ddof=1) / len(gain) ** 0.5:.3f}" if len(gain) > 1 else ""
            cells.append(f"{own.mean():.3f}" + ("" if name == "none" else f" ({gain.mean():+.3f}{spread})"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    seeds = [str(len(errors(rows, "none", *size))) for size in sizes]
    return "\n".join([*lines, "| seeds | " + " | ".join(seeds) + " |"])


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The error less that of the same network without noise, a dot a seed, for every size."""
    page = Page(
        WIDTH, 490, "What noise does to the error, by images and units",
        "The error on other images less that of the network without noise: a dot a seed, a stroke their mean.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 160) / len(SAMPLES)
    names = [name for name in NOISES if name != "none"]
    for panel, samples in enumerate(SAMPLES):
        axes = page.axes(MARGIN + 60 + panel * (wide + 70), Page.heading + 26, wide, 240)
        axes.axhline(0, color=GREY, linewidth=1)
        for shift, (units, colour) in enumerate(zip(UNITS, (PALETTE[0], PALETTE[1]), strict=True)):
            without = errors(rows, "none", samples, units)
            for i, name in enumerate(names):
                gain = errors(rows, name, samples, units) - without
                place = i + 0.3 * shift - 0.15
                axes.plot([place] * len(gain), gain, "o", color=colour, markersize=3.5, alpha=0.6, mew=0)
                axes.plot(place, gain.mean(), "_", color=colour, markersize=9, mew=2)
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.tick_params(colors=GREY, labelcolor=INK)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
        axes.set_title(f"{samples:,} images", size=10.5, color=INK)
    for i, (units, colour) in enumerate(zip(UNITS, (PALETTE[0], PALETTE[1]), strict=True)):
        page.text(MARGIN + 60 + 100 * i, 474, f"{units} units", color=colour)
    return page.figure


def main() -> None:
    """Fit and measure what is missing, for as many minutes as are given, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=60, help="after which no further network is begun")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began, file = time.monotonic(), HERE / "small.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    done = {(row["noise"], row["samples"], row["units"], row["seed"]) for row in rows}
    train, test = data("train", POOL), data("test", TESTED)
    for samples, seed, units, name in product(SAMPLES, range(options.seeds), UNITS, NOISES):
        if (name, samples, units, seed) in done:
            continue
        if time.monotonic() - began > 60 * options.minutes:
            print("out of time: run it again")
            break
        start, part = time.process_time(), chosen(train, samples, seed)
        model = fitted(name, units, seed, part)
        row = {"noise": name, "samples": samples, "units": units, "seed": seed}
        row |= {"error": round(error(model, test), 4), "train": round(error(model, part), 4)}
        row["cpu_seconds"] = round(time.process_time() - start, 2)
        rows.append(row)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")
    # Only seeds that every noise has been tried with are compared.
    times = Counter((row["samples"], row["units"], row["seed"]) for row in rows)
    rows = [row for row in rows if times[row["samples"], row["units"], row["seed"]] == len(NOISES)]
    print(table(rows))
    draw(rows).savefig(HERE / "small.png")


if __name__ == "__main__":
    main()
