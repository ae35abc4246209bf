"""Drawing objects from their codes: a colour and a mask for every pixel, of the whole image or in a window of it.

References:
    Crawford and Pineau, "Spatially invariant unsupervised object detection with convolutional neural networks",
    AAAI 2019 (SPAIR: windows with masks).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from unbraid.nn.image import halvings, initialise
from unbraid.nn.upward import Upward
from unbraid.nn.window import place
from unbraid.types import Shape

__all__ = ["EMPTY", "CanvasRenderer", "WindowRenderer"]

EMPTY = -3.0
"""Where masks begin, before the sigmoid: objects begin nearly invisible."""
SMALLEST, LARGEST, USUAL = 0.1, 0.7, 0.35
"""Sizes of a window in parts of the image; what a latent of 0 stands for is the last."""
PATCH = 12


class CanvasRenderer(nn.Module):
    """Draws over the whole image by transposed convolutions: codes ``(B, D)`` to ``(B, C + 1, H, W)`` in 0 .. 1.

    Args:
        inputs: D.
        shape: Channels, height (32, 64 or 128), width of the images.
        channels: Of the last hidden map, at least 1.
    """

    def __init__(self, inputs: int, shape: Shape, channels: int) -> None:
        super().__init__()
        wide = [2 * channels, *[channels] * (halvings(shape) - 1)]
        self.first = nn.Sequential(nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, wide[0] * 16), nn.ReLU())
        up = [nn.Sequential(Upward(a, b), nn.ReLU()) for a, b in pairwise(wide)]
        self.last = Upward(wide[-1], shape[0] + 1)
        self.up = nn.Sequential(nn.Unflatten(1, (wide[0], 4, 4)), *up)
        initialise(self)
        _empty(self.last)

    def forward(self, z: Tensor) -> Tensor:
        """Colours, and last the mask, of every pixel."""
        return torch.sigmoid(self.last(self.up(self.first(z))).float())


class WindowRenderer(nn.Module):
    """Draws in a window of 12 x 12 pixels and places it: codes ``(B, D)`` to ``(B, C + 1, H, W)`` in 0 .. 1.

    The first three latents are the window's middle across and down, before a hyperbolic tangent, and its size, before a
    sigmoid; the others what is in it.

    Args:
        inputs: D, at least 4.
        shape: Channels, height and width of the images.
        channels: A sixteenth of the units of the hidden layer, at least 1.
    """

    def __init__(self, inputs: int, shape: Shape, channels: int) -> None:
        super().__init__()
        self.shape = shape
        self.first = nn.Sequential(nn.Linear(inputs - 3, 16 * channels), nn.ReLU())
        self.last = nn.Linear(16 * channels, shape[0] * PATCH**2 + PATCH**2)
        initialise(self)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias[shape[0] * PATCH**2 :] = EMPTY

    def window(self, z: Tensor) -> Tensor:
        """Size, and middle across and down, as :func:`unbraid.nn.window.place` takes them: ``(B, 3)``."""
        middle, size = torch.tanh(z[:, :2].float()), z[:, 2:3].float()
        usual = torch.logit(torch.tensor((USUAL - SMALLEST) / (LARGEST - SMALLEST)))
        return torch.cat([SMALLEST + (LARGEST - SMALLEST) * torch.sigmoid(usual + 0.5 * size), middle], dim=1)

    def forward(self, z: Tensor) -> Tensor:
        """Colours, and last the mask, of every pixel."""
        drawn = torch.sigmoid(self.last(self.first(z[:, 3:])).float()).unflatten(1, (-1, PATCH, PATCH))
        return place(drawn, self.window(z), (self.shape[1], self.shape[2]))


def _empty(last: nn.ConvTranspose2d) -> None:
    assert last.bias is not None  # made with one
    with torch.no_grad():
        last.bias[-1] = EMPTY
