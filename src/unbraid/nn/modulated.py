"""A decoder that draws the same picture for every code, and lets the code set the style of each of its layers.

References:
    Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
    arXiv:1703.06868 (eq. 8).
    Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, arXiv:1912.04958 (eq. 1 to 3).
    Hsu et al., "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378 (as the decoder of QLAE).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.image import ImageDecoder, halvings
from unbraid.nn.upward import Upward
from unbraid.types import Shape

__all__ = ["Modulated", "ModulatedDecoder", "Scaled"]

STYLE = 256


class Modulated(nn.Module):
    r"""Every channel of a map is standardised, image by image, then scaled and shifted as a style says.

    .. math:: \frac{(1 + a)\,\hat h + b}{\sqrt 6}, \qquad (a, b) = W s

    At first h, a and b have unit variance, so the numerator has a mean square of 3; the root makes it that of a
    rectified normal, 1/2, which the weights of the next layer expect.

    Args:
        channels: Of the map.
        style: How many numbers a style has.
        least: The variance that is added before it is divided by.
    """

    def __init__(self, channels: int, style: int, least: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.least = channels, least
        self.affine = nn.Linear(style, 2 * channels)

    def forward(self, h: Tensor, style: Tensor) -> Tensor:
        """``(B, channels, H, W)`` and ``(B, style)`` to ``(B, channels, H, W)``."""
        affine: Tensor = self.affine(style) * math.sqrt(1 / 6)
        scale, shift = affine[..., None, None].chunk(2, dim=1)
        # A group to each channel: instance normalisation, but faster.
        return shift + (scale + math.sqrt(1 / 6)) * F.group_norm(h, self.channels, eps=self.least)


class Scaled(nn.Module):
    r"""Every channel of a map is scaled as a style says, without a look at the map.

    .. math:: \frac{1 + a_c}{\sqrt{\tfrac1C \sum_j (1 + a_j)^2}}\, h_c, \qquad a = W s

    What goes into a layer keeps its size over all channels, whatever the style. The paper divides by the size of what
    comes out of the layer, as its weights say, which is the same on average over weights.

    Args:
        channels: C, of the map.
        style: How many numbers a style has.
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.affine = nn.Linear(style, channels)

    def forward(self, h: Tensor, style: Tensor) -> Tensor:
        """``(B, C, H, W)`` and ``(B, style)`` to ``(B, C, H, W)``."""
        scale = 1 + self.affine(style)
        scale = scale * (scale.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        scaled: Tensor = h * scale[..., None, None]
        return scaled


class _Drawing(nn.Module):
    """From a learned constant of 4x4 to an image, by transposed convolutions 4x4 of stride 2."""

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__()
        sizes = [max(32, 128 >> i) for i in range(halvings(shape))]
        self.style = nn.Sequential(nn.Linear(inputs, STYLE), nn.ReLU(), nn.Linear(STYLE, STYLE), nn.ReLU())
        self.constant = nn.Parameter(torch.randn(1, sizes[0], 4, 4))
        self.modulated = nn.ModuleList(Modulated(size, STYLE) for size in sizes)
        self.convolutions = nn.ModuleList(
            Upward(size, following) for size, following in zip(sizes, [*sizes[1:], shape[0]], strict=True)
        )

    def forward(self, z: Tensor) -> Tensor:
        style = self.style(z)
        h = self.constant.expand(z.shape[0], -1, -1, -1)
        for modulated, convolution in zip(self.modulated, self.convolutions, strict=True):
            h = convolution(modulated(h.relu(), style))
        return h


class ModulatedDecoder(ImageDecoder):
    """A learned constant of 4x4, enlarged layer by layer, each in the style that two layers of 256 make of the code.

    ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation; 128 channels at 4x4, then 64, then 32.

    Args:
        inputs: How many numbers go in.
        shape: Of the images.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__(inputs, _Drawing(inputs, shape))
