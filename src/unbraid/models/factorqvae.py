"""The FactorQVAE.

References:
    Baykal et al., "Disentanglement with factor quantized variational autoencoders", Neurocomputing 2025,
    arXiv:2409.14851.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import require_at_least
from unbraid.model import QuantisedModel, Terms
from unbraid.nn.critic import Critic, permuted
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.quantise import nearest_value
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["FactorQVAE"]


class FactorQVAE(QuantisedModel):
    r"""Every latent takes a random value of one learned codebook, and a critic sees that latents are independent.

    With the encoder's answer c and a codebook of V values :math:`e_k`, shared by all latents, the posterior is
    :math:`q(k_j \mid x) \propto \exp(-(c_j - e_k)^2)`, and

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \frac P2 \Big(
              \beta\,\frac1D \sum_j \mathrm{KL}\big(q(k_j \mid x) \,\big\|\, \tfrac1V\big)
              + \gamma\, \mathbb E_{q(k)} \log \frac{D(k)}{1 - D(k)} \Big)

    Samples are relaxed: :math:`k_j` is a mixture of values (Gumbel-softmax) through which gradients pass, and z their
    mean. Codes outside training take the nearest value. The critic learns to tell mixtures from mixtures whose latents
    were permuted over the batch, as that of :mod:`~unbraid.models.factorvae`. The paper weighs against a squared error
    that is a mean over pixels, and so do the options here: P counts the pixels of an image in all channels.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        values: V, how many values the codebook has, at least 2; they start standard normal.
        beta: The weight of the KL, at least 0.
        gamma: The weight of the total correlation, at least 0.
        temperature: Of the relaxed samples, above 0: towards 0 they are single values, and gradients noise.
        critic_width: Of the critic's hidden layers, at least 1.
        critic_depth: How many hidden layers it has, at least 1.
        critic_rate: Its learning rate, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> FactorQVAE((1, 32, 32), critic_width=200).codebook.shape
    torch.Size([64])
    """

    citation = """@article{baykal2025disentanglement,
  author = {Baykal, Gulcin and Kandemir, Melih and Unal, Gozde},
  title = {Disentanglement with Factor Quantized Variational Autoencoders},
  journal = {Neurocomputing}, year = {2025}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "baykal": {
            "latent_dim": 12,
            "likelihood": "gaussian",
            "network": "residual",
            "learning_rate": 1e-3,
            "batch_size": 256,
            "steps": 100_000,
        }
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        values: int = 64,
        beta: float = 1e-3,
        gamma: float = 1e-4,
        temperature: float = 1.0,
        critic_width: int = 1000,
        critic_depth: int = 5,
        critic_rate: float = 1e-3,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(2, values=values)
        require_at_least(0, beta=beta, gamma=gamma, critic_rate=critic_rate)
        require_at_least(1e-3, temperature=temperature)
        require_at_least(1, critic_width=critic_width, critic_depth=critic_depth)
        self.values, self.beta, self.gamma, self.temperature = values, beta, gamma, temperature
        self.critic_width, self.critic_depth, self.critic_rate = critic_width, critic_depth, critic_rate
        self.codebook = nn.Parameter(torch.randn(values))
        self.critic = Critic(latent_dim * values, width=critic_width, depth=critic_depth)

    def quantise(self, code: Tensor) -> Tensor:
        """The nearest value of the codebook, ``(B, latent_dim)``."""
        return nearest_value(code, self.codebook.expand(self.latent_dim, -1))

    def logits(self, x: Tensor) -> Tensor:
        """The posterior over values, up to a constant: minus the squared distances, ``(B, latent_dim, values)``."""
        return -(self.encode(x)[:, :, None] - self.codebook).square()

    def divergence(self, x: Tensor) -> Tensor:
        """KL(q(k_j|x) || uniform) of every latent, ``(B, latent_dim)``, in nats."""
        return self._divergence(self.logits(x))

    def _divergence(self, logits: Tensor) -> Tensor:
        log_posterior = logits.log_softmax(dim=2)
        # Rounding may leave a hair less than nothing.
        return ((log_posterior.exp() * log_posterior).sum(dim=2) + math.log(self.values)).clamp(min=0)

    def loss(self, batch: Batch, step: int, player: str = "model") -> Terms:
        """Of the model: reconstruction, KL and total correlation; of the critic: how badly it tells; in nats."""
        if player == "critic":
            with torch.no_grad():
                logits = self.logits(batch.x)
                p, r = (F.gumbel_softmax(logits, self.temperature) for _ in range(2))
            return Terms(critic=self.critic.loss(p.flatten(1), permuted(r).flatten(1)))
        logits = self.logits(batch.x)
        mixture = F.gumbel_softmax(logits, self.temperature)
        weight = math.prod(self.shape) / 2
        return Terms(
            reconstruction=self.nll(batch.x, mixture @ self.codebook),
            kl=self.beta * weight * self._divergence(logits).mean(),
            total_correlation=self.gamma * weight * self.critic.log_ratio(mixture.flatten(1)).mean(),
        )

    def players(self) -> dict[str, list[nn.Parameter] | dict[str, Any]]:
        """The model, who moves everything else, then the critic, who has a learning rate of its own."""
        critic = list(self.critic.parameters())
        its = set(map(id, critic))
        model = [p for p in self.parameters() if id(p) not in its]
        return {"model": model, "critic": {"params": critic, "lr": self.critic_rate}}
