"""Drawing on an image whose opposite edges meet: what leaves on one side comes in on the other."""

from __future__ import annotations

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["centres", "disc", "offsets"]


def centres(count: int, size: int) -> tuple[float, ...]:
    """The middles of ``count`` equal parts of an edge ``size`` pixels long, in pixels.

    >>> centres(4, 64)
    (8.0, 24.0, 40.0, 56.0)
    """
    return tuple(size * (2 * i + 1) / (2 * count) for i in range(count))


def offsets(place: Integers, count: int, size: int) -> Floats:
    """How far each pixel's centre is from one of the :func:`centres`, the short way round.

    Whole numbers are kept until the last division, so that a move by whole pixels moves every offset exactly.

    Args:
        place: Which centre, ``(B,)`` in ``0 .. count - 1``.
        count: How many centres there are.
        size: Length of the edge in pixels.

    Returns:
        Pixels, ``(B, size)``, from ``-size / 2`` up to but without ``size / 2``.
    """
    half = count * size
    twice = count * (2 * np.arange(size) + 1) - size * (2 * place[:, None] + 1)
    return np.asarray(((twice + half) % (2 * half) - half) / (2 * count))


def disc(right: Floats, below: Floats, radius: float) -> Floats:
    """How much of each pixel a disc covers, its edge softened over one pixel.

    Args:
        right: Each column's offset from the disc's centre, ``(B, W)``.
        below: Each row's, ``(B, H)``.
        radius: In pixels.

    Returns:
        From 0 to 1, ``(B, H, W)``.
    """
    square = (below * below)[:, :, None] + (right * right)[:, None, :]
    return np.asarray(np.clip(radius + 0.5 - np.sqrt(square), 0, 1))
