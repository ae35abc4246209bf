"""The VAE whose swapped images must fool a critic of classes.

References:
    Mathieu, Zhao, Sprechmann, Ramesh and LeCun, "Disentangling factors of variation in deep representations using
    adversarial training", NeurIPS 2016, arXiv:1611.03383.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from unbraid.errors import InvalidData, require_at_least
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch
from unbraid.weak import ContentModel

__all__ = ["AdversarialVAE"]


class AdversarialVAE(ContentModel):
    r"""An image is itself with another's class code of its class; with one of another class a critic must believe it.

    .. math:: \mathcal L = -\tfrac12 \mathbb E \big(\log p(x_1 \mid s_1, z_1) + \log p(x_1 \mid s_2, z_1)\big)
              + \beta\,\mathrm{KL}(q(z_1 \mid x_1) \,\|\, N(0, I))
              + \tfrac\gamma2 \big(\zeta(-C_y(D(s_y, z_1))) + \zeta(-C_y(D(s_y, z)))\big)

    with :math:`s_y` the class code of an image of another class y, :math:`z \sim N(0, I)`, and
    :math:`\zeta(t) = \log(1 + e^t)`. The critic :math:`C_y` tells real images of class y from decoded ones; nobody else
    is told which class is which.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        beta: The weight of the KL, at least 0.
        gamma: The weight of the critic, at least 0, in nats per image.
        classes: How many classes the world may have, at least 1.
        critic_rate: The critic's learning rate, at least 0; Adam forgets with 0.5 and 0.9.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> list(AdversarialVAE((1, 32, 32)).players())
    ['model', 'critic']
    """

    citation = """@inproceedings{mathieu2016disentangling,
  author = {Mathieu, Michael F. and Zhao, Junbo Jake and Sprechmann, Pablo and Ramesh, Aditya and LeCun, Yann},
  title = {Disentangling Factors of Variation in Deep Representations Using Adversarial Training},
  booktitle = {NeurIPS}, year = {2016}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        beta: float = 0.75,
        gamma: float = 1.0,
        classes: int = 64,
        critic_rate: float = 1e-4,
        likelihood: LikelihoodName = "gaussian",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, content_dim=content_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, gamma=gamma, critic_rate=critic_rate)
        require_at_least(1, classes=classes)
        self.beta, self.gamma, self.classes, self.critic_rate = beta, gamma, classes, critic_rate
        self.critic = NETWORKS[network].encoder(shape, classes)

    def loss(self, batch: GroupBatch, step: int, player: str = "model") -> Terms:
        """Of the model: reconstruction, KL and the critic's disbelief; of the critic: how badly it tells; in nats."""
        if batch.label.max() >= self.classes:
            raise InvalidData(
                f"the world has a class {int(batch.label.max())}, but classes is {self.classes}: give more"
            )
        x, other = batch.x[:, 0], batch.label.roll(1, dims=0)
        if player == "critic":
            with torch.no_grad():
                content, style = self.encode(x)
                fake = self._swapped(content, style.rsample())
            real = _of(self.critic(x), batch.label)
            false = _of(self.critic(fake), other.repeat(2))
            return Terms(critic=0.5 * (F.softplus(-real).mean() + F.softplus(false).mean()))
        content, style = self.encode(torch.cat([x, batch.x[:, -1]]))
        mine, partner = content.chunk(2)
        own, _ = style.halves()
        z = own.rsample()
        codes = torch.cat([torch.cat([mine, partner]), z.repeat(2, 1)], dim=1)
        frozen = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
        believed = _of(functional_call(self.critic, frozen, self._swapped(mine, z)), other.repeat(2))
        return Terms(
            reconstruction=self.nll(x.repeat(2, 1, 1, 1), codes),
            kl=self.beta * own.kl(),
            adversary=self.gamma * F.softplus(-believed).mean(),
        )

    def players(self) -> dict[str, list[nn.Parameter] | dict[str, Any]]:
        """The model, who moves encoder and decoder, then the critic, who has an optimiser's settings of its own."""
        critic = {"params": list(self.critic.parameters()), "lr": self.critic_rate, "betas": (0.5, 0.9)}
        parts = (self.encoder, self.decoder, self.observation)
        return {"model": [p for part in parts for p in part.parameters()], "critic": critic}

    def _swapped(self, content: Tensor, z: Tensor) -> Tensor:
        """Images of another's class code with these styles, then with styles that are drawn."""
        styles = torch.cat([z, torch.randn_like(z)])
        return self.decode(torch.cat([content.roll(1, dims=0).repeat(2, 1), styles], dim=1))


def _of(logits: Tensor, label: Tensor) -> Tensor:
    """The logit of each image's class, ``(B,)``."""
    return logits.float().gather(1, label[:, None])[:, 0]
