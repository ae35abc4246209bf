"""The fully connected encoder and decoder, as the beta-VAE and the beta-TCVAE used on dSprites; for images of any size.

References:
    Higgins et al., "beta-VAE: learning basic visual concepts with a constrained variational framework", ICLR 2017, A.1.
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942.
"""

from __future__ import annotations

from torch import nn

from unbraid.errors import InvalidOption
from unbraid.nn.image import ImageDecoder, ImageEncoder
from unbraid.types import Shape

__all__ = ["DenseDecoder", "DenseEncoder"]

WIDTH = 512
"""The papers take 1200; this is narrower, for the sake of small machines."""


def _pixels(shape: Shape) -> int:
    if len(shape) != 3 or min(shape) < 1:
        raise InvalidOption(f"images must be (channels, height, width), each at least 1, but are {tuple(shape)}")
    return shape[0] * shape[1] * shape[2]


class DenseEncoder(ImageEncoder):
    """Two layers of 512 with rectifiers, then linear: ``(B, C, H, W)`` to ``(B, outputs)``.

    Args:
        shape: Of the images, any.
        outputs: How many numbers come out.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers = [nn.Flatten(), nn.Linear(_pixels(shape), WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()]
        super().__init__(shape, *layers, nn.Linear(WIDTH, outputs))


class DenseDecoder(ImageDecoder):
    """Two layers of 512 with tanh, then linear: ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation.

    Args:
        inputs: How many numbers go in.
        shape: Of the images, any.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        layers = [nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh()]
        super().__init__(inputs, *layers, nn.Linear(WIDTH, _pixels(shape)), nn.Unflatten(1, tuple(shape)))
