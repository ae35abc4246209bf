"""Drawing an object from its code by asking at every place of a small map what is there.

References:
    Watters, Matthey, Burgess and Lerchner, "Spatial broadcast decoder: a simple architecture for learning disentangled
    representations in VAEs", 2019, arXiv:1901.07017.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.coordinates import coordinates
from unbraid.nn.slots import seen_from

__all__ = ["BroadcastRenderer", "middles"]


def middles(side: int) -> Tensor:
    """Where the places of a map are, row by row, across and down in -1 .. 1: ``(side * side, 2)``.

    >>> middles(2)[:, 0]
    tensor([-0.5000,  0.5000, -0.5000,  0.5000])
    """
    return (coordinates(side, side) * (1 - 1 / side)).flatten(1).T


class BroadcastRenderer(nn.Module):
    """The same layers at every place, which see the code and the place; each draws a patch of pixels.

    Args:
        inputs: How many numbers a code has.
        channels: Of what is drawn.
        cells: Places a side.
        patch: Pixels a side of what each draws.
        width: Of the hidden layers.
    """

    def __init__(self, inputs: int, channels: int, cells: int, patch: int, width: int) -> None:
        super().__init__()
        self.cells, self.patch = cells, patch
        self.what, self.where = nn.Linear(inputs, width), nn.Linear(4, width, bias=False)
        self.last = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels * patch**2))

    def forward(self, codes: Tensor, frames: Tensor) -> Tensor:
        """What is drawn of codes ``(B, N, D)``, as seen from frames ``(B, N, 3)``: ``(B, N, C, H, W)``."""
        seen = seen_from(middles(self.cells).to(frames), frames)
        drawn = self.last(F.relu(self.what(codes)[:, :, None] + self.where(seen)))
        cells = drawn.transpose(2, 3).unflatten(3, (self.cells, self.cells))
        return F.pixel_shuffle(cells.float(), self.patch)
