"""Class and style: cycles, the shortcut, and what is left of either code, by judges that saw nothing of it.

References:
    Jha, Anand, Singh and Veeravasarapu, "Disentangling factors of variation with cycle-consistent variational
    auto-encoders", ECCV 2018, arXiv:1804.10469.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import RESULTS, draw, table, tables

from unbraid import Run, train
from unbraid.runs.judge import Bench, judge
from unbraid.runs.plot import plot
from unbraid.types import Bytes
from unbraid.views.classes import Classes
from unbraid.world import LabelledWorld, World, drawn
from unbraid.worlds.characters import Characters
from unbraid.worlds.fashionmnist import FashionMNIST
from unbraid.worlds.strokes import Strokes

IMAGES, PEOPLE, HELD_OUT, GARMENTS = 24_000, 900, 20, 40_000
"""Images that are drawn to learn from; how many people Characters holds out, and how many of them the judge sees; how
many pictures of garments models learn from, of 60,000."""
CODE = {"latent_dim": 20, "content_dim": 12, "network": "dense"}
CYCLE = {"beta": 0.75, "target": "drawn", "consistency": 6.0}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "cycle": ("cyclevae", {"beta": 0.75}),
    "no reverse cycle": ("cyclevae", {"beta": 0.75, "reverse": 0.0}),
    "swap alone": ("swapae", {}),
    "weak KL": ("cyclevae", {"beta": 0.025, "reverse": 0.0}),
    "weak KL, cycle": ("cyclevae", {"beta": 0.025}),
    "weak KL, cycle at 0.0001": ("cyclevae", {"beta": 0.025, "reverse_rate": 1e-4}),
    "lighter KL": ("cyclevae", {"beta": 0.2, "reverse": 0.0}),
    "heavier KL": ("cyclevae", {"beta": 2.5, "reverse": 0.0}),
    "consistent": ("cyclevae", {"beta": 0.75, "consistency": 6.0, "reverse": 0.0}),
    "consistent, target drawn": ("cyclevae", CYCLE),
    "MLVAE": ("mlvae", {"beta": 0.75, "likelihood": "gaussian"}),
    "LORD": ("lord", {}),
    "adversarial": ("adversarialvae", {"beta": 0.75}),
}
"""What they are called here, the model, and its options; a beta of 0.025 is the paper's 3 taken for 0.1."""
RATES = (3e-5, 1e-4, 3e-4, 1e-3)
VARIANTS |= {f"cycle at {rate:g}": ("cyclevae", {"beta": 0.75, "reverse_rate": rate}) for rate in RATES}
POOL = 3000
"""The images that LORD sees: each has a code of its own, which is moved only when it is drawn."""
PRICES, PAPER = ("beta", "consistency"), 784
"""What is weighed against squared errors, which are summed over pixels; options above are for as many as MNIST has.
Channels do not count: those of one pixel say much the same."""


def strokes() -> tuple[World, Bench]:
    """Some images of Strokes to learn from, and others for the judge."""
    world = Strokes(size=16)
    some = np.random.default_rng(1).integers(0, len(world), IMAGES)
    return drawn(world, some), Bench(world, images=6000, samples=1500, steps=800, network="patches")


def negative(images: Bytes) -> Bytes:
    """The same with black for white: a dense network is told of little else than a background that is not zero."""
    return 255 - images


def characters() -> tuple[World, Bench]:
    """Some images of Characters to learn from, and for the judge twenty people whom no model saw; on black."""
    world, others = Characters(size=24, identities="train"), Characters(size=24, identities="test")
    generator = np.random.default_rng(1)
    poses = len(others) // PEOPLE
    who = generator.choice(PEOPLE, HELD_OUT, replace=False)
    index = np.concatenate([one * poses + generator.choice(poses, 1000, replace=False) for one in who])
    bench = Bench(drawn(others, index, change=negative), images=6000, samples=3000, steps=800, network="patches")
    return drawn(world, generator.integers(0, len(world), IMAGES), change=negative), bench


def garments() -> tuple[World, Bench]:
    """Two thirds of Fashion-MNIST's part for training; the judge learns from the others and the part for tests."""
    parts = [FashionMNIST(split=split) for split in ("train", "test")]
    known = drawn(parts[0], np.arange(GARMENTS))
    others = [drawn(parts[0], np.arange(GARMENTS, len(parts[0]))), parts[1]]
    pixels, labels = (
        np.concatenate([getattr(part, of)(np.arange(len(part))) for part in others]) for of in ("images", "factors")
    )
    rest = LabelledWorld(pixels, labels, parts[1].space)
    return known, Bench(rest, images=60_000, samples=3000, steps=1000, network="conv")


WORLDS: dict[str, Callable[[], tuple[World, Bench]]] = {
    "strokes": strokes,
    "characters": characters,
    "garments": garments,
}


def run(variant: str, seed: int, world: World, bench: Bench, settings: dict[str, Any], place: Path) -> dict[str, Any]:
    """Fit one seed, judge it, and note what was said while it was fitted."""
    name, options = VARIANTS[variant]
    options = {
        key: value * math.prod(world.shape[1:]) / PAPER if key in PRICES else value for key, value in options.items()
    }
    if name in ("lord", "adversarialvae"):
        options |= {"classes": len(Classes(world).classes)}
    if name == "lord":
        world = drawn(world, np.arange(POOL))
        options |= {"images": POOL}
    began, said = time.process_time(), StringIO()
    with redirect_stderr(said):
        one = train(
            name,
            world,
            steps=settings["steps"],
            batch_size=settings["pairs"],
            learning_rate=settings["rate"],
            decay=settings["steps"] // 3,
            seed=seed,
            out=place,
            progress=False,
            **CODE,
            **options,
        )
    cpu = round(time.process_time() - began, 1)
    verdict = judge(one, bench=bench, steps=400)
    if seed == 0:
        plot(Run(place, world=bench.world), plots=("swaps", "codemaps") if bench.names else ("swaps",))
    return {
        "variant": variant,
        "seed": seed,
        **settings,
        "cpu_seconds": cpu,
        "said": [line.removeprefix("unbraid: ") for line in said.getvalue().splitlines() if "ignored" in line],
        **_rounded(verdict.to_dict()),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Run what has not been run, and print the table of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--world", choices=[*WORLDS], default="strokes")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--runs", type=Path, default=Path("runs/class-content"))
    parser.add_argument("--minutes", type=float, default=1e6, help="after how many no run is begun any more")
    options = parser.parse_args()
    until, out = time.monotonic() + 60 * options.minutes, options.out
    torch.set_num_threads(1)
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    settings = {name: getattr(options, name) for name in ("world", "steps", "pairs", "rate")}
    done = {(row["world"], row["steps"], row["variant"], row["seed"]) for row in found}
    todo = [(variant, seed) for seed in range(options.seeds) for variant in options.variants]
    todo = [one for one in todo if (options.world, options.steps, *one) not in done]
    world, bench = WORLDS[options.world]() if todo else (None, None)
    for variant, seed in todo:
        if world is None or bench is None or time.monotonic() > until:
            break
        place = options.runs / options.world / f"{variant.replace(', ', '-').replace(' ', '-')}-{options.steps}-{seed}"
        row = run(variant, seed, world, bench, settings, place)
        found.append(row)
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(table([row]), flush=True)
    if found:
        print(tables(found))
    if out == RESULTS:
        draw(found)


if __name__ == "__main__":
    main()
