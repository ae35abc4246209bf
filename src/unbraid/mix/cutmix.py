"""CutMix: a box of one sample is pasted into another.

References:
    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019,
    arXiv:1905.04899.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.masks.boxes import around, crossed
from unbraid.masks.host import bits, joined, plain
from unbraid.mixer import Covered, Mixture, PairMixer, beta, spatial

__all__ = ["Cut", "CutMix"]

LARGE = 2**14
"""How many numbers a sample has, for which a copy of its box takes less time than a sum for every number."""


@dataclass(frozen=True, kw_only=True)
class Cut(Mixture):
    """A mixture whose partner is seen in a box, which on a CPU is all that is copied of large samples.

    Args:
        order: As for every :class:`unbraid.mixer.Mixture`.
        weight: Likewise.
        sides: Of each dimension that is covered, 1 at those of its n pixels which the boxes cover and 0 elsewhere,
            ``(B, n)``.
        covered: Those dimensions.
    """

    sides: tuple[Tensor, ...]
    covered: Covered

    @property
    def mask(self) -> Tensor:
        """What is outside of the boxes, bool."""
        return ~crossed(self.sides).bool().view(self.covered.spread)

    def apply(self, x: Tensor) -> Tensor:
        """The samples ``(B, ...)``, with their partners in the boxes."""
        if x.is_floating_point() and x.numel() < LARGE * x.shape[0] and plain(x):
            other = self.partner(x)
            mixed = joined(x, other, crossed(self.sides).view(self.covered.spread), out=other)
            if mixed is not None:
                return mixed
        of = bits(x)
        return super().apply(x) if of is None else self._copied(x, of)

    def _copied(self, x: Tensor, of: np.ndarray[Any, Any]) -> Tensor:
        mixed = x.detach().clone()
        to = bits(mixed)
        assert to is not None
        inside: list[Iterable[slice]] = [[slice(None)] * len(x)] * (x.ndim - 1)
        for dim, side in zip(self.covered.dims, self.sides, strict=True):
            start = side.argmax(1).expand(len(x))
            inside[dim] = map(slice, start.tolist(), (start + side.sum(1).long()).tolist())
        for row, other, box in zip(to, self.order.tolist(), zip(*inside, strict=True), strict=True):
            row[box] = of[other][box]
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
        # A share of the area is as likely as the rest; with an alpha of 0 there is none.
        share = beta(self.alpha, count, generator=generator, device=x.device)
        sides, weight = around(share if self.alpha else 1 - share, covered.shape, generator=generator)
        return Cut(order=order, weight=weight, sides=sides, covered=covered)
