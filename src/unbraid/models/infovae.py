"""The InfoVAE.

References:
    Zhao, Song and Ermon, "InfoVAE: balancing learning and inference in variational autoencoders", AAAI 2019,
    arXiv:1706.02262.
"""

from __future__ import annotations

import math

import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.discrepancy import KERNELS, KernelName, mean_discrepancy
from unbraid.model import Terms, VariationalModel
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["InfoVAE"]


class InfoVAE(VariationalModel):
    r"""A VAE that pays less for what a code says of its image, and more where all codes together are not the prior.

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + (1 - \alpha)\,\mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + (\alpha + \lambda - 1)\,\mathrm{MMD}^2(q(z), p(z))

    With :math:`\alpha = 1` the KL is gone (the MMD-VAE); with :math:`\lambda = 1 - \alpha` the discrepancy is, and a
    beta-VAE remains, which is the VAE at :math:`\alpha = 0`.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        alpha: How much of the KL is forgiven, at most 1.
        discrepancy: :math:`\lambda`, at least 1 - alpha. The discrepancy is below 2, whatever the image's size: a
            weight of the reconstruction's order, in nats, makes it felt.
        kernel: ``"rbf"`` (the paper's) or ``"imq"``; both of the scale 2D of the prior, where the authors' code
            has D squared.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> InfoVAE((1, 64, 64)).discrepancy
    1000.0
    """

    citation = """@inproceedings{zhao2019infovae, author = {Zhao, Shengjia and Song, Jiaming and Ermon, Stefano},
  title = {Info{VAE}: Balancing Learning and Inference in Variational Autoencoders},
  booktitle = {AAAI}, year = {2019}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        alpha: float = 0.0,
        discrepancy: float = 1000.0,
        kernel: KernelName = "rbf",
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        if not math.isfinite(alpha) or alpha > 1:
            raise InvalidOption(f"alpha must be a finite number of at most 1, but is {alpha}")
        require_at_least(1 - alpha, discrepancy=discrepancy)
        if kernel not in KERNELS:
            raise InvalidOption(f"kernel must be one of {', '.join(KERNELS)}, but is {kernel!r}")
        self.alpha, self.discrepancy, self.kernel = alpha, discrepancy, kernel

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction and KL, in nats per image, and the discrepancy of all codes from as many of the prior."""
        q = self.encode(batch.x)
        z = q.rsample()
        distance = mean_discrepancy(z, torch.randn_like(z), kernel=self.kernel)
        return Terms(
            reconstruction=self.nll(batch.x, z),
            kl=(1 - self.alpha) * q.kl(),
            discrepancy=(self.alpha + self.discrepancy - 1) * distance,
        )
