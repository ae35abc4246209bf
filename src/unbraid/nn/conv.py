"""The convolutional encoder and decoder of the beta-VAE literature.

References:
    Burgess et al., "Understanding disentangling in beta-VAE", 2018, arXiv:1804.03599, appendix A.1.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Shape

__all__ = ["Decoder", "Encoder", "initialise"]

CHANNELS, HIDDEN = 32, 256


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


def _halvings(shape: Shape) -> int:
    if len(shape) != 3 or shape[0] < 1 or shape[1] != shape[2] or shape[1] not in (32, 64):
        raise InvalidOption(
            f"images must be square with 32 or 64 pixels a side and at least 1 channel, but are {tuple(shape)}: "
            "expected (channels, height, width)"
        )
    return 4 if shape[1] == 64 else 3


class Encoder(nn.Sequential):
    """Convolutions 4x4, stride 2, 32 channels (four for 64x64 images, three for 32x32), two layers of 256, linear.

    ``(B, C, H, W)`` to ``(B, outputs)``.

    Args:
        shape: Of the images.
        outputs: How many numbers come out.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers: list[nn.Module] = []
        for i in range(_halvings(shape)):
            layers += [nn.Conv2d(CHANNELS if i else shape[0], CHANNELS, 4, 2, 1), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(CHANNELS * 16, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        super().__init__(*layers, nn.Linear(HIDDEN, outputs))
        self.shape = tuple(shape)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, outputs)``.

        Raises:
            InvalidData: When the images have another shape, or are not floating-point numbers.
        """
        if x.ndim != 4 or tuple(x.shape[1:]) != self.shape or not x.is_floating_point():
            expected = ", ".join(map(str, self.shape))
            given = str(x.dtype).removeprefix("torch.")
            raise InvalidData(f"images must be floats (B, {expected}) in 0 .. 1, but are {given} {tuple(x.shape)}")
        for layer in self:
            x = layer(x)
        return x


class Decoder(nn.Sequential):
    """The mirror image of :class:`Encoder`: ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation.

    Args:
        inputs: How many numbers go in.
        shape: Of the images.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        halvings = _halvings(shape)
        layers: list[nn.Module] = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        layers += [nn.Linear(HIDDEN, CHANNELS * 16), nn.ReLU(), nn.Unflatten(1, (CHANNELS, 4, 4))]
        for i in range(halvings):
            last = i == halvings - 1
            layers.append(nn.ConvTranspose2d(CHANNELS, shape[0] if last else CHANNELS, 4, 2, 1))
            layers += [] if last else [nn.ReLU()]
        super().__init__(*layers)
        self.inputs = inputs
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, C, H, W)``.

        Raises:
            InvalidData: When the codes have another shape.
        """
        if z.ndim != 2 or z.shape[1] != self.inputs:
            raise InvalidData(f"codes must be (B, {self.inputs}), but have shape {tuple(z.shape)}")
        for layer in self:
            z = layer(z)
        return z
