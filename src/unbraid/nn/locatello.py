"""The convolutional encoder and decoder of disentanglement_lib, on which the field's large studies were made.

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359, table 1.
"""

from __future__ import annotations

from torch import nn

from unbraid.nn.image import ImageDecoder, ImageEncoder, halvings
from unbraid.nn.upward import Upward
from unbraid.types import Shape

__all__ = ["LocatelloDecoder", "LocatelloEncoder"]

OUTER, INNER, HIDDEN = 32, 64, 256


class LocatelloEncoder(ImageEncoder):
    """Convolutions 4x4 with 32 channels, then two of 2x2 with 64, all of stride 2, a layer of 256, linear.

    ``(B, C, H, W)`` to ``(B, outputs)``. For 64x64 images, the paper's, there are two of 4x4; for 32x32 one, for
    128x128 three.

    Args:
        shape: Of the images.
        outputs: How many numbers come out.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers: list[nn.Module] = []
        for i in range(halvings(shape) - 2):
            layers += [nn.Conv2d(OUTER if i else shape[0], OUTER, 4, 2, 1), nn.ReLU()]
        layers += [nn.Conv2d(OUTER, INNER, 2, 2), nn.ReLU(), nn.Conv2d(INNER, INNER, 2, 2), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(INNER * 16, HIDDEN), nn.ReLU()]
        super().__init__(shape, *layers, nn.Linear(HIDDEN, outputs))


class LocatelloDecoder(ImageDecoder):
    """Layers of 256 and 1024, then transposed convolutions 4x4, stride 2, of 64 and 32 channels, without activation.

    ``(B, inputs)`` to ``(B, C, H, W)``.

    Args:
        inputs: How many numbers go in.
        shape: Of the images.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        layers: list[nn.Module] = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, INNER * 16), nn.ReLU()]
        layers += [nn.Unflatten(1, (INNER, 4, 4)), Upward(INNER, INNER), nn.ReLU()]
        for i in range(halvings(shape) - 2):
            layers += [Upward(OUTER if i else INNER, OUTER), nn.ReLU()]
        super().__init__(inputs, *layers, Upward(OUTER, shape[0]))
