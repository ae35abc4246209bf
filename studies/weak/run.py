"""Pairs, labels and neither on small Sprites or Rooms: the same network, images and number of steps for every method.

The runs of a method, five seeds at each of some betas, are fitted side by side in one program. Seeds start from other
weights and see other images; the betas of a seed see the same.

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
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from unbraid import registry
from unbraid.model import Model
from unbraid.plots._style import MARGIN, PALETTE, WIDTH, Page
from unbraid.scores import dci, mig
from unbraid.types import Factor, FactorSpace, Floats
from unbraid.view import Seen, to_float, view
from unbraid.world import LabelledWorld
from unbraid.worlds.smaller import Smaller

RESULTS, PICTURE = (Path(__file__).with_name(name) for name in ("results.jsonl", "boxes.png"))
SEEDS, SAMPLES, HELD_OUT = 5, 1000, 1_000_003
ALL, SECOND, THIRD, FOURTH, HALF = (
    slice(None),
    slice(None, None, 2),
    slice(None, None, 3),
    slice(None, None, 4),
    slice(5),
)
WORLDS = {
    "sprites": ("sprites", (ALL, ALL, FOURTH, FOURTH, FOURTH)),
    "rooms-half": ("rooms", (HALF, HALF, HALF, SECOND, ALL, THIRD)),
    "rooms": ("rooms", (ALL, ALL, ALL, SECOND, ALL, THIRD)),
}
"""What they are called here, and which values of each factor are kept; half of the hues are no circle."""
STEPS = {"sprites": 1050, "rooms-half": 4000, "rooms": 4000}
NAMES = {"sprites": "Sprites", "rooms-half": "Rooms in half of the hues", "rooms": "Rooms in all hues"}
BETAS = {"sprites": (1.0, 4.0), "rooms-half": (1.0, 2.0, 4.0, 8.0, 16.0), "rooms": (1.0, 4.0)}
LABELLED = {"of": "betavae", "gamma": 10.0}
METHODS: dict[str, tuple[str, dict[str, Any], dict[str, Any], tuple[float, ...] | None]] = {
    "beta-VAE": ("betavae", {}, {}, None),
    "AdaGVAE": ("adagvae", {}, {}, None),
    "AdaMLVAE": ("adamlvae", {}, {}, (1.0, 4.0)),
    "GVAE, told": ("adagvae", {}, {"known": True}, (1.0,)),
    "SlowVAE": ("slowvae", {}, {"protocol": "lap"}, (1.0,)),
    "100 labels": ("semisupervised", LABELLED, {"labels": 100}, (4.0,)),
    "100 labels, noisy": ("semisupervised", LABELLED, {"labels": 100, "kind": "noisy"}, (4.0,)),
    "100 labels, 5 bins": ("semisupervised", LABELLED, {"labels": 100, "kind": "binned"}, (4.0,)),
}
"""What they are called here, the model, its options, those of its view, and the betas; None for all of the world's."""


@cache
def small(name: str) -> LabelledWorld:
    """A world in 32 x 32 pixels with fewer values of some factors."""
    of, parts = WORLDS[name]
    whole = Smaller(of=of, side=32)
    values = [np.arange(one.size)[part] for one, part in zip(whole.space, parts, strict=True)]
    cut = ["ordinal" if part is HALF else one.kind for one, part in zip(whole.space, parts, strict=True)]
    kept = zip(whole.space.names, values, cut, strict=True)
    space = FactorSpace([Factor(name, len(some), kind) for name, some, kind in kept])
    factors = space.factors(np.arange(len(space)))
    rows = whole.index(np.stack([some[factors[:, place]] for place, some in enumerate(values)], axis=1))
    pixels = np.concatenate([whole.images(part) for part in np.array_split(rows, 40)])
    return LabelledWorld(pixels, factors, space)


def betas_of(world: str, method: str) -> tuple[float, ...]:
    """The betas at which a method is fitted to a world."""
    return METHODS[method][-1] or BETAS[world]


class Loss(nn.Module):
    """The terms of a model's loss, as the forward pass of a module that a function can be made of."""

    def __init__(self, model: Model, seen: Seen) -> None:
        super().__init__()
        self.model, self.seen = model, seen

    def forward(self, tensors: dict[str, Tensor], beta: Tensor, step: int) -> dict[str, Tensor]:
        """The terms for one batch, given as its tensors."""
        held = {one.name: getattr(self.seen, one.name) for one in fields(self.seen)}  # type: ignore[arg-type]
        (self.model.model if hasattr(self.model, "model") else self.model).beta = beta
        return dict(self.model.loss(type(self.seen)(**held | tensors), step))


def parts(batch: Seen) -> dict[str, Tensor]:
    """The tensors of a batch of all seeds, with the seeds as their first axis; those without rows are everyone's."""
    held = {one.name: getattr(batch, one.name) for one in fields(batch)}  # type: ignore[arg-type]
    tensors = {name: value for name, value in held.items() if isinstance(value, Tensor)}
    shared = {"sizes"}
    return {
        name: value.expand(SEEDS, *value.shape) if name in shared else value.unflatten(0, (SEEDS, -1))
        for name, value in tensors.items()
    }


def run(
    method: str, world: LabelledWorld, settings: dict[str, Any], *, kept: Path, until: float
) -> list[dict[str, Any]]:
    """Fit every seed at every beta with so many ``images`` a step each as the settings say, and score them all.

    When it is ``until`` (of the monotonic clock), what has been done is ``kept``, and nothing returned.
    """
    name, options, seen, _ = METHODS[method]
    betas = betas_of(settings["world"], method)
    steps, images = settings["steps"], settings["images"]
    models: list[Model] = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        models.append(registry.load("models", name)(world.shape, network="patches", **options))
    models = [model for _ in betas for model in models]  # the same five starts at every beta
    stream = view(models[0].view)
    size = images if models[0].view in ("images", "labelled") else images // 2
    batches = stream(world, batch_size=SEEDS * size, seed=0, **seen)
    weights, _ = stack_module_state(models)  # type: ignore[arg-type]
    strength = torch.tensor(betas).repeat_interleave(SEEDS)
    loss = Loss(models[0], batches.batch(0))
    optimiser = torch.optim.AdamW(list(weights.values()), lr=settings["rate"], weight_decay=0.0, fused=True)

    def total(parameters: dict[str, Tensor], tensors: dict[str, Tensor], beta: Tensor, step: int) -> Any:
        named = {f"model.{key}": value for key, value in parameters.items()}
        terms = functional_call(loss, named, (tensors, beta, step))
        return torch.stack(list(terms.values())).sum(), terms

    slope = vmap(grad(total, has_aux=True), in_dims=(0, 0, 0, None), randomness="different")
    first, cpu = 0, 0.0
    torch.manual_seed(0)
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        optimiser.load_state_dict(state["optimiser"])
        for key, value in weights.items():
            value.data.copy_(state["weights"][key])
        torch.set_rng_state(state["noise"])
        first, cpu = state["step"], state["cpu"]
    began = time.process_time()
    for step in range(first, steps):
        if time.monotonic() > until:
            noise, cpu = torch.get_rng_state(), cpu + time.process_time() - began
            state = {"weights": weights, "optimiser": optimiser.state_dict(), "noise": noise, "step": step, "cpu": cpu}
            torch.save(state, kept)
            print(f"{method}: {step} of {steps} steps", flush=True)
            return []
        tensors = {
            key: value.repeat(len(betas), *[1] * (value.ndim - 1)) for key, value in parts(batches.batch(step)).items()
        }
        found, _ = slope({k: v.detach() for k, v in weights.items()}, tensors, strength, step)
        for key, value in weights.items():
            value.grad = found[key]
        optimiser.step()
    cpu = (cpu + time.process_time() - began) / len(models)
    kept.unlink(missing_ok=True)
    rows = []
    for place, model in enumerate(models):
        beta, seed = betas[place // SEEDS], place % SEEDS
        model.load_state_dict({key: value[place].detach() for key, value in weights.items()})
        Loss(model, batches.batch(0)).forward({}, beta, steps)
        row = {"method": method, "beta": beta, "seed": seed} | settings | {"cpu_seconds": round(cpu, 1)}
        held_out = stream(world, batch_size=250, seed=HELD_OUT, **seen)
        rows.append(row | scored(model, world) | unlabelled(model, held_out))
    return rows


def scored(model: Model, world: LabelledWorld) -> dict[str, Any]:
    """The scores of the codes of the same images."""
    chosen = np.random.default_rng(0).choice(len(world), SAMPLES, replace=False)
    with torch.no_grad():
        codes: Floats = model.eval().represent(to_float(world.images(chosen))).double().numpy()
    factors = world.factors(chosen)
    found = {"dci": dci(codes, factors, seed=0), "mig": mig(codes, factors)}
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
    """Of every world, method and beta how DCI lies over seeds, and the median of MIG.

    The spread is the greatest less the least; IQR is the distance between the quartiles.
    """
    rows = [["", "", "beta", "seeds", "DCI: least", "median", "greatest", "spread", "of median", "IQR", "MIG", "CPU s"]]
    rows.append(["---"] * len(rows[0]))
    for world, method, beta in kinds(found):
        runs = of(found, world, method, beta)
        least, low, middle, high, most = np.quantile([one["dci"] for one in runs], [0, 0.25, 0.5, 0.75, 1])
        values = [least, middle, most, most - least, (most - least) / middle, high - low]
        values.append(np.median([one["mig"] for one in runs]))
        said = [f"{beta:g}", str(len(runs)), *(f"{value:.3f}" for value in values), f"{runs[0]['cpu_seconds']:.0f}"]
        rows.append([world, method, *said])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """The worlds, methods and betas that have been run, in the order of these above."""
    every = [(world, method, beta) for world in WORLDS for method in METHODS for beta in betas_of(world, method)]
    return [kind for kind in every if of(found, *kind)]


def of(found: list[dict[str, Any]], world: str, method: str, beta: float | None = None) -> list[dict[str, Any]]:
    """The runs of one method on one world, at one beta or at all."""
    runs = [one for one in found if (one["world"], one["method"]) == (world, method)]
    return [one for one in runs if beta in (None, one["beta"])]


def selection(runs: list[dict[str, Any]]) -> str:
    """How well what is known without labels ranks the runs of one method by DCI, over its betas and seeds."""
    good = np.array([one["dci"] for one in runs])
    said = []
    for key in ("loss.reconstruction", "loss"):
        value = np.array([one[key] for one in runs])
        picked = int(value.argmin())
        better = 100 * float((good > good[picked]).mean())
        said.append(
            f"by {key}, Spearman {spearmanr(-value, good).statistic:+.2f}; it picks beta {runs[picked]['beta']:g}, "
            f"seed {runs[picked]['seed']}, DCI {good[picked]:.2f}; {better:.0f} % of the {len(runs)} runs are better"
        )
    return f"* {runs[0]['world']}, {runs[0]['method']}: " + "; ".join(said)


def picture(found: list[dict[str, Any]], path: Path) -> None:
    """A box for every method and beta, from the least DCI to the greatest, and every run in it: one row a world."""
    worlds = [world for world in WORLDS if any(one["world"] == world for one in found)]
    colours = dict(zip(METHODS, PALETTE, strict=False))
    note = f"DCI of {SEEDS} seeds each, on small Sprites and Rooms; a box holds the middle three."
    page = Page(WIDTH, 110 + 330 * len(worlds), "What pairs and labels are worth", note)
    for row, world in enumerate(worlds):
        boxes = [(method, beta) for name, method, beta in kinds(found) if name == world]
        values = [[one["dci"] for one in of(found, world, *box)] for box in boxes]
        axes = page.axes(MARGIN + 50, Page.heading + 36 + 330 * row, WIDTH - 2 * MARGIN - 60, 220)
        drawn = axes.boxplot(values, whis=(0, 100), widths=0.5, patch_artist=True)
        for place, ((method, _), dcis) in enumerate(zip(boxes, values, strict=True)):
            drawn["boxes"][place].set(facecolor=f"{colours[method]}33", edgecolor=colours[method])
            drawn["medians"][place].set(color=colours[method], linewidth=2)
            axes.plot([place + 1] * len(dcis), dcis, "o", color=colours[method], markersize=4)
        seen = [method for method, _ in boxes]
        named = ["" if method in seen[:place] else method for place, method in enumerate(seen)]  # once, at its first
        names = [f"beta {beta:g}\n{name.replace(' ', chr(10))}" for name, (_, beta) in zip(named, boxes, strict=True)]
        axes.set_xticks(range(1, len(boxes) + 1), names, fontsize=8.5)
        axes.set_title(f"{NAMES[world]}, {STEPS[world]:,} steps", fontsize=10.5, loc="left")
        axes.set_ylabel("DCI")
        axes.set_ylim(bottom=0)
    page.figure.savefig(path, dpi=100)


def main() -> None:
    """Run what has not been run, and print the table of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}")
    parser.add_argument("--world", choices=WORLDS, default="sprites")
    parser.add_argument("--steps", type=int, help=f"by default {STEPS}")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--minutes", type=float, default=1e6, help="after how many to stop; the same command goes on")
    settings = vars(parser.parse_args())
    out, methods, until = settings.pop("out"), settings.pop("methods"), time.monotonic() + 60 * settings.pop("minutes")
    settings["steps"] = settings["steps"] or STEPS[settings["world"]]
    torch.set_num_threads(1)
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    missing = [method for method in methods if not of(found, settings["world"], method)]
    for method in missing:
        kept = out.with_name(f"{out.stem}-{settings['world']}-{method.replace(', ', '-').replace(' ', '-')}.pt")
        rows = run(method, small(settings["world"]), settings, kept=kept, until=until)
        if not rows:
            break
        found += rows
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        print(method, [row["dci"] for row in rows], f"{rows[0]['cpu_seconds']} s a run", flush=True)
    print(table(found))
    if out == RESULTS and found:
        picture(found, PICTURE)
    for name in WORLDS:
        for method in METHODS:
            if len(runs := of(found, name, method)) > SEEDS:
                print(selection(runs))


if __name__ == "__main__":
    main()
