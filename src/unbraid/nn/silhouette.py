"""A network that tells what of an image belongs to its things, to judge what others have drawn.

References:
    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
    arXiv:1505.04597 (a map is halved, enlarged again, and joined with what it was).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.image import initialise
from unbraid.nn.judge import settle

__all__ = ["Silhouette"]

BATCH = 32
WIDTH = 12


class Silhouette(nn.Module):
    """Says of each pixel whether something stands there, once it was fitted to images of which that is known.

    Args:
        x: Images, ``(N, C, H, W)`` in 0 .. 1, with sides that are multiples of 4.
        masks: Where things are, bool ``(N, 1, H, W)``.
        steps: Steps of Adam with a learning rate of 0.003 that falls to 0, on batches of 32.
        generator: Draws the batches.
    """

    def __init__(self, x: Tensor, masks: Tensor, *, steps: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [(x.shape[1], WIDTH, 1), (WIDTH, 2 * WIDTH, 2), (2 * WIDTH, 4 * WIDTH, 2)]
        self.down = nn.ModuleList(nn.Conv2d(before, after, 3, stride, 1) for before, after, stride in sizes)
        self.deep = nn.Conv2d(4 * WIDTH, 4 * WIDTH, 3, padding=2, dilation=2)
        self.up = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in ((6 * WIDTH, 2 * WIDTH), (3 * WIDTH, WIDTH))
        )
        self.end = nn.Conv2d(WIDTH, 1, 1)
        initialise(self)

        def loss(rows: Tensor) -> Tensor:
            return F.binary_cross_entropy_with_logits(self(x[rows]), masks[rows].float())

        settle(self, loss, len(x), rate=3e-3, steps=steps, batch=BATCH, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, 1, H, W)``, above 0 where there is something."""
        maps = [2 * x - 1]
        for layer in self.down:
            maps.append(layer(maps[-1]).relu())
        h = maps[-1] + self.deep(maps[-1]).relu()
        for layer, before in zip(self.up, (maps[2], maps[1]), strict=True):
            h = layer(torch.cat([F.interpolate(h, scale_factor=2), before], dim=1)).relu()
        told: Tensor = self.end(h)
        return told

    def told(self, x: Tensor) -> Tensor:
        """What of images belongs to something, ``(B, C, H, W)`` to bool ``(B, 1, H, W)``."""
        with torch.no_grad():
            return torch.cat([self(part) > 0 for part in x.split(BATCH)])
