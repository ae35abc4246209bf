"""The autoencoder that swaps class codes.

References:
    Szabó, Hu, Portenier, Zwicker and Favaro, "Challenges in disentangling independent factors of variation", 2018,
    arXiv:1711.02245, which names the shortcut.
"""

from __future__ import annotations

import torch

from unbraid.model import Terms
from unbraid.nn.gaussian import LOWEST, Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch
from unbraid.weak import ContentModel

__all__ = ["SwapAE"]


class SwapAE(ContentModel):
    r"""Two images of a class swap their class codes and are still themselves, and nothing more is asked.

    .. math:: \mathcal L = \tfrac12 \big(-\log p(x_1 \mid s_2, z_1) - \log p(x_2 \mid s_1, z_2)\big)

    Nothing keeps the style z from saying everything, and the decoder from ignoring the class code s. This is the
    shortcut that :class:`~unbraid.models.cyclevae.CycleVAE` and others are made to avoid; here it can be seen.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> SwapAE((1, 32, 32), latent_dim=16).contents
    8
    """

    citation = """@misc{szabo2018challenges,
  author = {Szab{\'o}, Attila and Hu, Qiyang and Portenier, Tiziano and Zwicker, Matthias and Favaro, Paolo},
  title = {Challenges in Disentangling Independent Factors of Variation}, eprint = {1711.02245},
  archiveprefix = {arXiv}, year = {2018}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        likelihood: LikelihoodName = "gaussian",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, content_dim=content_dim, likelihood=likelihood, network=network)

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, Gaussian]:
        """The class code ``(B, contents)``, and the style, of which nothing is uncertain."""
        content, style = super().encode(x)
        return content, Gaussian(style.mean, torch.full_like(style.mean, LOWEST))

    def loss(self, batch: GroupBatch, step: int) -> Terms:
        """Reconstruction, in nats per image."""
        x = torch.cat([batch.x[:, 0], batch.x[:, -1]])
        content, style = self.encode(x)
        return Terms(reconstruction=self.nll(x, torch.cat([content.roll(len(batch), dims=0), style.mean], dim=1)))
