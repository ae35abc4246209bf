"""The skeletons of the ten digits: the way a pen goes, as chains of short lines.

A skeleton lies in ``-1 .. 1`` by ``-1 .. 1`` with y pointing down, as in images, and its centre near the origin.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from unbraid.types import Floats

__all__ = ["DIGITS", "LONGEST", "arc", "curve", "segments"]

LONGEST = 0.32
"""Straight lines are cut into pieces no longer than this, so that they can be bent."""

TURN = 20.0
"""Degrees between the corners of an arc: at 64 pixels, a chain and its curve are a quarter of a pixel apart."""


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> Floats:
    """Part of an ellipse about (x, y), in degrees from the right and clockwise as seen: corners ``(P, 2)``."""
    a = np.radians(np.linspace(start, stop, round(abs(stop - start) / TURN) + 1))
    return np.stack([x + rx * np.cos(a), y + ry * np.sin(a)], axis=1)


def curve(*points: tuple[float, float], pieces: int = 6) -> Floats:
    """The quadratic Bezier curve of three points: corners ``(P, 2)``."""
    start, middle, stop = np.array(points)
    t = np.linspace(0, 1, pieces + 1)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * stop)


def segments(*chains: Floats) -> Floats:
    """The lines of chains of corners, cut into pieces of at most ``LONGEST``: rows ``(x0, y0, x1, y1)``, ``(K, 4)``."""
    pieces = []
    for chain in chains:
        for start, stop in pairwise(chain):
            count = int(np.ceil(np.hypot(*(stop - start)) / LONGEST))
            corners = start + (stop - start) * np.linspace(0, 1, count + 1)[:, None]
            pieces.append(np.concatenate([corners[:-1], corners[1:]], axis=1))
    return np.concatenate(pieces)


def _line(*corners: tuple[float, float]) -> Floats:
    return np.array(corners)


DIGITS: tuple[Floats, ...] = (
    segments(arc(0, 0, 0.56, 0.9, -90, 270)),
    segments(_line((-0.32, -0.52), (0.06, -0.9), (0.06, 0.9))),
    segments(
        arc(0, -0.42, 0.5, 0.48, -170, 20),
        curve((0.47, -0.256), (0.33, 0.2), (-0.54, 0.88)),
        _line((-0.54, 0.88), (0.56, 0.88)),
    ),
    segments(arc(-0.03, -0.46, 0.48, 0.44, -160, 80), arc(-0.03, 0.42, 0.54, 0.47, -80, 150)),
    segments(_line((0.16, -0.9), (-0.58, 0.3), (0.6, 0.3)), _line((0.24, -0.2), (0.24, 0.9))),
    segments(_line((0.46, -0.88), (-0.36, -0.88), (-0.43, -0.08)), arc(-0.04, 0.33, 0.56, 0.56, -134, 146)),
    segments(curve((0.34, -0.88), (-0.5, -0.62), (-0.53, 0.36)), arc(0, 0.38, 0.53, 0.5, -180, 180)),
    segments(_line((-0.52, -0.88), (0.54, -0.88)), curve((0.54, -0.88), (0.02, -0.1), (-0.12, 0.9))),
    segments(arc(0, -0.45, 0.43, 0.43, 90, 450), arc(0, 0.44, 0.53, 0.46, -90, 270)),
    segments(arc(-0.03, -0.4, 0.49, 0.48, 0, 360), curve((0.46, -0.4), (0.5, 0.3), (0.2, 0.9))),
)  # fmt: skip
"""The lines of 0 .. 9, each ``(K, 4)``."""
