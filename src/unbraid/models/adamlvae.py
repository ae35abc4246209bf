"""The Ada-ML-VAE.

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020, arXiv:2002.02886.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unbraid.nn.aggregate import multiplied
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.weak import PairedModel

__all__ = ["AdaMLVAE"]


class AdaMLVAE(PairedModel):
    r"""A VAE of pairs that multiplies the posteriors of the latents two images share, and finds which these are.

    .. math:: \tilde\sigma_i^{-2} = c\,(\sigma_{1,i}^{-2} + \sigma_{2,i}^{-2}), \quad
              \tilde\mu_i = \frac{\mu_{1,i} \sigma_{1,i}^{-2} + \mu_{2,i} \sigma_{2,i}^{-2}}
              {\sigma_{1,i}^{-2} + \sigma_{2,i}^{-2}}
              \quad\text{where}\quad \delta_i < \tfrac12 (\min_j \delta_j + \max_j \delta_j)

    with c = 1/2 (harmonic) or 1 (the product itself, which halves the variance of two equal posteriors); the rest is as
    in :class:`~unbraid.models.adagvae.AdaGVAE`. The paper writes the product, its published code the harmonic mean.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL, at least 0; the paper tries 1 to 16.
        k: How many latents differ in a pair, where that is known; 0 lets every pair decide.
        symmetric: Whether posteriors are compared by the mean of both KLs, not by that of the first to the second.
        harmonic: Whether the variance is the harmonic mean, rather than the product's.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> AdaMLVAE((1, 64, 64), k=1).k
    1
    """

    citation = """@inproceedings{locatello2020weakly, author = {Locatello, Francesco and Poole, Ben and others},
  title = {Weakly-Supervised Disentanglement Without Compromises}, booktitle = {ICML}, year = {2020}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "locatello": {"beta": 1.0, "network": "locatello", "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        beta: float = 1.0,
        k: int = 0,
        symmetric: bool = False,
        harmonic: bool = True,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, beta=beta, k=k, symmetric=symmetric, likelihood=likelihood, network=network
        )
        self.harmonic = harmonic

    def aggregate(self, q: Gaussian) -> Gaussian:
        """The product, or the Gaussian of its mean and G times its variance, ``(B, G, D)`` to ``(B, D)``."""
        return multiplied(q, harmonic=self.harmonic)
