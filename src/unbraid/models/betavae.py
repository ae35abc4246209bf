"""The beta-VAE.

References:
    Higgins et al., "beta-VAE: learning basic visual concepts with a constrained variational framework", ICLR 2017.
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

__all__ = ["BetaVAE"]


class BetaVAE(VariationalModel):
    r"""A VAE whose KL term is weighted: above 1, latents pay more for what they carry, and share less of it.

    .. math:: \mathcal L = -\mathbb E_{q(z \mid x)} \log p(x \mid z) + w_t\,\beta\,\mathrm{KL}(q(z \mid x) \,\|\, p(z))

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight, at least 0; 4 is the paper's for dSprites.
        start: The weight at step 0 as a multiple of ``beta``, at least 0; it falls (or rises) linearly to 1. Far above
            1 latents are switched on one after the other, the most telling first, which sets them apart early.
        anneal: Over how many steps it does so, at least 0; 0 (the paper) never.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> BetaVAE((1, 64, 64), beta=4.0).beta
    4.0
    """

    citation = """@inproceedings{higgins2017beta, author = {Higgins, Irina and Matthey, Loic and Pal, Arka and others},
  title = {beta-{VAE}: Learning Basic Visual Concepts with a Constrained Variational Framework},
  booktitle = {ICLR}, year = {2017}}"""
    timed = ("anneal",)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        # Without the learning rate, which the paper gives for Adagrad.
        "higgins": {"beta": 4.0, "network": "dense", "steps": 300_000, "batch_size": 64},
        "locatello": {"beta": 4.0, "network": "locatello", "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        beta: float = 4.0,
        start: float = 1.0,
        anneal: int = 0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, start=start, anneal=anneal)
        self.beta, self.start, self.anneal = beta, start, anneal

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction and weighted KL, in nats per image."""
        q = self.encode(batch.x)
        weight = self.beta * linear(step, self.start, 1.0, self.anneal)
        return Terms(reconstruction=self.nll(batch.x, q.rsample()), kl=weight * q.kl())
