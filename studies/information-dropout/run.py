"""What networks keep of a digit and of what lies about it, by layer, by architecture and by the price of information.

``python studies/information-dropout/run.py`` fits what ``results.jsonl`` beside this file does not hold yet, a network
a line; ``figures.py`` draws what is there.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from networks import KINDS, STAGES, network
from torch import Tensor, nn

from unbraid.fit import OneCycle, State, Tensors, Trial, add_to_loss
from unbraid.fit.state import MODEL, STEP
from unbraid.info.estimators.estimate import Estimate
from unbraid.info.estimators.usable import usable_information
from unbraid.nn.informationdropout import InformationLayer, divergence, noise
from unbraid.nn.schedule import linear
from unbraid.view import to_float
from unbraid.worlds.clutter import Clutter

HERE = Path(__file__).parent
IMAGES, TESTED, EPOCHS, RATE, BATCH = 3000, 1500, 20, 4e-3, 64
RISE = 0.6
"""Over what share of the steps the price rises: one that is whole from the beginning hinders learning."""
BETAS = {"information": (0.0, 3e-5, 1e-4, 3e-4, 1e-3), "one layer": (0.0, 1e-4, 3e-4, 1e-3)}
SETTINGS = [
    *((kind, 0.0) for kind in ("plain", "max-pool", "dropout", "deeper")),
    *((kind, beta) for kind, betas in BETAS.items() for beta in betas),
]
NUISANCE = "mark"


class Data(NamedTuple):
    """Images, the class, the mark, and where digit, mark and pieces are."""

    x: Tensor
    y: Tensor
    n: Tensor
    masks: Tensor


@cache
def data(split: str, count: int) -> Data:
    """Images of 24 x 24 pixels; the handwritten digits of one split are not those of the other."""
    world = Clutter(size=24, split=split)  # type: ignore[arg-type]
    index = np.random.default_rng(0 if split == "train" else 1).choice(len(world), count, replace=False)
    factors = torch.from_numpy(world.factors(index))
    column = world.space.position(NUISANCE)
    return Data(to_float(world.images(index)), factors[:, 0], factors[:, column], torch.from_numpy(world.masks(index)))


def fitted(kind: str, beta: float, seed: int, train: Data) -> nn.Sequential:
    """A network, fitted by cross-entropy and the price of what its layers tell."""
    torch.manual_seed(seed)
    model = network(kind)

    rise = round(RISE * EPOCHS * len(train.x) / BATCH)

    @add_to_loss
    def kl(state: State) -> Tensor | None:
        return linear(state[STEP], 0.0, beta, rise) * divergence(state[MODEL]).mean() if beta else None

    trial = Trial(model, criterion=nn.CrossEntropyLoss(), callbacks=[OneCycle(RATE), kl])
    trial.fit(Tensors(train.x, train.y, batch_size=BATCH, seed=seed), epochs=EPOCHS)
    # What noise does to means and variances is not what is tested: they are taken anew without it.
    with noise(model, on=False), torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        for part in train.x.split(300):
            model.train()(part)
    return model.eval()


def reader(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutions that halve down to three places a side, then linear: the same for every layer."""
    channels, side, layers = shape[0], shape[1], list[nn.Module]()
    while side > 3:
        layers += [nn.Conv2d(channels, 24, 3, 2, 1), nn.BatchNorm2d(24), nn.ReLU()]
        channels, side = 24, (side + 1) // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side * side, classes))


@torch.no_grad()
def codes(model: nn.Sequential, x: Tensor, stages: int) -> Tensor:
    """What the first stages make of images, with their noise; logarithms of what the log-normal prior is of."""
    torch.manual_seed(0)
    with noise(model, on=True):
        z = torch.cat([model[:stages](part) for part in x.split(500)])
    last = model[stages - 1][-1]
    return (z + 1e-4).log() if isinstance(last, InformationLayer) and last.prior == "log-normal" else z


def found(z: Tensor, test_z: Tensor) -> dict[str, list[float]]:
    """What a reader finds of the mark and of the class, how sure that is, and the reader's error."""
    train, test, rows = data("train", IMAGES), data("test", TESTED), {}
    for name, y, test_y in (("mark", train.n, test.n), ("class", train.y, test.y)):
        told: Estimate = usable_information(z, y, test=(test_z, test_y), reader=reader, epochs=8)
        rows[name] = [round(told.value, 4), round(told.high - told.value, 4), told.settings["error"]]
    return rows


@cache
def found_in_images() -> dict[str, list[float]]:
    """The same for every network."""
    return found(data("train", IMAGES).x, data("test", TESTED).x)


def read(model: nn.Sequential, train: Data, test: Data) -> dict[str, list[Any]]:
    """What a reader finds of the mark and of the class in the image and in every stage."""
    stages = [found(codes(model, train.x, n), codes(model, test.x, n)) for n in range(1, len(STAGES) + 1)]
    return {name: [one[name] for one in (found_in_images(), *stages)] for name in ("mark", "class")}


def places(model: nn.Sequential, test: Data) -> list[list[float]]:
    """The information of a place within the digit, the mark, the pieces and the background, for every stage."""
    found = []
    with torch.no_grad():
        model(test.x)
    for layer in model.modules():
        if isinstance(layer, InformationLayer):
            told = layer.map()
            shown = nn.functional.adaptive_avg_pool2d(test.masks.float(), told.shape[1:])
            empty = (shown.sum(dim=1) < 0.05).float()
            kinds = [*((shown[:, part] > 0.3).float() for part in range(3)), empty]
            found.append([float((told * kind).sum() / kind.sum()) for kind in kinds])
    return found


def error(model: nn.Sequential, some: Data) -> float:
    """The share of wrong answers, without noise."""
    with torch.no_grad():
        return float((model(some.x).argmax(dim=1) != some.y).float().mean())


def measured(kind: str, beta: float, seed: int, maps: Path) -> dict[str, Any]:
    """A network, and everything about it; its maps of some images are kept."""
    torch.set_num_threads(1)
    start, train, test = time.process_time(), data("train", IMAGES), data("test", TESTED)
    model = fitted(kind, beta, seed, train)
    row = {"kind": kind, "beta": beta, "seed": seed, "error": error(model, test), "train": error(model, train)}
    row["fit_seconds"] = round(time.process_time() - start, 1)
    if layers(model):
        row["places"] = places(model, test)
        row["told"] = [float(layer.map().sum(dim=(1, 2)).mean()) for layer in layers(model)]
        maps.mkdir(parents=True, exist_ok=True)
        with torch.no_grad():
            model(test.x[:8])
        kept = {"x": test.x[:8], "maps": [layer.map().clone() for layer in layers(model)]}
        torch.save(kept, maps / f"{kind}, {beta:g}, {seed}.pt")
    row |= read(model, train, test)
    return row | {"cpu_seconds": round(time.process_time() - start, 1)}


def main() -> None:
    """Fit and measure what is missing, for as many minutes as are given, a process a core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="which networks")
    parser.add_argument("--minutes", type=float, default=60, help="after which no further network is begun")
    parser.add_argument("--maps", type=Path, default=Path("runs/information-dropout"), help="where maps are kept")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    options = parser.parse_args()
    began, file = time.monotonic(), HERE / "results.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    done = {(row["kind"], row["beta"], row["seed"]) for row in rows}
    asked = [(*setting, seed) for seed in range(options.seeds) for setting in SETTINGS if setting[0] in options.kinds]
    todo = [one for one in asked if one not in done]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[dict[str, Any]]] = set()
        while todo or running:
            late = time.monotonic() - began > 60 * options.minutes
            while todo and not late and len(running) < options.jobs:
                running.add(pool.submit(measured, *todo.pop(0), options.maps))
            if not running:
                print("out of time: run it again")
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            with file.open("a", encoding="utf-8") as lines:
                for row in (one.result() for one in ended):
                    lines.write(json.dumps(row) + "\n")
                    print(row, flush=True)


def layers(model: nn.Module) -> list[InformationLayer]:
    """The information layers, in order."""
    return [layer for layer in model.modules() if isinstance(layer, InformationLayer)]


if __name__ == "__main__":
    main()
