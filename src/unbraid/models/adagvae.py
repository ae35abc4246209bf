"""The Ada-GVAE.

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020, arXiv:2002.02886.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unbraid.nn.aggregate import averaged
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.weak import PairedModel

__all__ = ["AdaGVAE"]


class AdaGVAE(PairedModel):
    r"""A VAE of pairs that averages the posteriors of the latents two images share, and finds which these are.

    .. math:: \tilde\mu_i = \tfrac12(\mu_{1,i} + \mu_{2,i}), \quad
              \tilde\sigma^2_i = \tfrac12(\sigma^2_{1,i} + \sigma^2_{2,i})
              \quad\text{where}\quad \delta_i < \tfrac12 (\min_j \delta_j + \max_j \delta_j)

    and :math:`\delta_i = \mathrm{KL}(q(z_i \mid x_1) \,\|\, q(z_i \mid x_2))`; the loss is the mean of two
    :math:`\beta`-VAEs' (:class:`unbraid.weak.PairedModel`). Pairs that differ in few factors leave only one way to be
    coded well, up to the order of the latents. Where the view tells which factors differ (``--view.known``) nothing is
    guessed: latent i stands for factor i, as in the paper's GVAE with labels; Shu et al. call this match pairing.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL, at least 0; the paper tries 1 to 16.
        k: How many latents differ in a pair, where that is known; 0 lets every pair decide.
        symmetric: Whether posteriors are compared by the mean of both KLs, not by that of the first to the second.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> AdaGVAE((1, 64, 64)).view
    'pairs'
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
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, beta=beta, k=k, symmetric=symmetric, likelihood=likelihood, network=network
        )

    def aggregate(self, q: Gaussian) -> Gaussian:
        """The mean of means and of variances, ``(B, G, D)`` to ``(B, D)``."""
        return averaged(q)
