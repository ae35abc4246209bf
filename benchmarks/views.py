"""What a batch costs: a view's whole batches against a torch DataLoader over the same world, sample by sample.

The loader's Dataset asks the world for one image (pair, sequence, group) at a time, as a map-style data set must, with
the simplest code for each; it collates in the same process, for more workers only spread the same CPU time. Both show
float images in 0 .. 1 and their numbers. Stream and loader take turns that last about as long, and the median of the
ratios of neighbours is what is shown, so that a busy machine slows both alike. Both find memory as they do in a trial,
which keeps it: that is where a stream is read.

Run ``python benchmarks/views.py``; it takes about two minutes.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _timing import turns
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from unbraid.fit.memory import memory_kept
from unbraid.view import View
from unbraid.views import Classes, Domains, Images, Labelled, Orbits, Pairs, Ranked
from unbraid.views import Scenes as SceneView
from unbraid.world import World
from unbraid.worlds import CatsDogs, Digits, Scenes, Sprites

SIZES, SAMPLES, ROUNDS = (64, 256), 512, 7

Item = Callable[[World, int, np.random.Generator], np.ndarray]


class PerSample(Dataset[tuple[Tensor, ...]]):
    """A world as a map-style data set.

    Args:
        world: The world.
        item: From a number to the numbers of the images of one sample.
    """

    def __init__(self, world: World, item: Item) -> None:
        self.world, self.item, self.generator = world, item, np.random.default_rng(0)

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, place: int) -> tuple[Tensor, ...]:
        """One sample: its images and their numbers, and of a scene its masks and how many objects there are."""
        numbers = self.item(self.world, int(self.generator.integers(len(self.world))), self.generator)
        images = [torch.from_numpy(self.world.images([number])[0]).float() / 255 for number in numbers]
        if isinstance(self.world, Scenes):
            masks = torch.from_numpy(self.world.masks(numbers)[0])
            return torch.stack(images), torch.from_numpy(numbers), masks, torch.from_numpy(self.world.count(numbers))
        return torch.stack(images), torch.from_numpy(numbers)


def single(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """An image."""
    return np.array([number])


def scene(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """A scene as the world draws them for training: those that hide too much are not among the numbers of all."""
    return world.sample(1, generator)


def pair(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """An image, and one that differs in up to two factors."""
    factors = world.factors([number])[0]
    for column in generator.choice(len(factors), generator.choice([1, 2]), replace=False):
        factors[column] = generator.integers(world.space.sizes[column])
    return np.array([number, world.index([factors])[0]])


def orbit(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """An image, and what two actions make of it."""
    numbers = [number]
    for _ in range(2):
        factors = world.factors([numbers[-1]])[0]
        column = generator.choice([1, 2, 3, 4])
        top = world.space.sizes[column] - 1
        moved = factors[column] + generator.choice([-1, 1])
        factors[column] = top - abs(top - abs(moved))
        numbers.append(int(world.index([factors])[0]))
    return np.array(numbers)


def ranked(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """Two images."""
    return np.array([number, generator.integers(len(world))])


def labelled(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """An image, and one of the thousand with labels."""
    return np.array([number, generator.integers(1000) * 700])


def domains(world: World, number: int, generator: np.random.Generator) -> np.ndarray:
    """An image of each domain."""
    factors = world.factors([number, generator.integers(len(world))])
    factors[:, 0] = 0, 1
    return world.index(factors)


class OfClass:
    """An image, and another one of its class from a list made beforehand."""

    def __init__(self, world: World) -> None:
        self.label = world.factors(np.arange(len(world)))[:, 0]
        self.members = [np.flatnonzero(self.label == value) for value in range(self.label.max() + 1)]

    def __call__(self, world: World, number: int, generator: np.random.Generator) -> np.ndarray:
        """Two numbers."""
        return np.array([number, generator.choice(self.members[self.label[number]])])


def compare(view: View, item: Item) -> tuple[float, float, float]:
    """CPU seconds a batch of the stream and of the loader, and the median ratio of neighbours."""
    loader, batches = DataLoader(PerSample(view.world, item), batch_size=view.batch_size), SAMPLES // view.batch_size

    steps = itertools.count()

    def streamed() -> None:
        for _ in range(batches):
            view.batch(next(steps))

    def loaded() -> None:
        for _ in loader:
            pass

    # A stream's turn would else be over before what it needs is in the caches.
    spent = turns({"stream": streamed, "loader": loaded}, ROUNDS)
    fast, slow = (statistics.median(column) / batches for column in spent.values())
    return fast, slow, statistics.median(slow / fast for fast, slow in zip(*spent.values(), strict=True))


def main() -> None:
    """Print one row for each view and world."""
    torch.set_num_threads(1)
    sprites, digits = Sprites(), Digits()
    rows: list[tuple[type[View], World, dict[str, Any], Item]] = [
        (Images, sprites, {}, single),
        (Pairs, sprites, {"k": 2}, pair),
        (Orbits, sprites, {"length": 2}, orbit),
        (Ranked, sprites, {}, ranked),
        (Labelled, sprites, {"labels": 1000}, labelled),
        (Domains, sprites, {"other": sprites}, ranked),
        (Domains, CatsDogs(), {}, domains),
        (SceneView, Scenes(), {}, scene),
        (Images, digits, {}, single),
        (Classes, digits, {}, OfClass(digits)),
    ]
    table = Table("view", "world", "batch", "stream, a batch", "DataLoader, a batch", "ratio")
    for size in SIZES:
        for kind, world, options, item in rows:
            fast, slow, ratio = compare(kind(world, batch_size=size, **options), item)
            costs = f"{fast * 1e3:,.2f} ms", f"{slow * 1e3:,.2f} ms", f"{ratio:.1f}"
            table.add_row(kind.__name__, type(world).__name__, str(size), *costs)
    Console(width=100).print(table)


if __name__ == "__main__":
    with memory_kept():
        main()
