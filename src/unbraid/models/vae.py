"""The variational autoencoder.

References:
    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, arXiv:1312.6114.
    Rezende, Mohamed and Wierstra, "Stochastic backpropagation", ICML 2014, arXiv:1401.4082.
"""

from __future__ import annotations

from unbraid.model import Terms, VariationalModel
from unbraid.view import Batch

__all__ = ["VAE"]


class VAE(VariationalModel):
    r"""The evidence lower bound, as it stands.

    .. math:: \mathcal L = -\mathbb E_{q(z \mid x)} \log p(x \mid z) + \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> VAE((1, 32, 32), latent_dim=2).latent_dim
    2
    """

    citation = """@inproceedings{kingma2014auto, author = {Kingma, Diederik P. and Welling, Max},
  title = {Auto-Encoding Variational {Bayes}}, booktitle = {ICLR}, year = {2014}}"""

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction and KL, in nats per image."""
        q = self.encode(batch.x)
        return Terms(reconstruction=self.nll(batch.x, q.rsample()), kl=q.kl())
