"""Which latents tell something of a heap of images: those whose aggregate posterior looks like the prior.

References:
    Achille et al., "Life-long disentangled representation learning with cross-domain latent homologies", NeurIPS 2018,
    arXiv:1808.06508, section 3 (atypicality).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.nn.gaussian import Gaussian

__all__ = ["Aggregates", "atypicality", "moments"]


def moments(q: Gaussian) -> tuple[Tensor, Tensor]:
    """Mean and variance of every latent over a batch, samples drawn from all its posteriors: ``(D,)`` each."""
    mean = q.mean.mean(dim=0)
    return mean, q.log_variance.exp().mean(dim=0) + q.mean.var(dim=0, correction=0)


def atypicality(mean: Tensor, variance: Tensor) -> Tensor:
    r"""KL of :math:`\mathcal N(m, v)` from the standard normal, in nats: :math:`\tfrac12 (m^2 + v - 1 - \log v)`.

    >>> atypicality(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor([0., 2.])
    """
    return 0.5 * (mean.square() + variance - 1 - variance.clamp(min=1e-12).log())


class Aggregates(nn.Module):
    """Moving averages of the aggregate posterior of each of several environments; those of one batch are noisy.

    Args:
        most: How many environments there may be.
        latents: How many latents.
        keep: What an average keeps in a step, 0 to below 1.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, most: int, latents: int, keep: float = 0.98) -> None:
        super().__init__()
        self.keep = keep
        self.register_buffer("mean", torch.zeros(most, latents))
        self.register_buffer("variance", torch.ones(most, latents))

    @torch.no_grad()
    def follow(self, q: Gaussian, environment: int) -> None:
        """Move the averages of an environment towards a batch of it."""
        for average, now in zip((self.mean, self.variance), moments(q), strict=True):
            average[environment].lerp_(now, 1 - self.keep)

    def typical(self, most: float) -> Tensor:
        """Which latents each environment uses, or leaves free: bool ``(environments, D)``.

        Args:
            most: The atypicality, in nats, from which on a latent is neither.
        """
        return atypicality(self.mean, self.variance) < most
