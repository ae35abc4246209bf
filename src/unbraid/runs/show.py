"""What a picture of a world is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from unbraid.errors import InvalidData
from unbraid.plots.sheet import spread
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Integers
from unbraid.world import World

__all__ = ["material"]

SAMPLES, COLUMNS = 64, 16
BASES = 12
"""Images among which one is sought that shows what a factor changes: not every image shows every factor."""
ENOUGH = 0.5
"""The part of the most that a factor changes in any of them with which the row stays at the common one."""


def material(world: World, *, seed: int = 0) -> dict[str, Any]:
    """Random images of a world, and for each factor a row in which only it varies.

    The rows begin at one image, drawn as the world draws. A factor that changes much less of it than of another (that
    of an object which is not there, or of an arm behind a back) begins at the other.

    Args:
        world: The world.
        seed: Which images, at least 0.

    Returns:
        ``images``; ``rows`` by factor name, of at most sixteen values, evenly chosen; and ``space``, the factors.
    """
    generator = numpy_generator(seed, "show")
    images = world.images(world.sample(SAMPLES, generator))
    bases = world.factors(world.sample(BASES, generator))
    found = [[_row(world, base, column) for column in range(len(world.space.all))] for base in bases]
    changes = np.array([[_change(row) for row in rows] for rows in found])
    if hasattr(world, "relevant"):  # in an outline a hue makes no difference: what moves there is something else
        changes[~np.asarray(world.relevant(bases), dtype=bool)] = -1.0
    share = changes / np.maximum(changes.max(axis=0), 1e-9)
    base = share.mean(axis=1).argmax()
    chosen = np.where(share[base] >= ENOUGH, base, share.argmax(axis=0))
    drawn = {
        name: found[which][column] for column, (name, which) in enumerate(zip(world.space.names, chosen, strict=True))
    }
    return {
        "images": images,
        "rows": {name: row for name, row in drawn.items() if row is not None},
        "space": world.space,
    }


def _row(world: World, base: Integers, column: int) -> Bytes | None:
    """Images that differ in one factor alone; None where a world of collected images does not have them all."""
    values = spread(world.space.sizes[column], COLUMNS)
    varied = np.repeat(base[None], len(values), axis=0)
    varied[:, column] = values
    try:
        return world.images(world.index(varied))
    except InvalidData:
        return None


def _change(row: Bytes | None) -> float:
    """How far the images of a row are from one another; -1 where there are none."""
    return -1.0 if row is None else float(row.std(axis=0).mean())
