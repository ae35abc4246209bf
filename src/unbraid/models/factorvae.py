"""The FactorVAE.

References:
    Kim and Mnih, "Disentangling by factorising", ICML 2018, arXiv:1802.05983.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from unbraid.errors import require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.critic import Critic, permuted
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["FactorVAE"]


class FactorVAE(VariationalModel):
    r"""A VAE that pays for total correlation, as a critic judges it who learns beside it (eq. 2 and 3).

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \gamma\, \mathbb E_{q(z)} \log \frac{D(z)}{1 - D(z)}

    The critic D learns to tell codes from codes whose latents were permuted over the batch, each by itself; its odds
    are then the density ratio of which the total correlation is the mean. It takes its turn after the model, on fresh
    samples of the posteriors as they are then. The paper permutes codes of a second batch; here they are second samples
    of the same images, which asks for no further images and has the same mean. Neither player's loss leaves a gradient
    in the other's parameters, as it does where codes are not detached.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        gamma: The weight of the total correlation, at least 0; 35 is the paper's for dSprites.
        critic_width: Of the critic's hidden layers, at least 1; the paper's 1000 make a step on 64x64 images half as
            long again on a CPU, 200 a tenth.
        critic_depth: How many hidden layers it has, at least 1.
        critic_rate: Its learning rate, at least 0; Adam forgets with 0.5 and 0.9 (appendix A).
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> list(FactorVAE((1, 64, 64), critic_width=200).players())
    ['model', 'critic']
    """

    citation = """@inproceedings{kim2018disentangling, author = {Kim, Hyunjik and Mnih, Andriy},
  title = {Disentangling by Factorising}, booktitle = {ICML}, year = {2018}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "kim": {"gamma": 35.0, "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
        "locatello": {"gamma": 40.0, "network": "locatello", "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        gamma: float = 35.0,
        critic_width: int = 1000,
        critic_depth: int = 6,
        critic_rate: float = 1e-4,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, gamma=gamma, critic_rate=critic_rate)
        require_at_least(1, critic_width=critic_width, critic_depth=critic_depth)
        self.gamma, self.critic_rate = gamma, critic_rate
        self.critic_width, self.critic_depth = critic_width, critic_depth
        self.critic = Critic(latent_dim, width=critic_width, depth=critic_depth)

    def loss(self, batch: Batch, step: int, player: str = "model") -> Terms:
        """Of the model: reconstruction, KL and total correlation; of the critic: how badly it tells; in nats."""
        if player == "critic":
            with torch.no_grad():
                q = self.encode(batch.x)
            return Terms(critic=self.critic.loss(q.rsample(), permuted(q.rsample())))
        q = self.encode(batch.x)
        z = q.rsample()
        return Terms(
            reconstruction=self.nll(batch.x, z),
            kl=q.kl(),
            total_correlation=self.gamma * self.critic.log_ratio(z).mean(),
        )

    def players(self) -> dict[str, list[nn.Parameter] | dict[str, Any]]:
        """The model, who moves encoder and decoder, then the critic, who has an optimiser's settings of its own."""
        critic = {"params": list(self.critic.parameters()), "lr": self.critic_rate, "betas": (0.5, 0.9)}
        vae = (self.encoder, self.decoder, self.observation)
        return {"model": [p for part in vae for p in part.parameters()], "critic": critic}
