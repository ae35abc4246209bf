"""What a price on information takes first: the mark or the class, where the digit is always in one place.

``python studies/information-dropout/anchored.py`` fits dense networks at rising prices, writes ``anchored.json`` and
draws ``anchored.png``. Softplus units under a log-normal prior pay for every change of their answer; rectified units
under the log-uniform prior pay for weak noise alone, and at their strongest noise tell of a mark for nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from unbraid.fit import OneCycle, State, Tensors, Trial, add_to_loss
from unbraid.fit.state import MODEL
from unbraid.info.estimators.usable import usable_information
from unbraid.nn.informationdropout import InformationLinear, NoisePrior, divergence, noise
from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, WIDTH, Page
from unbraid.view import to_float
from unbraid.worlds.clutter import Clutter

HERE = Path(__file__).parent
IMAGES, TESTED, EPOCHS, RATE, BATCH = 3000, 1500, 14, 3e-3, 128
BETAS = (0.0, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)
PRIORS: tuple[NoisePrior, ...] = ("log-normal", "log-uniform")
WIDTHS = (96, 48)

Part = tuple[Tensor, Tensor, Tensor]


def data(split: str, count: int) -> Part:
    """Images with the digit in the middle and the mark in a corner; the class; the mark."""
    world = Clutter(size=24, split=split, arrangements=512)  # type: ignore[arg-type]
    generator = np.random.default_rng(0 if split == "train" else 1)
    factors = world.space.sample(count, generator, fixed={"x": 4, "y": 4, "place": 0})
    x = to_float(world.images(world.index(factors))).flatten(1)
    return x, torch.from_numpy(factors[:, 0]), torch.from_numpy(factors[:, world.space.position("mark")])


def fitted(prior: NoisePrior, beta: float, seed: int, train: Part) -> nn.Sequential:
    """A network of two information layers."""
    torch.manual_seed(seed)
    first, second = WIDTHS
    layers = (InformationLinear(576, first, prior=prior, max_noise=1.0),
              InformationLinear(first, second, prior=prior, max_noise=1.0))  # fmt: skip
    model = nn.Sequential(*layers, nn.Linear(second, 10))

    @add_to_loss
    def kl(state: State) -> Tensor | None:
        return beta * divergence(state[MODEL]).mean() if beta else None

    trial = Trial(model, criterion=nn.CrossEntropyLoss(), callbacks=[OneCycle(RATE), kl])
    trial.fit(Tensors(train[0], train[1], batch_size=BATCH, seed=seed), epochs=EPOCHS)
    return model.eval()


@torch.no_grad()
def measured(model: nn.Sequential, train: Part, test: Part) -> dict[str, Any]:
    """The error, and what a reader finds of mark and class in each noisy layer."""
    row: dict[str, Any] = {"error": float((model(test[0]).argmax(dim=1) != test[1]).float().mean())}
    row["told"] = float(divergence(model).mean())
    for layers in (1, 2):
        torch.manual_seed(0)
        with noise(model, on=True):
            codes = [torch.log(model[:layers](part[0]) + 1e-4) for part in (train, test)]
        for name, column in (("class", 1), ("mark", 2)):
            with torch.enable_grad():
                told = usable_information(
                    codes[0], train[column], test=(codes[1], test[column]), reader="mlp", epochs=10
                )
            row[f"{name} {layers}"] = round(told.value, 4)
    return row


def draw(rows: list[dict[str, Any]]) -> Figure:
    """Error, and what is left of the mark and of the class, against the price, for each prior."""
    page = Page(
        WIDTH, 450, "What a price on information takes first",
        "Dense networks, the digit in one place. What a reader finds in the first noisy layer, in nats; and errors.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 120) / 2
    for panel, prior in enumerate(PRIORS):
        axes = page.axes(MARGIN + 50 + panel * (wide + 60), Page.heading + 30, wide, 250)
        some = [row for row in rows if row["prior"] == prior]
        for name, colour in (("class 1", PALETTE[0]), ("mark 1", PALETTE[2]), ("error", PALETTE[1])):
            means = [np.mean([row[name] for row in some if row["beta"] == beta]) for beta in BETAS]
            axes.plot(range(len(BETAS)), means, color=colour, linewidth=2)
            places = [BETAS.index(row["beta"]) for row in some]
            axes.plot(places, [row[name] for row in some], "o", color=colour, ms=4, alpha=0.6)
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.tick_params(colors=GREY, labelcolor=INK)
        axes.set_xticks(range(len(BETAS)), [f"{beta:g}" for beta in BETAS])
        axes.set_xlabel("beta")
        axes.set_title(f"{prior} prior", size=10.5, color=INK)
    names = (("I(z; class)", PALETTE[0]), ("I(z; mark)", PALETTE[2]), ("test error", PALETTE[1]))
    for i, (name, colour) in enumerate(names):
        page.text(MARGIN + 50 + 120 * i, 432, name, color=colour)
    return page.figure


def main() -> None:
    """Fit and measure what is missing, for as many minutes as are given, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60, help="after which no further network is begun")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began, file = time.monotonic(), HERE / "anchored.json"
    rows = json.loads(file.read_text("utf-8")) if file.exists() else []
    done = {(row["prior"], row["beta"], row["seed"]) for row in rows}
    train, test = data("train", IMAGES), data("test", TESTED)
    for seed in range(options.seeds):
        for prior in PRIORS:
            for beta in BETAS:
                if (prior, beta, seed) in done:
                    continue
                if time.monotonic() - began > 60 * options.minutes:
                    print("out of time: run it again")
                    return
                start = time.process_time()
                row = {"prior": prior, "beta": beta, "seed": seed}
                row |= measured(fitted(prior, beta, seed, train), train, test)
                row["cpu_seconds"] = round(time.process_time() - start, 1)
                rows.append(row)
                file.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
                print(row, flush=True)
    draw(rows).savefig(HERE / "anchored.png")


if __name__ == "__main__":
    main()
