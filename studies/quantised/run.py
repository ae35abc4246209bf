"""QLAE and Tripod against VAEs on Rooms, with the same network, images and number of steps.

References:
    Hsu et al., "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
    Hsu et al., "Tripod: three complementary inductive biases for disentangled representation learning", ICML 2024,
    arXiv:2404.10282.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from settings import METHODS
from table import SHOWN, picture, shares, table
from torch.optim.lr_scheduler import LambdaLR

from unbraid import registry
from unbraid.fit import Runtime, Trial
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.model import Model, QuantisedModel
from unbraid.scores import dci, infoc, infoe, infom, mig
from unbraid.types import Floats
from unbraid.view import to_float, view
from unbraid.worlds.smaller import Smaller

RESULTS, SCORES, SHARES = (Path(__file__).with_name(name) for name in ("results.jsonl", "scores.png", "shares.png"))
SAMPLES, FEWER = 10_000, 3000
"""Images that scores see; those that fit a predictor see the first few."""
LIVING = 0.1
"""A latent lives when its middle half is wider than this share of the widest one's, as for Tripod."""


def run(
    method: str, *, seed: int, steps: int, batch_size: int, rate: float, decay: int, latents: int, network: str
) -> dict[str, Any]:
    """Fit one model, and score its codes of the same images as everyone's."""
    name, options = METHODS[method]
    settings = {"steps": steps, "batch_size": batch_size, "rate": rate, "decay": decay}
    options = {"latent_dim": latents, "network": network, **options}
    if "start" in options:
        options["anneal"] = steps * 3 // 5
    world = Smaller(of="rooms", side=32)
    world.images(np.arange(480))  # every geometry: rays are cast before the clock runs
    torch.manual_seed(seed)
    model = registry.load("models", name)(world.shape, **options)
    trial = Trial(
        model,
        partial(torch.optim.AdamW, lr=rate, weight_decay=0.0, fused=True),
        callbacks=[Schedule(LambdaLR, "step", lr_lambda=lambda done: min(1.0, (steps - done) / decay))],
        runtime=Runtime("cpu", channels_last=True),
        metrics=None,
    )
    began = time.process_time()
    trial.fit(view("images")(world, batch_size=batch_size, seed=seed), steps=steps)
    cpu = round(time.process_time() - began, 1)
    about = {"method": method, "seed": seed, "model": name, "options": options, **settings, "cpu_seconds": cpu}
    return about | scored(model, world)


def scored(model: Model, world: Smaller) -> dict[str, Any]:
    """Every score of the codes of the same images, the error of their reconstruction, and what each latent knows."""
    chosen = np.random.default_rng(0).choice(len(world), SAMPLES, replace=False)
    factors = world.factors(chosen)
    model.eval()
    error, pieces = 0.0, []
    with torch.no_grad():
        for some in np.split(chosen, 20):
            x = to_float(world.images(some))
            pieces.append(model.represent(x))
            error += float((model.decode(pieces[-1]) - x).square().mean()) / 20
    codes: Floats = torch.cat(pieces).double().numpy()
    discrete = isinstance(model, QuantisedModel)
    low, high = np.quantile(codes, (0.25, 0.75), axis=0)
    living = codes[:, high - low > LIVING * (high - low).max()]
    modular = infom(codes, factors, discrete=discrete)
    explicit = infoe(codes[:FEWER], factors[:FEWER], discrete=discrete)
    trees = dci(codes[:FEWER], factors[:FEWER])
    assert modular.matrix is not None
    numbers = {
        "infom": float(modular),
        "infom_living": float(infom(living, factors, discrete=discrete)),
        "infoe": float(explicit),
        "infoc": float(infoc(codes, factors, discrete=discrete)),
        "dci": float(trees),
        "completeness": trees.parts["completeness"],
        "informativeness": trees.parts["informativeness"],
        "mig": float(mig(codes, factors)),
        "error": error,
    }
    return {key: round(value, 4) for key, value in numbers.items()} | {
        "active": modular.settings["active_latents"],
        "living": living.shape[1],
        "explicit": [round(value, 3) for value in explicit.parts.values()],
        "told": modular.matrix.round(4).tolist(),
        "values": [len(np.unique(column.round(6))) for column in codes.T] if discrete else [],
    }


def main() -> None:
    """Run what has not been run, and print the table of everything and draw its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=int, default=700, help="steps at the end in which the rate falls to 0")
    parser.add_argument("--latents", type=int, default=12)
    parser.add_argument("--network", default="patches")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = vars(parser.parse_args())
    out, methods, seeds = options.pop("out"), options.pop("methods"), options.pop("seeds")
    torch.set_num_threads(1)
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    done = {(one["method"], one["seed"]) for one in found}
    for seed, method in ((seed, method) for seed in seeds for method in methods if (method, seed) not in done):
        found.append(run(method, seed=seed, **options))
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found[-1]) + "\n")
        told = {key: found[-1][key] for key in (*SHOWN, "living", "cpu_seconds")}
        print(method, seed, told, flush=True)
    print(table(found))
    if out == RESULTS and found:
        picture(found).savefig(SCORES, dpi=100)
        shares(found).savefig(SHARES, dpi=100)


if __name__ == "__main__":
    main()
