"""Scenes taken apart into objects: how many, where, and what each code tells, by models that nobody told anything.

Training stops when its time is over and goes on with the next call; what is finished is judged and recorded.

References:
    Eslami et al., "Attend, infer, repeat: fast scene understanding with generative models", NIPS 2016,
    arXiv:1603.08575.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from unbraid import registry
from unbraid.model import Model
from unbraid.objects import ObjectModel
from unbraid.runs.encode import choose
from unbraid.runs.objects import judge_objects
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.view import SceneBatch, to_float
from unbraid.world import World

RESULTS = Path(__file__).parent / "results.jsonl"
PIECE = 200
"""Steps between two looks at the clock."""


def digits(**options: Any) -> World:
    """Handwritten digits on 50 x 50, of which none covers another."""
    given: dict[str, Any] = {"objects": "digits", "most": 2, "size": 50, "colour": False, "overlap": 0.0, **options}
    return registry.load("worlds", "scenes")(**given)


def sprites(**options: Any) -> World:
    """One to three coloured sprites on 32 x 32, partly before each other."""
    return registry.load("worlds", "scenes")(**{"fewest": 1, "overlap": 0.3, **options})


@dataclass(frozen=True)
class Row:
    """A model, where it learns, for how long, and where it is judged."""

    model: str
    learned: Callable[[], World]
    judged: dict[str, Callable[[], World]]
    steps: int
    options: dict[str, Any] = field(default_factory=dict)
    batch: int = 64
    rate: float = 1e-3
    decay: float = 0.5
    """Over which part of the steps, at the end, the rate falls to 0."""


DIGITS: dict[str, Any] = {
    "learned": lambda: digits(split="train"),
    "judged": {
        "0 to 2": lambda: digits(split="test"),
        "3": lambda: digits(split="test", fewest=3, most=3),
    },
    "steps": 400,
}
SPRITES: dict[str, Any] = {"learned": sprites, "judged": {"1 to 3": sprites}, "steps": 600, "batch": 32}
APART: dict[str, Any] = {
    **SPRITES,
    "learned": partial(sprites, overlap=0),
    "judged": {"1 to 3": partial(sprites, overlap=0)},
}
RARE: dict[str, Any] = {"prior": 1e-4, "prior_first": 1e-2, "anneal": 200}
"""A prior on counts that falls to where an object costs 9 nats more than none."""
SLOTS: dict[str, Any] = {**SPRITES, "steps": 1200, "batch": 16, "rate": 2e-3}
DOUBTED: dict[str, Any] = {
    "steps": 800, "batch": 64, "decay": 1.0, "options": {"doubt": 0.5, "sight": "convolutional"}
}  # fmt: skip
"""Counts that stay doubted, so that no window learns to leave what the next one draws, seen by convolutions."""
ROWS: dict[str, Row] = {
    "air": Row("air", **DIGITS),
    "air without residual": Row("air", **DIGITS, options={"residual": False}),
    "air sampled": Row("air", **DIGITS, options={"estimator": "sampled"}),
    "air on sprites": Row("air", **{**SPRITES, "steps": 400, "batch": 64}),
    "air on sprites apart": Row("air", **{**APART, "steps": 400, "batch": 64}),
    "air on sprites apart, prior 0.0001": Row("air", **{**APART, "steps": 400, "batch": 64}, options=RARE),
    "air on sprites apart, 1,000 steps": Row("air", **{**APART, "steps": 1000, "batch": 64}),
    "air on sprites apart, 4 steps": Row("air", **{**APART, "steps": 400, "batch": 64}, options={"slots": 4}),
    "air on sprites apart, 4 steps, 1,000 batches": Row(
        "air", **{**APART, "steps": 1000, "batch": 64}, options={"slots": 4}
    ),
    "air on sprites apart, doubted": Row("air", **(APART | DOUBTED)),
    "air on sprites apart, doubted, 600 batches": Row("air", **(APART | DOUBTED | {"steps": 600})),
    "air on sprites, doubted": Row("air", **(SPRITES | DOUBTED)),
    "air with 4 steps": Row("air", **DIGITS, options={"slots": 4}),
    "mvae": Row("mvae", **{**SPRITES, "steps": 1200, "rate": 2e-3}, options={"warmup": 300}),
    "mvae, 600 steps": Row("mvae", **SPRITES, options={"warmup": 300}),
    "mvae on the canvas": Row("mvae", **SPRITES, options={"warmup": 300, "renderer": "canvas"}),
    "slot attention": Row("slotattention", **SLOTS),
    "slot attention, 450 steps": Row("slotattention", **{**SLOTS, "steps": 450}),
    "slot attention, 4,000 steps": Row("slotattention", **{**SLOTS, "steps": 4000}),
    "slot attention, shared frame": Row("slotattention", **SLOTS, options={"frames": "shared"}),
    "vae": Row("vae", **SPRITES, options={"latent_dim": 32, "likelihood": "learned"}),
}


def fitted(name: str, seed: int, runs: Path, until: float) -> Run | None:
    """The finished run of a row, or None where the time was over before."""
    row = ROWS[name]
    path = runs / f"{name.replace(' ', '-')}-{seed}"
    if (path / "model.safetensors").exists():
        return Run(path)
    done = json.loads((path / "at.json").read_text("utf-8")) if (path / "at.json").exists() else 0
    while time.monotonic() < until:
        done = min(done + PIECE, row.steps)
        run = train(
            row.model, row.learned(), steps=row.steps, seed=seed, out=path, until=done, batch_size=row.batch,
            learning_rate=row.rate, decay=int(row.decay * row.steps), progress=False, **row.options,
        )  # fmt: skip
        if run.finished:
            return run
        (path / "at.json").write_text(json.dumps(done), "utf-8")
    return None


def error(model: Model, world: World) -> float:
    """The mean square of what a model of one code an image does not reconstruct, on images as a judge draws them."""
    x = to_float(world.images(choose(world, 1000, 0)))
    with torch.no_grad():
        return float((model.decode(model.represent(x)) - x).square().mean())


def loss(row: Row, model: Any) -> float:
    """The model's loss on 1,000 images of the world it learned from: what a restart can be chosen by, untold."""
    world = row.learned()
    index = choose(world, 1000, 0)
    batch = SceneBatch(to_float(world.images(index)), torch.from_numpy(index), len(world), None, None)
    torch.manual_seed(0)
    with torch.no_grad():
        return float(model.eval().loss(batch, row.steps).total())


def table(found: list[dict[str, Any]]) -> str:
    """What is recorded: a line for each run and world that it was judged on."""
    names = list(dict.fromkeys(name for row in found for name in row["parts"]))
    lines = [["row", "seed", "objects", *(name.replace("_", " ") for name in names)]]
    lines.append(["---"] * len(lines[0]))
    for row in found:
        numbers = [f"{row['parts'][name]:.3f}" if name in row["parts"] else "" for name in names]
        lines.append([row["row"], str(row["seed"]), row["world"], *numbers])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Go on with what is not finished, judge what is, and record it; without rows, print what is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=7.0, help="after which nothing is begun any more")
    parser.add_argument("--runs", type=Path, default=Path("runs/objects"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    until = time.monotonic() + 60 * options.minutes
    found = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()] if RESULTS.exists() else []
    if not options.rows:
        print(table(found))
    for name, seed in ((name, seed) for seed in options.seeds for name in options.rows):
        if any((row["row"], row["seed"]) == (name, seed) for row in found):
            continue
        began = time.process_time()
        run = fitted(name, seed, options.runs, until)
        if run is None:
            break
        told = {"loss": loss(ROWS[name], run.model)} if isinstance(run.model, ObjectModel) else {}
        for world, made in ROWS[name].judged.items():
            if isinstance(run.model, ObjectModel):
                if run.model.slots < len(made().masks([0])[0]):  # type: ignore[attr-defined]
                    continue
                parts = judge_objects(run, made()).parts
            else:
                parts = {"error": error(run.model, made())}
            rounded = {key: round(value, 4) for key, value in (parts | told).items()}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"row": name, "seed": seed, "world": world, "parts": rounded}) + "\n")
            print(name, seed, world, rounded, flush=True)
        print(f"{time.process_time() - began:.0f} CPU seconds, of those that were left", flush=True)


if __name__ == "__main__":
    main()
