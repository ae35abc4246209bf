"""The multi-level VAE.

References:
    Bouchacourt, Tomioka and Nowozin, "Multi-level variational autoencoder", AAAI 2018, arXiv:1705.08841.
"""

from __future__ import annotations

from unbraid.nn.aggregate import multiplied
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.weak import GroupedModel

__all__ = ["MLVAE"]


class MLVAE(GroupedModel):
    r"""A VAE of groups whose images are evidence for one class code, while each keeps a style of its own.

    .. math:: q(c \mid x_1 \dots x_G) \propto \prod_n q(c \mid x_n), \quad
              \sigma^{-2} = \sum_n \sigma_n^{-2}, \quad \mu = \sigma^2 \sum_n \mu_n \sigma_n^{-2}

    The loss is that of :class:`unbraid.weak.GroupedModel`: it is divided by images, and not by images times pixels,
    which its first author names as the reason why others could not repeat her results.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        beta: The weight of both KLs, at least 0.
        harmonic: Whether the variance is the harmonic mean of the images', rather than the product's, which shrinks as
            a group grows.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> MLVAE((1, 64, 64), latent_dim=16, content_dim=4).contents
    4
    """

    citation = """@inproceedings{bouchacourt2018multi,
  author = {Bouchacourt, Diane and Tomioka, Ryota and Nowozin, Sebastian},
  title = {Multi-Level Variational Autoencoder: Learning Disentangled Representations from Grouped Observations},
  booktitle = {AAAI}, year = {2018}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        beta: float = 1.0,
        harmonic: bool = False,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, content_dim=content_dim, beta=beta, likelihood=likelihood, network=network
        )
        self.harmonic = harmonic

    def aggregate(self, q: Gaussian) -> Gaussian:
        """The product, or the Gaussian of its mean and G times its variance, ``(B, G, D)`` to ``(B, D)``."""
        return multiplied(q, harmonic=self.harmonic)
