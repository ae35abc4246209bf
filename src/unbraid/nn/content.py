"""An encoder of what an image shows wherever it shows it, which forgets how bright and how colourful it is.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, arXiv:1804.04732.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from unbraid.nn.image import initialise

__all__ = ["LEAST", "ContentEncoder", "RoundAbout", "convolution", "plain"]

LEAST = 0.05
"""The variance that is added before a map is divided by it. A blank image has none: with the usual 1e-5 each of the
twenty norms of a cycle would make its gradients 300 times as large, which is not a number by the end of it."""


def plain(channels: int) -> nn.Module:
    """Instance normalisation: mean and variance are taken off each channel of each image."""
    return nn.InstanceNorm2d(channels, eps=LEAST)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = True) -> nn.Conv2d:
    """A convolution that keeps the size (or halves it), by mirrored edges, which tell a network nothing of places."""
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, padding_mode="reflect", bias=bias)


class RoundAbout(nn.Module):
    """Two convolutions 3x3, each with a norm, and a way round them: ``x + f(x)``.

    Args:
        channels: Of the map, ``(B, channels, H, W)``.
        norm: Makes a norm of so many channels; what else than a map the block is given goes to its norms.
    """

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        # A norm that takes off the mean takes off any offset before it.
        self.first, self.second = (convolution(channels, channels, 3, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(norm(channels) for _ in range(2))

    def forward(self, x: Tensor, *style: Tensor) -> Tensor:
        """``(B, channels, H, W)`` to the same."""
        h: Tensor = self.norms[0](self.first(x), *style).relu()
        change: Tensor = self.norms[1](self.second(h), *style)
        return x + change


class ContentEncoder(nn.Sequential):
    """A convolution, and some of 4x4 and stride 2: an image becomes a smaller map; residual blocks follow elsewhere.

    ``(B, C, H, W)`` to ``(B, width * 2^halvings, H / 2^halvings, W / 2^halvings)``. Every layer is followed by instance
    normalisation, which takes mean and variance off each channel of each image.

    Args:
        inputs: Channels of the images.
        width: Channels of the first layer; each halving doubles them.
        kernel: Of the first layer, odd.
        halvings: How often the sides are halved.
    """

    def __init__(self, inputs: int, width: int, kernel: int, halvings: int) -> None:
        layers: list[nn.Module] = [convolution(inputs, width, kernel, bias=False), plain(width), nn.ReLU()]
        for i in range(halvings):
            before, after = width << i, width << (i + 1)
            layers += [convolution(before, after, 4, 2, bias=False), plain(after), nn.ReLU()]
        super().__init__(*layers)
        initialise(self)
