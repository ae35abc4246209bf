"""The annealed VAE: a beta-VAE of controlled capacity.

References:
    Burgess et al., "Understanding disentangling in beta-VAE", 2018, arXiv:1804.03599, eq. 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unbraid.errors import require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.schedule import linear
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["AnnealedVAE"]


class AnnealedVAE(VariationalModel):
    r"""A VAE told how many nats to carry, ever more: latents are switched on one by one, the most telling first.

    .. math:: \mathcal L = -\mathbb E_{q(z \mid x)} \log p(x \mid z)
              + \gamma\,\big| \mathbb E_x \mathrm{KL}(q(z \mid x) \,\|\, p(z)) - C_t \big|

    The capacity :math:`C_t` rises linearly from 0. It is the mean KL that is held to it: some images may carry more
    than others, which the mean of every image's distance, found in other code, forbids.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        gamma: How firmly the KL is held, at least 0; 1000 is the paper's, for 64x64 images.
        capacity: What C comes to in the end, in nats, at least 0; 25 is the paper's for dSprites.
        anneal: In how many steps it does so, at least 0; 0 at once.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> AnnealedVAE((1, 64, 64)).capacity
    25.0
    """

    citation = """@article{burgess2018understanding,
  author = {Burgess, Christopher P. and Higgins, Irina and Pal, Arka and Matthey, Loic and Watters, Nick
            and Desjardins, Guillaume and Lerchner, Alexander},
  title = {Understanding Disentangling in beta-{VAE}}, journal = {arXiv:1804.03599}, year = {2018}}"""
    timed = ("anneal",)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "burgess": {
            "gamma": 1000.0,
            "capacity": 25.0,
            "anneal": 100_000,
            "steps": 1_000_000,
            "batch_size": 64,
            "learning_rate": 5e-4,
        },
        "locatello": {
            "gamma": 1000.0,
            "capacity": 25.0,
            "anneal": 100_000,
            "network": "locatello",
            "steps": 300_000,
            "batch_size": 64,
            "learning_rate": 1e-4,
        },
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        gamma: float = 1000.0,
        capacity: float = 25.0,
        anneal: int = 100_000,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, gamma=gamma, capacity=capacity, anneal=anneal)
        self.gamma, self.capacity, self.anneal = gamma, capacity, anneal

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, and how far the KL is from the capacity of this step, in nats per image."""
        q = self.encode(batch.x)
        excess = q.kl() - self.allowance(step)
        return Terms(reconstruction=self.nll(batch.x, q.rsample()), capacity=self.gamma * excess.abs())

    def allowance(self, step: int) -> float:
        """The capacity at a step, in nats."""
        return linear(step, 0.0, self.capacity, self.anneal)
