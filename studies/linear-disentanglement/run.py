"""Linear disentanglement with and without told actions, on FlatLand: one row of ``results.jsonl`` for every fit.

``python studies/linear-disentanglement/run.py`` fits what has no row yet, in the order of ``ROWS`` and seed by seed;
names of rows and seeds (``... run.py forwardvae rgrvae 0``)
fit these alone. A fit takes from ten seconds to two minutes on a core.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unbraid.runs.encode import decoder, encode
from unbraid.runs.train import train
from unbraid.score import Sampler
from unbraid.scores import (
    actionaccuracy,
    actionerror,
    betavae_score,
    cyclicconsistency,
    dci,
    dlsbd,
    independence,
    mig,
    modularity,
    rollout,
    sap,
)
from unbraid.types import Integers
from unbraid.view import to_float
from unbraid.worlds.flatland import FlatLand

RESULTS = Path(__file__).parent / "results.jsonl"
SEEDS = (0, 1, 2)
WORLD = {"columns": 7, "rows": 7, "radius": 7.5, "size": 32, "wrap": False}
"""The paper's FlatLand at half its size: seven places a side, a step beyond the last comes back to the first."""
COMMON = {"latent_dim": 4, "network": "patches", "likelihood": "gaussian"}
TWO = {"length": 2, "intermediate": False}
HALF = {"beta": 0.5, "gamma": 5.0}
"""The weights of the paper's code at 64 x 64 pixels are 1 and 10, for the whole squared error and not half of it."""
CONV = {"network": "conv"}
SIGNS = ("actions_used", "policy_sure", "greatest_angle")

ROWS: dict[str, tuple[str, int, dict[str, Any], dict[str, Any]]] = {
    "untrained": ("vae", 0, {}, {}),
    "forwardvae": ("forwardvae", 800, {}, {}),
    "forwardvae rotations": ("forwardvae", 800, {"representation": "rotations"}, {}),
    "slowfeaturevae": ("slowfeaturevae", 600, {}, {}),
    "vae": ("vae", 600, {}, {}),
    "emvae": ("emvae", 1000, {"slow": 500}, {}),
    "rgrvae": ("rgrvae", 3500, {**HALF, **CONV}, {}),
    "betavae": ("betavae", 600, {"beta": 4.0}, {}),
    "betatcvae": ("betatcvae", 600, {"beta": 4.0}, {}),
    "factorvae": ("factorvae", 600, {"gamma": 6.4, "critic_width": 100, "critic_depth": 3}, {}),
    "lsbdvae": ("lsbdvae", 800, {"periods": (7, 7)}, {}),
    "rgrvae k=2": ("rgrvae", 4500, {"horizon": 2, **HALF, **CONV}, TWO),
    "rgrvae patches, 5,000 steps": ("rgrvae", 5000, {**HALF}, {}),
    "rgrvae patches, 2,000 steps": ("rgrvae", 2000, {**HALF}, {}),
    "rgrvae patches k=2, 3,500 steps": ("rgrvae", 3500, {"horizon": 2, **HALF}, TWO),
    "rgrvae soft": ("rgrvae", 1000, {"estimator": "soft"}, {}),
    "rgrvae soft, half": ("rgrvae", 1000, {"estimator": "soft", **HALF}, {}),
    "rgrvae exact": ("rgrvae", 1000, {"estimator": "exact", **HALF}, {}),
    "rgrvae rate .1": ("rgrvae", 600, {"rate": 0.1}, {}),
    "forwardvae free": ("forwardvae", 800, {"representation": "free"}, {}),
}
"""Model, steps, its options, and those of the view."""


def fitted(row: str, seed: int, world: Any) -> tuple[Any, dict[str, Any]]:
    """The model of a row, and what its training says of itself."""
    name, steps, options, view = ROWS[row]
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        run = train(
            name, world, steps=max(steps, 1), seed=seed, out=Path(folder) / "run", batch_size=32,
            learning_rate=1e-3 if steps else 1e-12, decay=steps // 3, view=view, progress=False,
            **{**COMMON, **options},
        )  # fmt: skip
        last = {key: value for key, value in run.history[-1].items() if not key.startswith("kl_")}
        signs = [
            [row["step"], *(round(row[f"sign_{sign}"], 3) for sign in SIGNS)]
            for row in run.history[:: max(1, len(run.history) // 25)]
            if f"sign_{SIGNS[0]}" in row
        ]
        about = {"cpu_seconds": round(time.process_time() - began, 1), "last": last}
        return run.model, about | ({"signs": signs} if signs else {})


def measured(model: Any, world: FlatLand) -> dict[str, float]:
    """Every figure of the tables, on all places of the disc."""
    everything = np.arange(len(world))
    codes, images = encode(model, world, everything), world.images(everything)
    able: dict[str, Any] = {}
    if hasattr(model, "matrices"):
        able["matrices"] = model.matrices().detach().double().numpy()
    if hasattr(model, "infer"):

        def infer(before: Integers, after: Integers) -> Integers:
            pair = [to_float(images[world.index(values)]) for values in (before, after)]
            with torch.no_grad():
                return np.asarray(model.infer(*pair).numpy(), dtype=np.int64)

        able["infer"] = infer
    shown = decoder(model)
    sampler = Sampler(
        world.space,
        lambda values: codes[world.index(values)],
        images=lambda values: images[world.index(values)] / 255,
        decode=lambda z: shown(z) / 255,
        **able,
    )
    found: dict[str, float] = {}
    for score in (independence, actionerror, cyclicconsistency, rollout, dlsbd, actionaccuracy, betavae_score):
        result = score(sampler)
        found[result.name] = result.value
        kept = {key: value for key, value in result.parts.items() if not key.isdigit()}
        found |= {f"{result.name}.{key}": value for key, value in kept.items()}
    factors = world.factors(everything)
    repeated = np.random.default_rng(0).integers(0, len(world), 1000)
    for classical in (mig, sap, dci, modularity):
        result = classical(codes[repeated], factors[repeated])
        found[result.name] = result.value
    return {key: round(float(value), 5) for key, value in found.items()}


def main(names: list[str]) -> None:
    """Fit and measure what is not there yet; a number among the names is a seed."""
    seeds = [int(name) for name in names if name.isdigit()] or SEEDS
    names = [name for name in names if not name.isdigit()]
    done = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()] if RESULTS.exists() else []
    world = FlatLand(**WORLD)
    for seed in seeds:
        for row in names or ROWS:
            if any((one["row"], one["seed"]) == (row, seed) for one in done):
                continue
            model, about = fitted(row, seed, world)
            record = {"row": row, "seed": seed, **about, "scores": measured(model, world)}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            shown = {key: record["scores"].get(key) for key in ("independence", "actionerror", "actionaccuracy.own")}
            print(row, seed, about["cpu_seconds"], shown, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
