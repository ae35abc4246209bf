"""How well drawn areas and lines fit those they should be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["overlap"]

Masks = npt.NDArray[np.bool_]


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
