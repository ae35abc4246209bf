"""Swirls: a picture without edges, of bands that wind about one another in the colours of an evening sky.

It is the sum of a few waves whose places are themselves moved by waves, so that it costs nothing to keep and nobody
else's painting is needed where a busy background is.
"""

from __future__ import annotations

import numpy as np

from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Floats

__all__ = ["swirls"]

PALETTE = np.array(
    [
        (24, 28, 66), (46, 78, 132), (120, 150, 160), (232, 196, 120), (222, 122, 46), (150, 44, 38), (60, 26, 52),
    ],
    dtype=np.float64,
)  # fmt: skip
"""Once around the bands; the last colour meets the first."""

BANDS = 5
"""How often the palette is run through from the left edge to the right, and from the top to the bottom."""


def swirls(size: int, *, seed: int) -> Bytes:
    """A picture whose opposite edges meet.

    Args:
        size: Height and width in pixels.
        seed: Which picture, at least 0.

    Returns:
        Bytes, ``(3, size, size)``.

    Raises:
        InvalidOption: When the seed is below 0.

    >>> swirls(64, seed=0).shape
    (3, 64, 64)
    """
    generator = numpy_generator(seed, "swirls")
    y, x = np.meshgrid(*[np.arange(size) / size] * 2, indexing="ij")
    # Twice moved: the second waves wind around where the first have put them.
    for reach in (0.12, 0.08):
        x, y = x + reach * _waves(x, y, 4, generator), y + reach * _waves(x, y, 4, generator)
    place = (BANDS * (x + y) + _waves(x, y, 6, generator)) % 1 * len(PALETTE)
    first = np.floor(place).astype(np.int64)
    part = (place - first)[..., None]
    colours = (1 - part) * PALETTE[first % len(PALETTE)] + part * PALETTE[(first + 1) % len(PALETTE)]
    return np.asarray(np.rint(np.moveaxis(colours, -1, 0)), dtype=np.uint8)


def _waves(x: Floats, y: Floats, count: int, generator: np.random.Generator) -> Floats:
    """The mean of some waves of random direction; whole numbers of them fit between opposite edges."""
    total = np.zeros_like(x)
    for _ in range(count):
        across, down = generator.integers(-3, 4, 2)
        total += np.sin(2 * np.pi * (across * x + down * y + generator.random()))
    return total / count
