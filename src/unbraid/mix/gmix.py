"""GMix: a bump of one sample is put into another, without an edge.

References:
    Park, Yun and Chun, "A unified analysis of mixed sample data augmentation: a loss function perspective", NeurIPS
    2022, arXiv:2208.09913.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.mixer import Mixture, PairMixer, beta, spatial

__all__ = ["GMix"]


@dataclass(kw_only=True, eq=False)
class GMix(PairMixer):
    r"""GMix: CutMix with a Gaussian bump for a box.

    .. math:: K(p) = \exp\Big(-\pi \sum_d \frac{(p_d - c_d)^2}{n_d^2\, s^2}\Big), \quad s^D = \min(\lambda, 1 - \lambda)

    around a random pixel c. Its mean is :math:`s^D` where no border cuts. The mask is K below a :math:`\lambda` of one
    half, :math:`1 - K` above it; the label weighs its mean.

    Args:
        alpha: At least 0; :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`.
        dims: The dimensions that the bump covers; by default all after the second.
        shared: Whether all samples of a batch have the same mask.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> GMix()(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    alpha: float = 1.0
    dims: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha)

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """A bump, as a product of one along each axis."""
        _, shape, spread = spatial(x, self.dims)
        weight = beta(self.alpha, count, generator=generator, device=x.device)
        centre = torch.rand((count, len(shape)), generator=generator, device=x.device)
        # A bump narrower than a pixel would be 0 everywhere between pixels, and 0 / 0 when it has no width.
        width = torch.minimum(weight, 1 - weight).clamp_min(1e-12) ** (1 / len(shape))
        bump = torch.ones((), device=x.device)
        for axis, pixels in enumerate(shape):
            place = (torch.arange(pixels, device=x.device) + 0.5) / pixels - centre[:, axis, None]
            along = torch.exp(-torch.pi * (place / width[:, None]).square())
            bump = bump * along.reshape(-1, *[pixels if d == axis else 1 for d in range(len(shape))])
        mask = torch.where(weight[:, None] < 0.5, bump.flatten(1), 1 - bump.flatten(1))
        return Mixture(order, mask.mean(1), mask.reshape(spread))
