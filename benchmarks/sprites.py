"""How fast Sprites draws: images a second for random indices, in batches of three sizes.

Run ``python benchmarks/sprites.py``; it takes a few seconds and prints the median of five rounds for each size.
"""

from __future__ import annotations

import statistics
import time

from unbraid.seed import numpy_generator
from unbraid.worlds.sprites import Sprites

BATCHES, ROUNDS, IMAGES = (64, 256, 4096), 5, 16384


def images_per_second(world: Sprites, batch: int) -> float:
    """The median rate over some rounds of IMAGES images each."""
    rates = []
    for number in range(ROUNDS):
        indices = numpy_generator(0, "benchmark", number).integers(0, len(world), (IMAGES // batch, batch))
        start = time.perf_counter()
        for row in indices:
            world.images(row)
        rates.append(indices.size / (time.perf_counter() - start))
    return statistics.median(rates)


def main() -> None:
    """Print one line for each batch size."""
    world = Sprites()
    for batch in BATCHES:
        print(f"batches of {batch:>4}: {images_per_second(world, batch):>9,.0f} images/s")


if __name__ == "__main__":
    main()
