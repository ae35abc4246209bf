"""The slow-feature VAE: codes of images that follow each other are near, and nothing is known of actions.

References:
    Wiskott and Sejnowski, "Slow feature analysis: unsupervised learning of invariances", Neural Computation 2002.
"""

from __future__ import annotations

from unbraid.acting import SequenceModel
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["SlowFeatureVAE"]


class SlowFeatureVAE(SequenceModel):
    r"""A VAE whose codes change little from one frame to the next, whatever was done in between.

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \gamma\, \| z - \mu(x') \|^2

    The slowest functions on a product of circles are the cosine and sine of each, so that actions act on these codes
    nearly linearly though none was ever shown: this is the control to which models of actions are to be compared. The
    scale of the codes is held as in :class:`~unbraid.acting.SequenceModel`, and the weights count likewise.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL for images of 4096 numbers, at least 0.
        gamma: The weight of slowness, likewise.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> SlowFeatureVAE((1, 32, 32)).latent_dim
    4
    """

    citation = """@article{wiskott2002slow, author = {Wiskott, Laurenz and Sejnowski, Terrence J.},
  title = {Slow Feature Analysis: Unsupervised Learning of Invariances}, journal = {Neural Computation},
  year = {2002}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 4,
        beta: float = 1.0,
        gamma: float = 10.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, beta=beta, gamma=gamma, likelihood=likelihood, network=network)

    def loss(self, batch: OrbitBatch, step: int) -> Terms:
        """Reconstruction, KL and slowness, in nats per image."""
        terms, mean, z = self.bound(batch)
        terms["slowness"] = self.gamma * self.scale * (z[:, :-1] - mean[:, 1:]).square().sum(dim=2).mean()
        return terms
