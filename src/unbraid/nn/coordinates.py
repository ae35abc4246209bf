"""Where a pixel is, as channels of the image: what convolutions do not know by themselves.

References:
    Liu et al., "An intriguing failing of convolutional neural networks and the CoordConv solution", NeurIPS 2018,
    arXiv:1807.03247.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["coordinates", "with_coordinates"]


def coordinates(height: int, width: int) -> Tensor:
    """Across and down in -1 .. 1, ``(2, height, width)``.

    >>> coordinates(2, 3)[0]
    tensor([[-1.,  0.,  1.],
            [-1.,  0.,  1.]])
    """
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.stack([across, down])


def with_coordinates(x: Tensor) -> Tensor:
    """Two channels more: ``(B, C, H, W)`` to ``(B, C + 2, H, W)``."""
    places = coordinates(x.shape[2], x.shape[3]).to(x)
    return torch.cat([x, places.expand(len(x), -1, -1, -1)], dim=1)
