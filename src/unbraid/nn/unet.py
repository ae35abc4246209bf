"""A network that sees a noisy image and how noisy it is, and says what in it is noise.

References:
    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
    arXiv:1505.04597.
    Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020, arXiv:2006.11239.
    Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", NeurIPS 2021, arXiv:2105.05233 (the time
    scales and shifts what is normalised).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.image import continued

__all__ = ["UNet"]

WAVES = 64
"""How many numbers a time becomes before a network reads it."""
GROUPS = 8
"""Into how many groups channels are normalised, at most."""


class UNet(nn.Module):
    """Down to small maps and up again, with a way across at every size.

    Images of any size are taken: they are continued at the right and below until they can be halved, and what is said
    of that is cut off again. The time is told to every block.

    Args:
        channels: Of the images.
        width: Channels at full size; smaller maps have twice as many.
        halvings: How often maps are halved, at least 0.
        blocks: Residual blocks at each size, on the way down and on the way up, at least 1.
        patch: Pixels a side that are seen at once, at least 1: full size is that of the image divided by it.
    """

    def __init__(self, channels: int, *, width: int, halvings: int, blocks: int, patch: int) -> None:
        super().__init__()
        self.patch, self.halvings, told = patch, halvings, 4 * width
        widths = [width, *(2 * width for _ in range(halvings))]
        self.time = nn.Sequential(nn.Linear(WAVES, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU())
        self.begin = nn.Conv2d(channels * patch**2, width, 3, 1, 1)

        def row(first: int, then: int) -> nn.ModuleList:
            return nn.ModuleList(_Block(then if i else first, then, told) for i in range(blocks))

        self.down = nn.ModuleList(row(widths[max(0, i - 1)], one) for i, one in enumerate(widths))
        self.middle = _Block(widths[-1], widths[-1], told)
        self.up = nn.ModuleList(
            row(one + widths[min(i + 1, halvings)], one) for i, one in reversed(list(enumerate(widths)))
        )
        self.end = nn.Sequential(_norm(width), nn.SiLU(), nn.Conv2d(width, channels * patch**2, 3, 1, 1))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """``(B, C, H, W)`` and times ``(B,)`` in 0 .. 1 to ``(B, C, H, W)``."""
        height, width = x.shape[2:]
        told = self.time(_waves(time))
        h = self.begin(F.pixel_unshuffle(continued(x, self.patch << self.halvings), self.patch))
        across = []
        for i, row in enumerate(self.down):
            h = F.avg_pool2d(h, 2) if i else h
            for block in row:  # type: ignore[attr-defined]  # a list of lists of modules does not say so
                h = block(h, told)
            across.append(h)
        h = self.middle(h, told)
        for i, row in enumerate(self.up):
            h = F.interpolate(h, scale_factor=2.0) if i else h
            h = torch.cat([h, across.pop()], dim=1)
            for block in row:  # type: ignore[attr-defined]
                h = block(h, told)
        noise: Tensor = F.pixel_shuffle(self.end(h), self.patch)
        return noise[..., :height, :width].float()


class _Block(nn.Module):
    """Two convolutions 3x3, each after a norm, the second of which the time sets, and a way round them."""

    def __init__(self, inputs: int, outputs: int, told: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([_norm(inputs), _norm(outputs)])
        self.first, self.second = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.time = nn.Linear(told, 2 * outputs)
        self.around = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` and ``(B, told)`` to ``(B, outputs, H, W)``."""
        scale, shift = self.time(told)[:, :, None, None].chunk(2, dim=1)
        h = self.norms[1](self.first(F.silu(self.norms[0](x)))) * (1 + scale) + shift
        around: Tensor = self.around(x)
        change: Tensor = self.second(F.silu(h))
        return around + change


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(math.gcd(channels, GROUPS), channels)


def _waves(time: Tensor) -> Tensor:
    """Times ``(B,)`` in 0 .. 1 as sines and cosines, ``(B, WAVES)``, of lengths from the thousandth part of 1 up."""
    half = WAVES // 2
    rates = 1000 * torch.exp(-math.log(10_000) * torch.arange(half, device=time.device) / half)
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
