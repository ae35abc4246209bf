"""The autoencoder.

References:
    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313, 2006.
"""

from __future__ import annotations

from torch import Tensor

from unbraid.model import AutoencodingModel, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["AE"]


class AE(AutoencodingModel):
    r"""A deterministic code and nothing that shapes it: the baseline a VAE is seen against.

    .. math:: \mathcal L = -\log p(x \mid z), \qquad z = f(x)

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> AE((1, 32, 32), latent_dim=2).latent_dim
    2
    """

    citation = """@article{hinton2006reducing, author = {Hinton, Geoffrey E. and Salakhutdinov, Ruslan R.},
  title = {Reducing the Dimensionality of Data with Neural Networks}, journal = {Science},
  volume = {313}, year = {2006}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=1)

    def represent(self, x: Tensor) -> Tensor:
        """The code, ``(B, latent_dim)``."""
        code: Tensor = self.encoder(x)
        return code.float()

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, in nats per image."""
        return Terms(reconstruction=self.nll(batch.x, self.represent(batch.x)))
