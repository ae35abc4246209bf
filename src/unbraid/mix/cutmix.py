"""CutMix: a box of one sample is pasted into another.

References:
    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019,
    arXiv:1905.04899.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.masks.boxes import box
from unbraid.mixer import Mixture, PairMixer, beta, spatial

__all__ = ["CutMix"]


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
        _, shape, spread = spatial(x, self.dims)
        weight = beta(self.alpha, count, generator=generator, device=x.device)
        kept = ~box(1 - weight, shape, generator=generator)
        return Mixture(order, kept.flatten(1).float().mean(1), kept.reshape(spread))
