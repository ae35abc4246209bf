"""Fields cut at a height: masks of a wanted area, without sorting what need not be sorted."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["above", "counts", "softened", "uniform"]


def counts(share: Tensor, pixels: int, *, generator: torch.Generator | None = None) -> Tensor:
    """How many of so many pixels a share is: rounded up or down at random, so that it is right in the mean.

    >>> counts(torch.tensor([0.25, 1.0]), 8).tolist()
    [2, 8]
    """
    coin = torch.rand(share.shape, generator=generator, device=share.device, dtype=torch.float64)
    return (share.double() * pixels + coin).floor().long().clamp(0, pixels)


def above(field: Tensor, count: Tensor) -> Tensor:
    """The ``count`` highest values of every row, as a mask.

    On a CPU each row is partitioned by numpy, which takes a tenth of the time of a sort. Elsewhere, and in a compiled
    function, rows are sorted, and nothing waits for the device.

    Args:
        field: ``(B, N)``.
        count: ``(B,)``, 0 .. N.

    Returns:
        ``(B, N)``, bool.

    >>> above(torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]), torch.tensor([1, 3])).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    pixels = field.shape[1]
    last = (pixels - count).clamp_max(pixels - 1)
    if field.device.type != "cpu" or torch.compiler.is_compiling():
        level = field.sort(dim=1).values.gather(1, last[:, None])
    else:
        rows = zip(field.numpy(), last.tolist(), strict=True)
        level = torch.from_numpy(np.array([np.partition(row, k)[k] for row, k in rows], dtype=np.float32))[:, None]
    return (field >= level) & (count > 0)[:, None]


def uniform(field: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Masks whose area is anything from one pixel to all of them, each as likely: cut at the height of a random pixel.

    The rank of a pixel drawn at random is uniform, so that neither an area nor an order is needed.

    Args:
        field: ``(B, N)``.
        generator: Draws the pixels; the global one by default.

    Returns:
        ``(B, N)``, bool.
    """
    pixel = torch.randint(field.shape[1], (len(field), 1), generator=generator, device=field.device)
    return field >= field.gather(1, pixel)


def softened(field: Tensor, share: Tensor, width: float) -> Tensor:
    """The highest values of every row, with a linear ramp across the edge; the mean stays the share.

    Args:
        field: ``(B, N)``.
        share: The mean of each mask, 0 .. 1, ``(B,)``.
        width: Half the ramp's as a share of all pixels, 0 .. 0.5; narrower where the share leaves no room.

    Returns:
        ``(B, N)``, in [0, 1].
    """
    pixels = field.shape[1]
    rank = field.argsort(dim=1, descending=True).argsort(dim=1).to(field.dtype) + 0.5
    share = share.to(field.dtype)[:, None]
    half = torch.minimum(share, 1 - share).clamp_max(width) * pixels
    return ((share * pixels - rank) / (2 * half).clamp_min(1) + 0.5).clamp(0, 1)
