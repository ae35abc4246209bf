"""What a network that was fitted to something else makes of images on its way: features, and a distance by them.

References:
    Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual metric",
    CVPR 2018, arXiv:1801.03924 (whose distance this is, but for the weights of channels).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["features", "perceived"]


def features(network: nn.Sequential, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """What comes out of each rectifier, ``(B, C, h, w)``, and what the last layer is given, ``(B, D)``.

    A rectifier of numbers makes maps of one place, one of patches ``(B, patches, C)`` maps of as many in a column.

    Args:
        network: Layers from images to numbers.
        x: Images, as it takes them.
    """
    maps = []
    for layer in list(network)[:-1]:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            maps.append(x if x.ndim == 4 else x.reshape(len(x), -1, x.shape[-1]).mT[..., None])
    return maps, x.flatten(1)


def perceived(network: nn.Sequential, x: Tensor, y: Tensor) -> Tensor:
    """How different two batches of images look, one by one: ``(B,)``, at least 0.

    Features at every place are brought to length 1; their squared distances are summed over channels, and averaged
    over places and layers.
    """
    pairs = zip(features(network, x)[0], features(network, y)[0], strict=True)
    each = [(_unit(a) - _unit(b)).square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
    return torch.stack(each).mean(dim=0)


def _unit(h: Tensor) -> Tensor:
    unit: Tensor = h / (h.norm(dim=1, keepdim=True) + 1e-6)
    return unit
