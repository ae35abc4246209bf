"""A fully connected encoder and decoder of patches, for small machines: a step costs a fraction of a convolution's.

References:
    Dosovitskiy et al., "An image is worth 16x16 words: transformers for image recognition at scale", ICLR 2021,
    arXiv:2010.11929, eq. 1 (patches and their linear embedding; what follows here has no attention).
"""

from __future__ import annotations

from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.nn.image import ImageDecoder, ImageEncoder
from unbraid.types import Shape

__all__ = ["PatchesDecoder", "PatchesEncoder"]

PATCH, FEATURES, HIDDEN = 8, 32, 256


class PatchesEncoder(ImageEncoder):
    """Patches of 8x8 pixels, 32 features of each by the same linear map, then two layers of 256, linear.

    ``(B, C, H, W)`` to ``(B, outputs)``. Matrix products alone; for one channel of 64x64 they take a third of the
    multiplications of the network ``dense`` and an eighth of ``conv``.

    Args:
        shape: Of the images; height and width are multiples of 8.
        outputs: How many numbers come out.

    Raises:
        InvalidOption: When the images cannot be cut into patches.
    """

    def __init__(self, shape: Shape, outputs: int) -> None:
        layers: list[nn.Module] = [_Cut(shape), nn.Linear(shape[0] * PATCH**2, FEATURES), nn.ReLU(), nn.Flatten()]
        layers += [nn.Linear(_patches(shape) * FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        super().__init__(shape, *layers, nn.Linear(HIDDEN, outputs))


class PatchesDecoder(ImageDecoder):
    """The mirror image of :class:`PatchesEncoder`: ``(B, inputs)`` to ``(B, C, H, W)``, without a last activation.

    Args:
        inputs: How many numbers go in.
        shape: Of the images; height and width are multiples of 8.

    Raises:
        InvalidOption: When images of that shape cannot be laid out in patches.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        count = _patches(shape)
        layers: list[nn.Module] = [nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        layers += [nn.Linear(HIDDEN, count * FEATURES), nn.ReLU(), nn.Unflatten(1, (count, FEATURES))]
        super().__init__(inputs, *layers, nn.Linear(FEATURES, shape[0] * PATCH**2), _Lay(shape))


class _Cut(nn.Module):
    """``(B, C, H, W)`` to patches in rows, ``(B, patches, C * 64)``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        _patches(shape)
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        channels, height, width = self.shape
        x = x.reshape(x.shape[0], channels, height // PATCH, PATCH, width // PATCH, PATCH)
        return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


class _Lay(nn.Module):
    """What :class:`_Cut` undid: patches ``(B, patches, C * 64)`` to ``(B, C, H, W)``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        channels, height, width = self.shape
        x = x.reshape(x.shape[0], height // PATCH, width // PATCH, channels, PATCH, PATCH)
        return x.permute(0, 3, 1, 4, 2, 5).reshape(x.shape[0], channels, height, width)


def _patches(shape: Shape) -> int:
    """How many patches an image has."""
    if len(shape) != 3 or min(shape) < 1 or shape[1] % PATCH or shape[2] % PATCH:
        raise InvalidOption(
            f"images for the network patches must have a height and width that are multiples of {PATCH}, "
            f"but are {tuple(shape)}: expected (channels, height, width)"
        )
    return (shape[1] // PATCH) * (shape[2] // PATCH)
