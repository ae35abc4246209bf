"""A compact residual encoder and decoder, deeper than the others at each resolution.

References:
    He et al., "Identity mappings in deep residual networks", ECCV 2016, arXiv:1603.05027 (the order within a block).
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from unbraid.nn.image import ImageDecoder, ImageEncoder, halvings
from unbraid.nn.upward import Upward
from unbraid.types import Shape

__all__ = ["Residual", "ResidualDecoder", "ResidualEncoder"]

HIDDEN = 256


def _channels(side: int) -> int:
    """As many as make a block cost the same at every resolution, but at least 16."""
    return max(16, 512 // side)


class Residual(nn.Module):
    r"""Two convolutions 3x3 and a way round them: :math:`(x + f(x)) / \sqrt 2`, of the size of x.

    There is no batch normalisation, for an image's code must not depend on its neighbours; the root keeps the signal
    as large after the sum as before it.

    Args:
        channels: Of the map, ``(B, channels, H, W)``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))
        self.branch = nn.Sequential(nn.ReLU(), first, nn.ReLU(), second)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W)`` to the same."""
        change: Tensor = self.branch(x)
        return (x + change) * math.sqrt(0.5)


class ResidualEncoder(ImageEncoder):
    """Convolutions 4x4, stride 2, down to 4x4, each followed by a residual block; a layer of 256, linear.

    ``(B, C, H, W)`` to ``(B, outputs)``; 128 channels at 4x4, half of them at twice the side, and so on to 16.

    Args:
        shape: Of the images.
        outputs: How many numbers come out.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers: list[nn.Module] = []
        for i in range(halvings(shape)):
            side = shape[1] >> i
            layers += (
                [nn.ReLU(), nn.Conv2d(_channels(side), _channels(side // 2), 4, 2, 1)]
                if i
                else [nn.Conv2d(shape[0], _channels(side // 2), 4, 2, 1)]
            )
            layers.append(Residual(_channels(side // 2)))
        layers += [nn.ReLU(), nn.Flatten(), nn.Linear(_channels(4) * 16, HIDDEN), nn.ReLU()]
        super().__init__(shape, *layers, nn.Linear(HIDDEN, outputs))


class ResidualDecoder(ImageDecoder):
    """The mirror image of :class:`ResidualEncoder`: ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation.

    Args:
        inputs: How many numbers go in.
        shape: Of the images.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        layers: list[nn.Module] = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, _channels(4) * 16)]
        layers.append(nn.Unflatten(1, (_channels(4), 4, 4)))
        count = halvings(shape)
        for i in range(count):
            side, last = 4 << i, i == count - 1
            layers += [Residual(_channels(side)), nn.ReLU()]
            layers.append(Upward(_channels(side), shape[0] if last else _channels(2 * side)))
        super().__init__(inputs, *layers)
