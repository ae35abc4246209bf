"""The places of a map where most is to be seen, none next to another.

References:
    Nash et al., "The multi-entity variational autoencoder", NIPS workshop on learning disentangled features, 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["at", "peaks"]


def peaks(heights: Tensor, count: int) -> Tensor:
    """The highest place, then the highest that is not next to one already taken, and so on.

    Args:
        heights: ``(B, H, W)``.
        count: How many to take, at least 1.

    Returns:
        Their numbers, row by row, int64 ``(B, count)``.

    >>> peaks(torch.tensor([[[9.0, 8.0, 1.0, 2.0], [7.0, 0.0, 3.0, 4.0]]]), 2)
    tensor([[0, 7]])
    """
    left = heights.detach().clone()
    rows, columns = (torch.arange(side, device=left.device) for side in left.shape[1:])
    found = []
    for _ in range(count):
        highest = left.flatten(1).argmax(dim=1)
        found.append(highest)
        row, column = (part[:, None] for part in (highest // left.shape[2], highest % left.shape[2]))
        near = ((rows - row).abs() <= 1)[:, :, None] & ((columns - column).abs() <= 1)[:, None]
        left = left.masked_fill(near, -torch.inf)
    return torch.stack(found, dim=1)


def at(maps: Tensor, places: Tensor) -> Tensor:
    """What maps hold at some places: ``(B, D, H, W)`` and ``(B, N)`` to ``(B, N, D)``."""
    flat = maps.flatten(2)
    return flat.gather(2, places[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)
