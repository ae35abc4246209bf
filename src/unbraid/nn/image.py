"""What every network of images is: layers in a row that say what they were given when it does not fit."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Shape

__all__ = [
    "ImageDecoder", "ImageEncoder", "checked_codes", "checked_images", "continued", "halvings", "initialise",
    "require_sides",
]  # fmt: skip

SIDES = {32: 3, 64: 4, 128: 5}
"""How often each side that fits is halved until 4 are left."""


def halvings(shape: Shape) -> int:
    """How many layers of stride 2 there are between images of ``shape`` and a map of 4x4.

    Raises:
        InvalidOption: When there is no such number, or no channel.

    >>> halvings((3, 64, 64))
    4
    """
    if len(shape) != 3 or shape[0] < 1 or shape[1] != shape[2] or shape[1] not in SIDES:
        raise InvalidOption(
            f"images must be square with 32, 64 or 128 pixels a side and at least 1 channel, but are {tuple(shape)}: "
            "expected (channels, height, width); network='dense' takes any size, 'patches' multiples of 8"
        )
    return SIDES[shape[1]]


def continued(x: Tensor, unit: int) -> Tensor:
    """Images ``(B, C, H, W)`` whose last row and column are repeated until both sides are multiples of a unit.

    >>> import torch
    >>> continued(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 2)[0, 0].tolist()
    [[1.0, 2.0, 3.0, 3.0], [1.0, 2.0, 3.0, 3.0]]
    """
    down, right = (-side % unit for side in x.shape[2:])
    return F.pad(x, (0, right, 0, down), mode="replicate") if down or right else x


def require_sides(shape: Shape, least: int, most: int) -> None:
    """Make sure that images have some channel, and sides within bounds; they may be of any form.

    Raises:
        InvalidOption: When they have not.
    """
    if len(shape) != 3 or shape[0] < 1 or not all(least <= side <= most for side in shape[1:]):
        raise InvalidOption(
            f"images must have {least} to {most} pixels a side and at least 1 channel, but are {tuple(shape)}: "
            "expected (channels, height, width)"
        )


def checked_images(x: Tensor, shape: Shape) -> Tensor:
    """The images, if they are ``(B, *shape)``.

    Raises:
        InvalidData: When they have another shape, or are not floating-point numbers.
    """
    if x.ndim != 4 or tuple(x.shape[1:]) != tuple(shape) or not x.is_floating_point():
        expected = ", ".join(map(str, shape))
        given = str(x.dtype).removeprefix("torch.")
        raise InvalidData(f"images must be floats (B, {expected}) in 0 .. 1, but are {given} {tuple(x.shape)}")
    return x


def checked_codes(z: Tensor, dimension: int) -> Tensor:
    """The codes, if they are ``(B, dimension)``.

    Raises:
        InvalidData: When they have another shape.
    """
    if z.ndim != 2 or z.shape[1] != dimension:
        raise InvalidData(f"codes must be (B, {dimension}), but have shape {tuple(z.shape)}")
    return z


class ImageEncoder(nn.Sequential):
    """Layers from images to numbers.

    Args:
        shape: Of the images.
        layers: In order.
    """

    def __init__(self, shape: Shape, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.shape: Shape = (shape[0], shape[1], shape[2])
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, outputs)``.

        Raises:
            InvalidData: When the images have another shape, or are not floating-point numbers.
        """
        x = checked_images(x, self.shape)
        for layer in self:
            x = layer(x)
        return x


class ImageDecoder(nn.Sequential):
    """Layers from codes to images, without a last activation.

    Args:
        inputs: How many numbers a code has.
        layers: In order.
    """

    def __init__(self, inputs: int, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.inputs = inputs
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, C, H, W)``.

        Raises:
            InvalidData: When the codes have another shape.
        """
        z = checked_codes(z, self.inputs)
        for layer in self:
            z = layer(z)
        return z


def initialise(network: nn.Module) -> None:
    """Draw weights that keep the signal's size through rectifiers (He et al. 2015); biases are zero.

    With PyTorch's own default the signal fades from layer to layer, and a VAE of this depth spends its first several
    hundred steps drawing the mean image.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                # Every output pixel sees only one in stride x stride of the kernel's weights.
                fan_in = layer.weight[:, 0].numel() // (layer.stride[0] * layer.stride[1])
            nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
