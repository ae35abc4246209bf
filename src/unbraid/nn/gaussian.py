"""The diagonal Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Gaussian"]

LOG_TWO_PI = math.log(2 * math.pi)
LOWEST, HIGHEST = -30.0, 20.0
"""Log variances beyond are taken for these: their exponentials would overflow, in densities or in gradients."""


@dataclass(frozen=True)
class Gaussian:
    r"""A batch of diagonal Gaussians :math:`\mathcal N(\mu, \operatorname{diag}(e^{v}))`.

    Args:
        mean: :math:`\mu`, ``(B, D)``, or ``(B, G, D)`` in groups.
        log_variance: :math:`v`, ``(B, D)``; held within -30 .. 20.

    >>> float(Gaussian(torch.zeros(1, 2), torch.zeros(1, 2)).kl())
    0.0
    """

    mean: Tensor
    log_variance: Tensor

    def __post_init__(self) -> None:
        # Under autocast networks answer in half precision, where exp and square soon overflow.
        object.__setattr__(self, "mean", self.mean.float())
        v = self.log_variance.float()
        # The bound has the gradient of the identity, or a posterior that is once beyond it could never come back.
        object.__setattr__(self, "log_variance", v + (v.clamp(LOWEST, HIGHEST) - v).detach())

    def rsample(self) -> Tensor:
        """One reparametrised sample each, ``(B, D)``."""
        return self.mean + (0.5 * self.log_variance).exp() * torch.randn_like(self.mean)

    def divergences(self) -> Tensor:
        r"""KL to the standard normal of every coordinate, ``(B, D)``, in nats.

        .. math:: \mathrm{KL}(q_j \,\|\, \mathcal N(0, 1)) = \tfrac12 (\mu_j^2 + e^{v_j} - v_j - 1)
        """
        return 0.5 * (self.mean.square() + self.log_variance.exp() - self.log_variance - 1)

    def divergences_from(self, other: Gaussian) -> Tensor:
        r"""KL to another Gaussian of every coordinate, in the shape of the means, in nats.

        .. math:: \mathrm{KL}(q_j \,\|\, p_j)
                  = \tfrac12 \big((\mu_j - m_j)^2 e^{-w_j} + e^{v_j - w_j} - (v_j - w_j) - 1\big)
        """
        ratio = self.log_variance - other.log_variance
        return 0.5 * ((self.mean - other.mean).square() * (-other.log_variance).exp() + ratio.exp() - ratio - 1)

    def divergences_from_laplace(self, centre: Tensor, rate: float) -> Tensor:
        r"""KL to a Laplace distribution of every coordinate, in the shape of the means, in nats.

        With :math:`m = \mu - c`, :math:`s^2 = e^v`, and :math:`\Phi` the standard normal's distribution function,

        .. math:: \mathrm{KL} = -\log \tfrac\lambda2 + \lambda \Big(s \sqrt{\tfrac2\pi}\, e^{-m^2 / 2 s^2}
                  + m\,(2 \Phi(m / s) - 1)\Big) - \tfrac12 (v + \log 2 \pi e)

        Args:
            centre: c, in the shape of the means.
            rate: :math:`\lambda`, above 0.
        """
        m, s = self.mean - centre, (0.5 * self.log_variance).exp()
        distance = s * math.sqrt(2 / math.pi) * (-0.5 * (m / s).square()).exp() + m * torch.erf(m / (s * math.sqrt(2)))
        return rate * distance - math.log(rate / 2) - 0.5 * (self.log_variance + LOG_TWO_PI + 1)

    def kl(self) -> Tensor:
        """KL to the standard normal: summed over latents, mean over the batch, in nats."""
        return self.divergences().sum(dim=1).mean()

    def log_prob(self, z: Tensor) -> Tensor:
        """The log density of every coordinate, broadcast over ``z``, in nats."""
        return -0.5 * ((z - self.mean).square() * (-self.log_variance).exp() + self.log_variance + LOG_TWO_PI)

    def split(self, width: int) -> tuple[Gaussian, Gaussian]:
        """The first ``width`` coordinates, and the others."""
        return (
            Gaussian(self.mean[..., :width], self.log_variance[..., :width]),
            Gaussian(self.mean[..., width:], self.log_variance[..., width:]),
        )

    def halves(self) -> tuple[Gaussian, Gaussian]:
        """The first half of the batch, and the second."""
        means, variances = self.mean.chunk(2), self.log_variance.chunk(2)
        return Gaussian(means[0], variances[0]), Gaussian(means[1], variances[1])

    def unflatten(self, size: int) -> Gaussian:
        """The batch in groups of ``size``: ``(B, D)`` to ``(B / size, size, D)``."""
        return Gaussian(self.mean.unflatten(0, (-1, size)), self.log_variance.unflatten(0, (-1, size)))

    def prior(self) -> Gaussian:
        """The standard normal of the same shape, on the same device."""
        return Gaussian(torch.zeros_like(self.mean), torch.zeros_like(self.mean))
