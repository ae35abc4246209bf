"""What a picture of a world is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from unbraid.errors import InvalidData
from unbraid.seed import numpy_generator
from unbraid.types import Bytes
from unbraid.world import World

__all__ = ["material"]

SAMPLES, COLUMNS = 32, 16


def material(world: World, *, seed: int = 0) -> dict[str, Any]:
    """Random images of a world, and for each factor a row in which only it varies.

    Args:
        world: The world.
        seed: Which images, at least 0.

    Returns:
        ``images``, and ``rows`` by factor name; at most sixteen values of a factor, evenly chosen.
    """
    generator = numpy_generator(seed, "show")
    images = world.images(generator.integers(0, len(world), SAMPLES))
    base = world.factors(generator.integers(0, len(world), 1))
    rows: dict[str, Bytes] = {}
    for column, factor in enumerate(world.space):
        values = np.unique(np.linspace(0, factor.size - 1, min(factor.size, COLUMNS)).round().astype(np.int64))
        varied = np.repeat(base, len(values), axis=0)
        varied[:, column] = values
        try:
            rows[factor.name] = world.images(world.index(varied))
        except InvalidData:  # a world of collected images need not have every combination
            continue
    return {"images": images, "rows": rows}
