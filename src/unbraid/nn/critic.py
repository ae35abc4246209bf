"""A critic that tells codes from codes whose latents have been made independent.

References:
    Kim and Mnih, "Disentangling by factorising", ICML 2018, arXiv:1802.05983, algorithms 1 and 2 and appendix A.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from unbraid.nn.image import initialise

__all__ = ["Critic", "permuted"]


def permuted(z: Tensor) -> Tensor:
    """Every latent in an order of its own: from samples of q(z) to samples of the product of its marginals.

    Args:
        z: ``(B, D)``, or ``(B, D, ...)`` where a latent is more than a number.

    >>> torch.equal(permuted(torch.ones(3, 2)), torch.ones(3, 2))
    True
    """
    order = torch.rand(z.shape[:2], device=z.device).argsort(dim=0)
    return z.take_along_dim(order.reshape(*order.shape, *[1] * (z.ndim - 2)), dim=0)


class Critic(nn.Sequential):
    r"""Layers with leaky rectifiers (slope 0.2), then two logits: is a code from :math:`p`, or from :math:`r`?

    Well trained, the difference of its logits is :math:`\log p(z) / r(z)`.

    Args:
        inputs: How many numbers a code has.
        width: Of each hidden layer.
        depth: How many hidden layers.
    """

    def __init__(self, inputs: int, *, width: int, depth: int) -> None:
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(width if i else inputs, width), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Linear(width, 2))
        initialise(self)

    def log_ratio(self, z: Tensor) -> Tensor:
        """Its estimate of log p(z) / r(z), ``(B,)`` in nats: z feels a gradient of it, the critic's weights do not."""
        frozen = {name: parameter.detach() for name, parameter in self.named_parameters()}
        logits: Tensor = functional_call(self, frozen, z)
        return logits[:, 0].float() - logits[:, 1].float()

    def loss(self, p: Tensor, r: Tensor) -> Tensor:
        """How badly it tells samples of p from as many of r, in nats: log 2 for a guess, 0 at best.

        The critic's weights feel a gradient of it, what drew the samples does not.
        """
        logits = self(torch.cat((p, r)).detach()).float()
        origin = torch.arange(2, device=logits.device).repeat_interleave(len(p))
        return F.cross_entropy(logits, origin)
