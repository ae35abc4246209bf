"""CutMix: a box of one sample is pasted into another.

References:
    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019,
    arXiv:1905.04899.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.masks.boxes import around, boxes
from unbraid.masks.host import bits
from unbraid.mixer import Covered, Mixture, PairMixer, beta, spatial

__all__ = ["Cut", "CutMix"]

LARGE = 2**14
"""How many numbers a sample has, for which a copy of its box takes less time than a choice for every number."""


@dataclass(frozen=True, kw_only=True)
class Cut(Mixture):
    """A mixture whose partner is seen in a box, which on a CPU is all that is copied.

    Args:
        order: As for every :class:`unbraid.mixer.Mixture`.
        weight: Likewise.
        start: The first pixel of the box along each dimension that is covered, ``(B, D)``.
        stop: The first beyond it, ``(B, D)``.
        covered: Those dimensions.
    """

    start: Tensor
    stop: Tensor
    covered: Covered

    @property
    def mask(self) -> Tensor:
        """What is outside of the boxes, bool."""
        return ~boxes(self.start, self.stop, self.covered.shape).reshape(self.covered.spread)

    def apply(self, x: Tensor) -> Tensor:
        """The samples ``(B, ...)``, with their partners in the boxes."""
        of = bits(x)
        if of is None:
            return super().apply(x)
        if x[0].numel() >= LARGE:
            return self._copied(x, of)
        # Sums take a quarter of the time that choosing takes, and give the same where no difference is infinite.
        if x.is_floating_point() and math.isfinite(torch.sub(*reversed(x.aminmax()))):
            inside = boxes(self.start, self.stop, self.covered.shape, dtype=x.dtype).reshape(self.covered.spread)
            other = self.partner(x)
            return torch.lerp(x, other, inside, out=other)
        return super().apply(x)

    def _copied(self, x: Tensor, of: np.ndarray[Any, Any]) -> Tensor:
        mixed = x.detach().clone()
        to = bits(mixed)
        assert to is not None
        edges = zip(*(edge.expand(len(x), -1).tolist() for edge in (self.start, self.stop)), strict=True)
        inside = [slice(None)] * (x.ndim - 1)
        for row, other, (start, stop) in zip(to, self.order.tolist(), edges, strict=True):
            for dim, first, last in zip(self.covered.dims, start, stop, strict=True):
                inside[dim] = slice(first, last)
            row[*inside] = of[other][*inside]
        return mixed


@dataclass(kw_only=True, eq=False)
class CutMix(PairMixer):
    r"""CutMix: a box of every sample is another one's.

    The box has the image's proportions, a share :math:`1 - \lambda` of its area with :math:`\lambda \sim
    \mathrm{Beta}(\alpha, \alpha)`, and any pixel for its middle; what reaches over the border is cut off, and the
    label weighs what is left.

    Args:
        alpha: At least 0; 1 makes every area as likely, before borders cut.
        dims: The dimensions that the box covers; by default all after the second.
        shared: Whether all samples of a batch have the same box.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> images, targets = CutMix(alpha=1.0)(torch.rand(8, 3, 32, 32), torch.arange(8))
    >>> targets.weight.shape
    torch.Size([8])
    """

    alpha: float = 1.0
    dims: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha)

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """A box, and the share that is really kept."""
        covered = spatial(x, self.dims)
        weight = beta(self.alpha, count, generator=generator, device=x.device)
        start, stop = around(1 - weight, covered.shape, generator=generator)
        kept = 1 - (stop - start).prod(1) / math.prod(covered.shape)
        return Cut(order=order, weight=kept, start=start, stop=stop, covered=covered)
