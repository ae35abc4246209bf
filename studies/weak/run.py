"""Pairs, labels and neither on Sprites of 32 x 32: the same network, images and number of steps for every method.

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020, arXiv:2002.02886.
    Locatello, Tschannen, Bauer, Rätsch, Schölkopf and Bachem, "Disentangling factors of variations using few labels",
    ICLR 2020, arXiv:1905.01258.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from unbraid import registry
from unbraid.fit import Trial
from unbraid.model import Model
from unbraid.scores import dci, mig, sap
from unbraid.types import Floats
from unbraid.view import to_float, view
from unbraid.world import World
from unbraid.worlds.smaller import Smaller

RESULTS = Path(__file__).with_name("results.jsonl")
SAMPLES, HELD_OUT = 3000, 1_000_003
METHODS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "beta-VAE 1": ("betavae", {"beta": 1.0}, {}),
    "beta-VAE 4": ("betavae", {"beta": 4.0}, {}),
    "AdaGVAE 1": ("adagvae", {"beta": 1.0}, {}),
    "AdaGVAE 2": ("adagvae", {"beta": 2.0}, {}),
    "AdaGVAE 4": ("adagvae", {"beta": 4.0}, {}),
    "AdaMLVAE 1": ("adamlvae", {"beta": 1.0}, {}),
    "GVAE, told, 1": ("adagvae", {"beta": 1.0}, {"known": True}),
    "SlowVAE": ("slowvae", {}, {"protocol": "lap"}),
    "100 labels": ("semisupervised", {"of": "betavae", "of_options": "beta=4"}, {"labels": 100}),
    "100 labels, noisy": (
        "semisupervised",
        {"of": "betavae", "of_options": "beta=4"},
        {"labels": 100, "kind": "noisy"},
    ),
    "100 labels, 5 bins": (
        "semisupervised",
        {"of": "betavae", "of_options": "beta=4"},
        {"labels": 100, "kind": "binned"},
    ),
}
"""What they are called here, the model, its options, and those of its view."""


def run(method: str, *, steps: int, images: int, rate: float, seed: int) -> dict[str, Any]:
    """Fit one model to ``images`` images a step, and score its codes of the same images as everyone's."""
    name, options, seen = METHODS[method]
    world = Smaller(of="sprites", side=32)
    torch.manual_seed(seed)
    model = registry.load("models", name)(world.shape, network="patches", **options)
    stream = view(model.view)
    size = images if model.view == "images" else images // 2
    trial = Trial(model, lambda group: torch.optim.AdamW(group, lr=rate, weight_decay=0.0, fused=True))
    began = time.process_time()
    trial.fit(stream(world, batch_size=size, seed=seed, **seen), steps=steps)
    cpu = round(time.process_time() - began, 1)
    return {
        "method": method,
        "seed": seed,
        "steps": steps,
        "images": images,
        "rate": rate,
        "cpu_seconds": cpu,
        **scored(model, world),
        **unlabelled(model, stream(world, batch_size=250, seed=HELD_OUT, **seen)),
    }


def scored(model: Model, world: World) -> dict[str, Any]:
    """The scores of the codes of the same images."""
    chosen = np.random.default_rng(0).choice(len(world), SAMPLES, replace=False)
    with torch.no_grad():
        pieces = [model.eval().represent(part) for part in to_float(world.images(chosen)).split(250)]
    codes: Floats = torch.cat(pieces).double().numpy()
    factors = world.factors(chosen)
    found = {"dci": dci(codes, factors, seed=0), "mig": mig(codes, factors), "sap": sap(codes, factors, seed=0)}
    return {score: round(float(value), 4) for score, value in found.items()} | {
        f"dci.{name}": round(value, 3) for name, value in found["dci"].named(world.space.names).parts.items()
    }


def unlabelled(model: Model, stream: Any) -> dict[str, float]:
    """The terms of the loss on a thousand images or pairs of the model's own view that it was not fitted to."""
    torch.manual_seed(0)
    with torch.no_grad():
        found = [model.loss(stream.batch(n), 10**9) for n in range(4)]
    means = {name: sum(float(terms[name]) for terms in found) / len(found) for name in found[0]}
    return {f"loss.{name}": round(value, 3) for name, value in means.items()} | {
        "loss": round(sum(means.values()), 3),
    }


def table(found: list[dict[str, Any]]) -> str:
    """Of every method the least, middle and greatest DCI over seeds, and medians of the rest."""
    rows = [["", "seeds", "DCI: least", "median", "greatest", "MIG", "SAP", "CPU s"]]
    rows.append(["---"] * len(rows[0]))
    for method in METHODS:
        runs = [one for one in found if one["method"] == method]
        if runs:
            low, middle, high = np.quantile([one["dci"] for one in runs], [0, 0.5, 1])
            rest = [f"{np.median([one[key] for one in runs]):.2f}" for key in ("mig", "sap")]
            cpu = f"{np.median([one['cpu_seconds'] for one in runs]):.0f}"
            rows.append([method, str(len(runs)), f"{low:.2f}", f"{middle:.2f}", f"{high:.2f}", *rest, cpu])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def selection(found: list[dict[str, Any]], prefix: str) -> str:
    """How well what is known without labels ranks the runs of one method by DCI, over its betas and seeds."""
    runs = [one for one in found if one["method"].startswith(prefix)]
    if len(runs) < 4:
        return f"{prefix}: too few runs"
    good = np.array([one["dci"] for one in runs])
    said = []
    for key in ("loss.reconstruction", "loss"):
        value = np.array([one[key] for one in runs])
        picked = int(value.argmin())
        rank = float((good > good[picked]).mean())
        said.append(
            f"{key}: Spearman {spearmanr(-value, good).statistic:+.2f}, the run it picks ({runs[picked]['method']}, "
            f"seed {runs[picked]['seed']}, DCI {good[picked]:.2f}) is behind {100 * rank:.0f} % of the {len(runs)}"
        )
    return f"{prefix}: " + "; ".join(said)


def main() -> None:
    """Run what has not been run, and print the table of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = vars(parser.parse_args())
    out, methods, seeds = options.pop("out"), options.pop("methods"), options.pop("seeds")
    torch.set_num_threads(1)
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    for seed in seeds:
        for method in methods:
            if not any(one["method"] == method and one["seed"] == seed for one in found):
                found.append(run(method, seed=seed, **options))
                with out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found[-1]) + "\n")
                print({key: found[-1][key] for key in ("method", "seed", "dci", "mig", "cpu_seconds")}, flush=True)
    print(table(found))
    for prefix in ("AdaGVAE", "beta-VAE"):
        print(selection(found, prefix))


if __name__ == "__main__":
    main()
