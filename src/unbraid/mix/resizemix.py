"""ResizeMix: the whole of one sample, made smaller, is pasted into another.

References:
    Qin et al., "ResizeMix: mixing data with preserved object information and true labels", 2020, arXiv:2012.11101.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.masks.boxes import boxes, placed
from unbraid.mixer import Mixture, PairMixer, spatial

__all__ = ["Pasted", "ResizeMix"]


@dataclass(frozen=True)
class Pasted(Mixture):
    """A mixture whose partner is first made smaller and moved: the nearest pixel is taken for each.

    Args:
        order: As for every :class:`unbraid.mixer.Mixture`.
        weight: Likewise.
        mask: Likewise.
        places: For each dimension that is covered, which pixel of the partner is seen at each, ``(B, pixels)``.
        dims: Those dimensions, counted from the last.
    """

    places: tuple[Tensor, ...] = ()
    dims: tuple[int, ...] = ()

    def partner(self, x: Tensor) -> Tensor:
        """The partner as it lies where it is pasted."""
        other = super().partner(x)
        for dim, place in zip(self.dims, self.places, strict=True):
            shape = [1] * other.ndim
            shape[0], shape[dim] = place.shape
            other = torch.take_along_dim(other, place.reshape(shape), dim)
        return other


@dataclass(kw_only=True, eq=False)
class ResizeMix(PairMixer):
    r"""ResizeMix: the whole of another sample, made smaller, lies somewhere in every sample.

    Its sides are :math:`\tau \sim U(\text{scale})` times the image's; the label weighs the area that it covers.

    Args:
        scale: The least and the greatest :math:`\tau`, above 0 and at most 1; 0.1 and 0.8 are the paper's.
        dims: The dimensions that are made smaller; by default all after the second.
        shared: Whether all samples of a batch have the same box.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel, in the last dimensions.

    >>> ResizeMix()(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    scale: tuple[float, float] = (0.1, 0.8)
    dims: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise InvalidOption(f"scale is (least, greatest), above 0 and at most 1, but is {self.scale}")

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """A box, and which pixel of the partner each of its pixels shows."""
        dims, shape, spread = spatial(x, self.dims)
        least, greatest = self.scale
        scale = least + (greatest - least) * torch.rand(count, generator=generator, device=x.device)
        start, stop = placed(scale, shape, generator=generator)
        kept = ~boxes(start, stop, shape)
        places = []
        for axis, pixels in enumerate(shape):
            pixel = torch.arange(pixels, device=x.device) - start[:, axis, None]
            seen = (pixel + 0.5) * pixels / (stop - start)[:, axis, None]
            places.append(seen.long().clamp(0, pixels - 1))
        weight = 1 - (stop - start).prod(1) / math.prod(shape)
        return Pasted(order, weight, kept.reshape(spread), tuple(places), dims)
