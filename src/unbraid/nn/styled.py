"""An encoder of how an image looks, and a decoder that draws a content in such a style.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, arXiv:1804.04732.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from unbraid.nn.content import LEAST, RoundAbout, convolution, plain
from unbraid.nn.enlarge import Enlarge
from unbraid.nn.image import initialise
from unbraid.nn.modulated import Modulated

__all__ = ["StyleEncoder", "StyledDecoder"]

HIDDEN = 256


class StyleEncoder(nn.Sequential):
    """Convolutions 4x4 of stride 2, the mean over all places, and a linear layer; nothing is normalised.

    ``(B, C, H, W)`` to ``(B, style)``. A norm would take off the very means and variances that make a style.

    Args:
        inputs: Channels of the images.
        width: Channels of the first layer; the second and the third double them, further ones keep them.
        halvings: How many layers there are, at least 1.
        style: How many numbers come out.
    """

    def __init__(self, inputs: int, width: int, halvings: int, style: int) -> None:
        layers: list[nn.Module] = []
        channels = [inputs, *(width << min(i, 2) for i in range(halvings))]
        for before, after in pairwise(channels):
            layers += [convolution(before, after, 4, 2), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[-1], style))
        initialise(self)


class StyledDecoder(nn.Module):
    """Residual blocks whose norms a style sets, enlargements, and a convolution: a map becomes an image in 0 .. 1.

    A network of two layers of 256 tells each norm how to scale and to shift (adaptive instance normalisation). While
    the map is enlarged only all channels together are normalised: normalising each would undo what the style has set.

    Args:
        outputs: Channels of the images.
        width: Channels of the last map; there are twice as many before each enlargement.
        kernel: Of the last layer, odd.
        halvings: How often the map is enlarged.
        blocks: How many residual blocks there are.
        style: How many numbers a style has; with none, the norms are plain.
    """

    def __init__(self, outputs: int, width: int, kernel: int, halvings: int, blocks: int, style: int) -> None:
        super().__init__()
        channels = width << halvings
        norm = partial(Modulated, style=HIDDEN, least=LEAST) if style else plain
        self.blocks = nn.ModuleList(RoundAbout(channels, norm) for _ in range(blocks))
        if style:
            self.style = nn.Sequential(nn.Linear(style, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        layers: list[nn.Module] = []
        for i in reversed(range(halvings)):
            layers += [Enlarge(width << (i + 1), width << i), nn.GroupNorm(1, width << i), nn.ReLU()]
        self.end = nn.Sequential(*layers, convolution(width, outputs, kernel))
        initialise(self)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """``(B, channels, h, w)`` and ``(B, style)`` to ``(B, C, h * 2^halvings, w * 2^halvings)``."""
        told = (self.style(style),) if style.shape[1] else ()
        h = content
        for block in self.blocks:
            h = block(h, *told)
        image: Tensor = self.end(h)
        return image.float().tanh() / 2 + 0.5
