"""A generator that draws a constant, and is told at each of its layers how: by a style, and a little by chance.

References:
    Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks", CVPR 2019,
    arXiv:1812.04948.
    Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, arXiv:1912.04958 (section 2.2:
    styles that only scale).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.content import LEAST
from unbraid.nn.enlarge import Enlarge
from unbraid.nn.image import halvings, initialise
from unbraid.nn.modulated import Modulated, Scaled
from unbraid.types import Shape

__all__ = ["Synthesis"]


class Synthesis(nn.Module):
    """A learned constant of 4x4, enlarged to an image in 0 .. 1; at each size two layers, each with a style of its own.

    A layer convolves, adds noise (one normal number for each pixel, as strong in each channel as is learned, from
    nothing), is rectified, and then standardised, scaled and shifted as its style says; or only scaled, so that what a
    thing looks like does not depend on how much of the image it fills.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        style: How many numbers a style has.
        width: Channels at full size; half the size has twice as many, up to four times.
        scaled: Whether maps are only scaled.
    """

    def __init__(self, shape: Shape, style: int, width: int, *, scaled: bool = False) -> None:
        super().__init__()
        count = halvings(shape)
        sizes = [width << min(2, count - i) for i in range(count + 1)]
        self.constant = nn.Parameter(torch.randn(1, sizes[0], 4, 4))
        self.layers = nn.ModuleList()
        for i, size in enumerate(sizes):
            grown = Enlarge(sizes[i - 1], size) if i else nn.Identity()
            for module in (grown, nn.Conv2d(size, size, 3, 1, 1)):
                told = Scaled(size, style) if scaled else Modulated(size, style, least=LEAST)
                self.layers.append(_Layer(module, size, told))
        self.end = nn.Conv2d(width, shape[0], 1)
        initialise(self)

    def forward(self, styles: Tensor, noisy: bool = True) -> Tensor:
        """Styles of all layers, the coarse ones first, ``(B, L, style)`` to ``(B, C, H, W)``."""
        h = self.constant.expand(len(styles), -1, -1, -1)
        for layer, style in zip(self.layers, styles.unbind(dim=1), strict=True):
            h = layer(h, style, noisy)
        image: Tensor = self.end(h)
        return image.float().tanh() / 2 + 0.5


class _Layer(nn.Module):
    """What gives a map its channels, noise, a leaky rectifier, and the style."""

    def __init__(self, grown: nn.Module, channels: int, modulated: nn.Module) -> None:
        super().__init__()
        self.grown, self.strength = grown, nn.Parameter(torch.zeros(channels, 1, 1))
        self.modulated = modulated

    def forward(self, h: Tensor, style: Tensor, noisy: bool) -> Tensor:
        h = self.grown(h)
        if noisy:
            h = h + self.strength * torch.randn_like(h[:, :1])
        told: Tensor = self.modulated(F.leaky_relu(h, 0.2), style)
        return told
