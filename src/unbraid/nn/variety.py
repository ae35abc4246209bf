"""How different two translations of one image are, as far as it should count."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["coloured", "mistinted"]

BROAD = 4
"""Pixels a side, over whose mean a tint is compared, so that grains make no difference."""


def coloured(first: Tensor, second: Tensor, guided: Tensor, limit: float) -> Tensor:
    """The mean difference of two translations, each pixel counting no more than the least of three allows.

    Where one of the three has nothing, as beside white, nothing is gained by what the others have there.

    Args:
        first: What contents do not see of images, ``(B, C, H, W)``.
        second: Likewise, of the same images in other styles.
        guided: Likewise, in styles of real images.
        limit: How many times the mean absolute value of the least of the three a pixel counts at most.

    >>> one = torch.tensor([0.4, 0.4]).view(1, 1, 1, 2)
    >>> round(coloured(one, -one, one * torch.tensor([1.0, 0.0]), 1.5).item(), 4)
    0.3
    """
    first, second, guided = (x.float() for x in (first, second, guided))
    least = torch.stack([x.detach().abs().mean(dim=1) for x in (first, second, guided)]).amin(dim=0)
    return (first - second).abs().mean(dim=1).minimum(limit * least).mean()


def mistinted(first: Tensor, second: Tensor, real: Tensor, times: float) -> Tensor:
    """How far two batches are from differing so many times as much as real images, in broad colours and in brightness.

    It grows on either side, so that nothing is gained by painting one black and the other white. A batch of one has no
    other real image beside it, and misses nothing.

    Args:
        first: Translations, ``(B, C, H, W)``.
        second: Of the same images in other styles.
        real: Images of the domain they are in.
        times: How many times the difference of real images is right.

    >>> first, second, real = (torch.full((2, 3, 8, 8), value) for value in (0.0, 0.9, 0.5))
    >>> round(mistinted(first, second, real + torch.tensor([0.0, 0.3]).view(2, 1, 1, 1), 2.0).item(), 4)
    0.3
    """
    missed = first.new_zeros((), dtype=torch.float32)
    if len(real) < 2:
        return missed
    for part in (_colour, _brightness):
        one, other, seen = (F.avg_pool2d(part(x.float()), BROAD, ceil_mode=True) for x in (first, second, real))
        missed = missed + (F.l1_loss(one, other) - times * F.l1_loss(seen, seen.roll(1, dims=0))).abs()
    return missed


def _brightness(x: Tensor) -> Tensor:
    return x.mean(dim=1, keepdim=True)


def _colour(x: Tensor) -> Tensor:
    return x - _brightness(x)
