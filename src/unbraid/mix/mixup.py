"""MixUp: samples are averaged.

References:
    Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018, arXiv:1710.09412.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.mixer import Mixture, PairMixer, beta

__all__ = ["MixUp"]


@dataclass(kw_only=True, eq=False)
class MixUp(PairMixer):
    r"""MixUp: every sample is averaged with another.

    .. math:: \lambda x + (1 - \lambda) x', \qquad \lambda \sim \mathrm{Beta}(\alpha, \alpha)

    Args:
        alpha: At least 0; 1 makes every weight as likely.
        shared: Whether all samples of a batch have the same weight.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> x, y = MixUp(classes=10)(torch.rand(8, 3, 32, 32), torch.arange(8))
    >>> x.shape, y.shape
    (torch.Size([8, 3, 32, 32]), torch.Size([8, 10]))
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha)

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """Weights alone."""
        weight = beta(self.alpha, count, generator=generator, device=x.device)
        return Mixture(order, weight)
