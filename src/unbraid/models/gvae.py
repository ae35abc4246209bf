"""The GVAE.

References:
    Hosoya, "Group-based learning of disentangled representations with generalizability for novel contents", IJCAI 2019,
    arXiv:1809.02383.
"""

from __future__ import annotations

from unbraid.nn.aggregate import averaged
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.weak import GroupedModel

__all__ = ["GVAE"]


class GVAE(GroupedModel):
    r"""A VAE of groups whose class code is the average over the group, while each image keeps a style of its own.

    .. math:: q(c \mid x_1 \dots x_G) = \mathcal N\Big(\frac1G \sum_n \mu_n, \frac1G \sum_n \sigma^2_n\Big)

    The loss is that of :class:`unbraid.weak.GroupedModel`. Where pairs tell which single factors they share, rather
    than a class, see :class:`~unbraid.models.adagvae.AdaGVAE`.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        beta: The weight of both KLs, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> GVAE((1, 64, 64), latent_dim=16).contents
    8
    """

    citation = """@inproceedings{hosoya2019group, author = {Hosoya, Haruo},
  title = {Group-based Learning of Disentangled Representations with Generalizability for Novel Contents},
  booktitle = {IJCAI}, year = {2019}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        beta: float = 1.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, content_dim=content_dim, beta=beta, likelihood=likelihood, network=network
        )

    def aggregate(self, q: Gaussian) -> Gaussian:
        """The mean of means and of variances, ``(B, G, D)`` to ``(B, D)``."""
        return averaged(q)
