"""How well drawn areas and lines fit those they should be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.edges import edges
from unbraid.types import Bytes

__all__ = ["outlines", "overlap"]

Masks = npt.NDArray[np.bool_]

SEEN = 0.3
"""How dark an edge is that counts, of 1."""


def outlines(images: Bytes) -> Masks:
    """Where there are edges, of the mean of all channels: ``(B, C, H, W)`` bytes to ``(B, 1, H, W)``.

    >>> image = np.zeros((1, 3, 5, 8), dtype=np.uint8)
    >>> image[..., 4:] = 200
    >>> outlines(image)[0, 0, 2].nonzero()[0].tolist()
    [3]
    """
    return np.asarray(edges(images.mean(axis=1, dtype=np.float32) / 255) > SEEN)[:, None]


def overlap(drawn: Masks, truth: Masks) -> dict[str, float]:
    """Intersection over union, and the harmonic mean of precision and recall within a pixel, as means over images.

    Args:
        drawn: ``(B, 1, H, W)``.
        truth: Likewise.

    >>> line = np.zeros((1, 1, 5, 5), dtype=bool)
    >>> line[..., 2, :] = True
    >>> overlap(line, np.roll(line, 1, axis=2))
    {'overlap': 0.0, 'lines': 1.0}
    """
    axes = (1, 2, 3)
    union = (drawn | truth).sum(axis=axes).clip(min=1)
    hit, found = (drawn & _wide(truth)).sum(axis=axes), (truth & _wide(drawn)).sum(axis=axes)
    precision, recall = hit / drawn.sum(axis=axes).clip(min=1), found / truth.sum(axis=axes).clip(min=1)
    lines = 2 * precision * recall / (precision + recall).clip(min=1e-9)
    return {"overlap": float(((drawn & truth).sum(axis=axes) / union).mean()), "lines": float(lines.mean())}


def _wide(mask: Masks) -> Masks:
    """Wherever one of a pixel and its eight neighbours is in the mask."""
    edged = np.pad(mask, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = mask.shape[2:]
    moved = [edged[..., i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.asarray(np.logical_or.reduce(moved))
