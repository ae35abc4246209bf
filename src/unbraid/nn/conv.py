"""The convolutional encoder and decoder of the beta-VAE literature.

References:
    Burgess et al., "Understanding disentangling in beta-VAE", 2018, arXiv:1804.03599, appendix A.1.
"""

from __future__ import annotations

from torch import nn

from unbraid.nn.image import ImageDecoder, ImageEncoder, halvings
from unbraid.nn.upward import Upward
from unbraid.types import Shape

__all__ = ["Decoder", "Encoder"]

CHANNELS, HIDDEN = 32, 256


class Encoder(ImageEncoder):
    """Convolutions 4x4, stride 2, 32 channels (down to 4x4: four for 64x64 images), two layers of 256, linear.

    ``(B, C, H, W)`` to ``(B, outputs)``.

    Args:
        shape: Of the images.
        outputs: How many numbers come out.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers: list[nn.Module] = []
        for i in range(halvings(shape)):
            layers += [nn.Conv2d(CHANNELS if i else shape[0], CHANNELS, 4, 2, 1), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(CHANNELS * 16, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        super().__init__(shape, *layers, nn.Linear(HIDDEN, outputs))


class Decoder(ImageDecoder):
    """The mirror image of :class:`Encoder`: ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation.

    Args:
        inputs: How many numbers go in.
        shape: Of the images.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        count = halvings(shape)
        layers: list[nn.Module] = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        layers += [nn.Linear(HIDDEN, CHANNELS * 16), nn.ReLU(), nn.Unflatten(1, (CHANNELS, 4, 4))]
        for i in range(count):
            last = i == count - 1
            layers.append(Upward(CHANNELS, shape[0] if last else CHANNELS))
            layers += [] if last else [nn.ReLU()]
        super().__init__(inputs, *layers)
