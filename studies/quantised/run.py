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
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unbraid import registry
from unbraid.fit import Runtime, Trial
from unbraid.model import Model, QuantisedModel
from unbraid.scores import dci, infoc, infoe, infom, mig
from unbraid.types import Floats
from unbraid.view import to_float, view
from unbraid.worlds.rooms import Rooms

HERE = Path(__file__).parent
SAMPLES = 5000
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "ae": ("ae", {}),
    "fsq": ("fsq", {"levels": 12}),
    "qlae": ("qlae", {}),
    "qlae, decay 0": ("qlae", {"weight_decay": 0.0}),
    "qlae, decay 2": ("qlae", {"weight_decay": 2.0}),
    "tripod": ("tripod", {}),
    "tripod, hessian 0": ("tripod", {"hessian": 0.0}),
    "betavae 4": ("betavae", {"beta": 4.0}),
    "betavae 8": ("betavae", {"beta": 8.0}),
    "betavae 4, from 20": ("betavae", {"beta": 4.0, "start": 20.0}),
    "betatcvae 6": ("betatcvae", {"beta": 6.0}),
    "betatcvae 6, from 80": ("betatcvae", {"beta": 6.0, "start": 80.0}),
}
"""What they are called here, the model, and its options."""
MEASURED = ("infom", "infoc", "infoe", "mig", "dci", "error")


def run(
    method: str, *, steps: int, batch_size: int, rate: float, latents: int, network: str, seed: int
) -> dict[str, Any]:
    """Fit one model, and score its codes of the same images as everyone's."""
    name, options = METHODS[method]
    options = {"latent_dim": latents, "network": network, **options}
    cls = registry.load("models", name)
    if "start" in options:
        options["anneal"] = steps * 3 // 5
    world = Rooms()
    torch.manual_seed(seed)
    model = cls(world.shape, **options)
    trial = Trial(
        model,
        lambda group: torch.optim.AdamW(group, lr=rate, weight_decay=0.0, fused=True),
        runtime=Runtime("cpu", channels_last=True),
    )
    began = time.process_time()
    trial.fit(view(model.view)(world, batch_size=batch_size, seed=seed), steps=steps)
    cpu = time.process_time() - began
    settings = {"steps": steps, "batch_size": batch_size, "rate": rate, "seed": seed}
    return {
        "method": method,
        "model": name,
        "options": options,
        **settings,
        "cpu_seconds": round(cpu, 1),
        **scored(model, world),
    }


def scored(model: Model, world: Rooms) -> dict[str, Any]:
    """Every score of the codes of the same images, the error of their reconstruction, and what each latent knows."""
    chosen = np.random.default_rng(0).choice(len(world), SAMPLES, replace=False)
    x, factors = to_float(world.images(chosen)), world.factors(chosen)
    model.eval()
    with torch.no_grad():
        pieces = [model.represent(part) for part in x.split(250)]
        error = sum(
            (model.decode(z) - part).square().mean().item() * len(part)
            for z, part in zip(pieces, x.split(250), strict=True)
        )
    codes: Floats = torch.cat(pieces).double().numpy()
    discrete = isinstance(model, QuantisedModel)
    modular = infom(codes, factors, discrete=discrete)
    matrix = modular.matrix
    assert matrix is not None
    return {
        "infom": float(modular),
        "infoc": float(infoc(codes, factors, discrete=discrete)),
        "infoe": float(infoe(codes, factors, discrete=discrete)),
        "mig": float(mig(codes, factors)),
        "dci": float(dci(codes, factors)),
        "error": error / SAMPLES,
        "told": matrix.round(3).tolist(),
        "values": [len(np.unique(column.round(6))) for column in codes.T],
    }


def table(found: list[dict[str, Any]]) -> str:
    """Means over seeds, with the least and the greatest InfoM, best first."""
    rows = []
    for method in METHODS:
        runs = [one for one in found if one["method"] == method]
        if runs:
            means = {key: float(np.mean([one[key] for one in runs])) for key in (*MEASURED, "cpu_seconds")}
            modular = [one["infom"] for one in runs]
            shown = [f"{means[key]:.2f}" for key in MEASURED[1:-1]]
            cells = [method, str(len(runs)), f"{means['infom']:.2f} ({min(modular):.2f} .. {max(modular):.2f})", *shown]
            rows.append((means["infom"], [*cells, f"{means['error']:.4f}", f"{means['cpu_seconds']:.0f}"]))
    head = ["", "seeds", "InfoM", "InfoC", "InfoE", "MIG", "DCI D", "squared error", "CPU s"]
    lines = [head, ["---"] * len(head), *(cells for _, cells in sorted(rows, reverse=True))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Run what has not been run, and print the table of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--latents", type=int, default=12)
    parser.add_argument("--network", default="patches")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = vars(parser.parse_args())
    out, methods, seeds = options.pop("out"), options.pop("methods"), options.pop("seeds")
    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for method in methods:
            path = out / f"{method.replace(', ', '-').replace(' ', '-')}-{seed}.json"
            if not path.exists():
                found = run(method, seed=seed, **options)
                path.write_text(json.dumps(found), "utf-8")
                print(
                    method,
                    seed,
                    {key: round(found[key], 4) for key in (*MEASURED, "cpu_seconds")},
                    found["values"],
                    flush=True,
                )
    print(table([json.loads(path.read_text("utf-8")) for path in sorted(out.glob("*.json"))]))


if __name__ == "__main__":
    main()
