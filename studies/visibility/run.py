"""How much of each factor of each drawn world a small network reads from the pixels.

One convolutional network a world, with a head for every question, is fitted to images as they are drawn; what it says
of images that it never saw is compared with the truth. ``python studies/visibility/run.py`` takes about 20 minutes on
one core and writes ``results.json`` beside this file; names of rows (``python studies/visibility/run.py arena``) read
these alone and leave the others as they are.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from questions import Question, questions
from torch import Tensor, nn

from unbraid import registry
from unbraid.seed import numpy_generator
from unbraid.types import Integers
from unbraid.view import to_float
from unbraid.world import World

RESULTS = Path(__file__).parent / "results.json"

ROWS: dict[str, tuple[str, dict[str, str]]] = {
    "sprites": ("sprites", {}),
    "sprites in colour": ("sprites", {"colour": "random"}),
    "sprites in noise": ("sprites", {"background": "noise"}),
    "sprites on swirls": ("sprites", {"colour": "inverse", "background": "texture"}),
    **{
        name: (name, {})
        for name in (
            "rooms", "arena", "flatland", "wheel", "strokes", "characters", "glyphs", "scenes", "clutter", "garments",
            "catsdogs", "summerwinter", "moving",
        )
    },
}  # fmt: skip

BATCH, RATE = 128, 3e-3
STEPS = {32: 2000, 64: 800}
"""By the images' height: about as much work."""
TESTED, AT_ONCE = 4096, 512


def network(world: World, outputs: int) -> nn.Module:
    """Three convolutions, the first of which takes an image to 16 x 16 places, and two layers."""
    channels, step = world.shape[0], world.shape[1] // 16
    layers: list[nn.Module] = []
    for before, after, kernel, stride in ((channels, 48, 2 * step, step), (48, 96, 4, 2), (96, 128, 4, 2)):
        layers += [nn.Conv2d(before, after, kernel, stride, (kernel - stride) // 2), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, 256), nn.ReLU(), nn.Linear(256, outputs))


def loss(said: Tensor, asked: list[Question], factors: Integers) -> Tensor:
    """The sum over all questions, each of which begins at about 1."""
    total = torch.zeros(())
    for question, part in zip(asked, said.split([question.outputs for question in asked], dim=1), strict=True):
        truth, there = (torch.from_numpy(values) for values in question.answer(factors))
        if not there.any():
            continue
        part, truth = part[there], truth[there]
        if question.kind == "categorical":
            total = total + nn.functional.cross_entropy(part, truth) / math.log(question.size)
        else:
            total = total + (part - truth).square().sum(dim=1).mean()
    return total


def fitted(world: World, asked: list[Question], unseen: Integers) -> nn.Module:
    """A network that has learned from everything but some images."""
    torch.manual_seed(0)
    model = network(world, sum(question.outputs for question in asked)).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    steps = STEPS[world.shape[1]]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        index = world.sample(BATCH, numpy_generator(0, "seen", step))
        index = index[~np.isin(index, unseen)]
        x = to_float(world.images(index)).contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad()
        loss(model(x), asked, world.factors(index)).backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def held_out(world: World) -> Integers:
    """The numbers of images that are kept for the end: a quarter of a small world."""
    generator = numpy_generator(0, "unseen")
    if len(world) < 4 * TESTED:
        return generator.choice(len(world), len(world) // 4, replace=False)
    return np.unique(world.sample(TESTED, generator))


def read(name: str, options: dict[str, str]) -> dict[str, Any]:
    """Fit a network to a world and ask it."""
    start = time.process_time()
    world: World = registry.load("worlds", name)(**options)
    asked, unseen = questions(name, world), held_out(world)
    model = fitted(world, asked, unseen)
    with torch.no_grad():
        parts = [model(to_float(world.images(some))) for some in np.array_split(unseen, -(-len(unseen) // AT_ONCE))]
    said = torch.cat(parts).split([question.outputs for question in asked], dim=1)
    factors = world.factors(unseen)
    return {
        "world": name,
        "options": options,
        "seen": STEPS[world.shape[1]] * BATCH,
        "tested": len(unseen),
        "seconds": round(time.process_time() - start),
        "read": [question.judged(part.double().numpy(), factors) for question, part in zip(asked, said, strict=True)],
    }


def main(names: list[str]) -> None:
    """Read the given rows, all by default, and keep what was found."""
    torch.set_num_threads(1)
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in names or ROWS:
        kept[name] = found = read(*ROWS[name])
        told = ", ".join(f"{one['factor']} {one['value']:.3f}" for one in found["read"])
        print(f"{name} ({found['seconds']} s): {told}", flush=True)
        ordered = {row: kept[row] for row in ROWS if row in kept}
        RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
