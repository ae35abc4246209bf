"""An annealed VAE on ellipses: as its capacity rises, latents are switched on one after another.

``python studies/annealed-capacity/run.py`` fits one model and writes ``curves.json`` and ``capacity.png`` beside this
file. Its gamma falls as the price of a nat does, where the paper's stays: the README says why.

References:
    Burgess et al., "Understanding disentangling in beta-VAE", 2018, arXiv:1804.03599, figure 3.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unbraid.fit import Runtime, State, Trial, every, on_step
from unbraid.fit.state import STEP
from unbraid.info import discretise, mutual_information
from unbraid.models.annealedvae import AnnealedVAE
from unbraid.nn.networks import NetworkName
from unbraid.nn.schedule import linear
from unbraid.plots.capacity import capacity as figure
from unbraid.plots.capacity import onsets
from unbraid.types import FactorSpace, Floats, Integers
from unbraid.view import to_float, view
from unbraid.worlds.heldout import HeldOut
from unbraid.worlds.smaller import Smaller

HERE = Path(__file__).parent
LOOKED_AT, BINS, SURROUNDINGS = 2000, 20, 100
ON = 0.5
"""From how many nats on a latent is on."""


def told(codes: Floats, factors: Integers) -> Floats:
    """How many nats each latent tells of each factor, ``(D, F)``, without what chance would show."""
    bins = discretise(codes, BINS)
    sizes = [np.array([len(np.unique(column)) for column in columns.T]) for columns in (bins, factors)]
    chance = np.outer(sizes[0] - 1, sizes[1] - 1) / (2 * len(codes))
    return np.asarray((mutual_information(bins, factors) - chance).clip(0))


def moved(model: AnnealedVAE, world: HeldOut, seed: int) -> Floats:
    """The share of each latent's variance that a factor brings about while the others stay as they are, ``(D, F)``.

    Information is blind to a latent that tells how a sprite lies, but in one place the other way round than in another.
    """
    rng, shares = np.random.default_rng(seed), []
    seen = world.factors(rng.choice(len(world), LOOKED_AT, replace=False))
    for column in range(seen.shape[1]):
        values = np.unique(seen[:, column])
        every = np.repeat(seen[:SURROUNDINGS], len(values), axis=0)
        every[:, column] = np.tile(values, SURROUNDINGS)
        codes = model.represent(to_float(world.images(world.index(every)))).double().numpy()
        shares.append(codes.reshape(SURROUNDINGS, len(values), -1).var(axis=1).mean(axis=0) / codes.var(axis=0))
    return np.asarray(np.stack(shares, axis=1))


def train(
    *,
    steps: int,
    anneal: int,
    capacity: float,
    gamma: float,
    gamma_in_the_end: float,
    loosen: int,
    latents: int,
    learning_rate: float,
    network: NetworkName,
    seed: int,
    look: int,
    leave: str,
    sprites: str,
    out: Path,
) -> dict[str, Any]:
    """Fit the model, and look at the same images every ``look`` steps."""
    began, world = time.process_time(), HeldOut(of=Smaller(of="sprites", of_options=sprites, side=32), leave=leave)
    shown = np.random.default_rng(seed).choice(len(world), LOOKED_AT, replace=False)
    x, factors = to_float(world.images(shown)), world.factors(shown)
    torch.manual_seed(seed)
    model = AnnealedVAE(world.shape, latent_dim=latents, gamma=gamma, capacity=capacity, anneal=anneal, network=network)
    curves: dict[str, list[Any]] = {"step": [], "capacity": [], "reconstruction": [], "kl": [], "told": []}

    @on_step
    def hold(state: State) -> None:
        # No firmer than it must be: a force changes its sign from step to step, and its noise ends what begins.
        model.gamma = linear(state[STEP], gamma, gamma_in_the_end, loosen)

    @on_step
    @every(look)
    def watch(state: State) -> None:
        with torch.no_grad():
            q = model.encode(x)
            curves["reconstruction"].append(round(model.nll(x, q.mean).item(), 2))
        curves["step"].append(state[STEP])
        curves["capacity"].append(round(model.allowance(state[STEP]), 4))
        curves["kl"].append(q.divergences().mean(dim=0).double().numpy().round(3).tolist())
        curves["told"].append(told(q.mean.numpy(), factors).round(3).tolist())
        print(*(curves[name][-1] for name in ("step", "capacity", "reconstruction", "kl")), flush=True)

    adam = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    trial = Trial(model, adam, callbacks=[hold, watch], runtime=Runtime("cpu", channels_last=True))
    trial.fit(view("images")(world, batch_size=64, seed=seed), steps=steps)
    found: dict[str, Any] = {
        "leave": leave,
        "sprites": sprites,
        "steps": steps,
        "anneal": anneal,
        "capacity_in_the_end": capacity,
        "gamma": gamma,
        "gamma_in_the_end": gamma_in_the_end,
        "loosen": loosen,
        "latents": latents,
        "learning_rate": learning_rate,
        "network": network,
        "seed": seed,
        "factors": list(world.space.names),
        **curves,
        "cpu_seconds": round(time.process_time() - began),
    }
    with torch.no_grad():
        found["moved_in_the_end"] = moved(model, world, seed).round(3).tolist()
        draw(found, model.represent(x).numpy(), factors, world.space, out)
    return found


def draw(found: dict[str, Any], codes: Floats, factors: Integers, space: FactorSpace, out: Path) -> None:
    """Keep the figure."""
    rows = [
        {"step": step, **{f"kl_z{j}": nats for j, nats in enumerate(kl)}}
        for step, kl in zip(found["step"], found["kl"], strict=True)
    ]
    allowance = np.array(found["capacity"])
    drawn = figure(history=rows, codes=codes, factors=factors, space=space, allowance=allowance, threshold=ON)
    drawn.savefig(out / "capacity.png", dpi=100)


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """When each latent was switched on and what it told then and tells now; how well the capacity was kept."""
    step, capacity, kl, nats = (np.array(found[name]) for name in ("step", "capacity", "kl", "told"))
    latents = []
    for j, first in enumerate(onsets(kl, ON)):
        if first is not None:
            then, last = (dict(zip(found["factors"], nats[t, j].tolist(), strict=True)) for t in (first, -1))
            latents.append({"latent": j, "step": int(step[first]), "then": then, "last": last, "kl": kl[-1, j]})
    off = np.abs(kl.sum(axis=1) / capacity - 1)
    kept = {}
    for least in (1, 2, 4):
        where = capacity >= least
        kept[f"from {least} nats"] = {"worst": off[where].max(initial=0).round(3), "mean": off[where].mean().round(3)}
    return {"latents": sorted(latents, key=lambda one: one["step"]), "off_the_capacity": kept}


def main() -> None:
    """Train, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6600)
    parser.add_argument("--anneal", type=int, default=6600)
    parser.add_argument("--capacity", type=float, default=13.2, help="in the end, in nats")
    parser.add_argument("--gamma", type=float, default=30.0, help="at first")
    parser.add_argument("--gamma-in-the-end", type=float, default=4.0)
    parser.add_argument("--loosen", type=int, default=4000, help="steps in which it comes to that")
    parser.add_argument("--latents", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--network", default="patches")
    parser.add_argument("--leave", default="shape!=ellipse", help="which sprites are left out; nothing if empty")
    parser.add_argument("--sprites", default="", help="options of them, as in colour=random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--look", type=int, default=150, help="steps from one look to the next")
    parser.add_argument("--out", type=Path, default=HERE, help="the folder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    found = train(**vars(options))
    (options.out / "curves.json").write_text(json.dumps({**found, "summary": summary(found)}), "utf-8")
    print(json.dumps(summary(found), indent=1))


if __name__ == "__main__":
    main()
