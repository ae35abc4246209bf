"""How fast every drawn world draws, beside how fast a convolutional VAE of 64 x 64 images in colour trains.

Drawing and training take turns on one thread, a batch each, and the median of the ratios of neighbours is what is
shown: a busy machine slows both alike. CPU seconds count, so that the ratio is that of two cores too. A world is
warmed up first, since some keep what they have drawn once. Both find memory as they do in a trial, which keeps it.

Run ``python benchmarks/worlds.py``; it takes about a minute.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from _timing import cpu_seconds
from rich.console import Console
from rich.table import Table

from unbraid import registry
from unbraid.errors import UnbraidError
from unbraid.fit.memory import memory_kept
from unbraid.models import VAE
from unbraid.seed import numpy_generator
from unbraid.view import Batch
from unbraid.world import LabelledWorld, World
from unbraid.worlds import Sprites
from unbraid.worlds._wrapped import Wrapped

SIZES, ROUNDS, WARM = (64, 256), 7, 2048

VARIANTS = {
    "sprites in colour": Sprites(colour="random"),
    "sprites in noise": Sprites(background="noise"),
    "sprites on swirls": Sprites(colour="inverse", background="texture"),
}


def drawn() -> dict[str, World]:
    """Every world that draws and needs no files."""
    found: dict[str, World] = {}
    for name in registry.names("worlds"):
        cls = registry.load("worlds", name)
        if not issubclass(cls, LabelledWorld | Wrapped) and not hasattr(cls, "source"):
            try:
                found[name] = cls()
            except UnbraidError:
                continue
    return found | VARIANTS


def training(size: int) -> Callable[[], object]:
    """One step of a VAE on a batch that is there already."""
    model = VAE((3, 64, 64))
    optimiser = torch.optim.Adam(model.parameters(), 5e-4)
    batch = Batch(torch.rand(size, 3, 64, 64), torch.arange(size), 1 << 20)

    def step() -> None:
        optimiser.zero_grad()
        sum(model.loss(batch, 0).values()).backward()
        optimiser.step()

    return step


def drawing(world: World, size: int) -> Callable[[], object]:
    """One batch of a world, another one each time."""
    generator = numpy_generator(0, "benchmark")
    return lambda: world.images(world.sample(size, generator))


def main() -> None:
    """Print one row for each world and batch size."""
    torch.set_num_threads(1)
    table = Table("world", "shape", "batch", "draws, images/s", "VAE trains, images/s", "ratio")
    worlds = drawn()
    for size in SIZES:
        step = training(size)
        step()
        for name, world in worlds.items():
            draw = drawing(world, size)
            for _ in range(WARM // size):
                draw()
            rows = [(cpu_seconds(draw), cpu_seconds(step)) for _ in range(ROUNDS)]
            fast, slow = (size / statistics.median(column) for column in zip(*rows, strict=True))
            ratio = statistics.median(slow / fast for fast, slow in rows)
            shape = " x ".join(str(side) for side in world.shape)
            table.add_row(name, shape, str(size), f"{fast:,.0f}", f"{slow:,.0f}", f"{ratio:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    with memory_kept():
        main()
