"""HMix: a box of one sample is pasted into another, and the rest is averaged.

References:
    Park, Yun and Chun, "A unified analysis of mixed sample data augmentation: a loss function perspective", NeurIPS
    2022, arXiv:2208.09913.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.masks.boxes import around, crossed
from unbraid.mixer import Mixture, PairMixer, beta, spatial

__all__ = ["HMix"]


@dataclass(kw_only=True, eq=False)
class HMix(PairMixer):
    r"""HMix: between CutMix and MixUp, a box is another sample's and the rest is averaged.

    The box has a share :math:`(1 - \lambda) r` of the area. Outside it samples are averaged with a weight
    :math:`\lambda / (1 - (1 - \lambda) r)`, which makes :math:`\lambda` the mean of the mask where no border cuts.

    Args:
        alpha: At least 0; :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`.
        ratio: r, 0 (MixUp) .. 1 (CutMix).
        dims: The dimensions that the box covers; by default all after the second.
        shared: Whether all samples of a batch have the same mask.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> HMix(ratio=0.5)(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    alpha: float = 1.0
    ratio: float = 0.5
    dims: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha)
        if not 0 <= self.ratio <= 1:
            raise InvalidOption(f"ratio must lie in 0 .. 1, but is {self.ratio}")

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """A box of nought in a constant."""
        _, shape, spread = spatial(x, self.dims)
        weight = beta(self.alpha, count, generator=generator, device=x.device)
        share = (1 - weight) * self.ratio
        # With a ratio of 1 and a weight of 0 the box is everything: what lies outside it has no weight to speak of.
        outside = weight / (1 - share).clamp_min(1e-12)
        kept = 1 - crossed(around(share, shape, generator=generator)[0])
        mask = kept.flatten(1) * outside[:, None]
        return Mixture(order, mask.mean(1), mask.reshape(spread))
