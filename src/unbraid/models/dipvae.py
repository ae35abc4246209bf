"""The DIP-VAE.

References:
    Kumar, Sattigeri and Balakrishnan, "Variational inference of disentangled latent concepts from unlabeled
    observations", ICLR 2018, arXiv:1711.00848.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["DIPVAE"]


class DIPVAE(VariationalModel):
    r"""A VAE whose codes must have the covariance of the prior: latents may not go up and down together (eq. 6 and 7).

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \lambda_{od} \sum_{i \ne j} S_{ij}^2 + \lambda_d \sum_i (S_{ii} - 1)^2

    In variant I, S is the covariance of the posterior means; in variant II that of the codes,
    :math:`\mathrm{Cov}\,\mu + \mathbb E \operatorname{diag} e^{v}`: only its diagonal is greater.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        variant: ``"i"`` (the means) or ``"ii"`` (the codes).
        off_diagonal: :math:`\lambda_{od}`, the weight of covariances, at least 0.
        diagonal: :math:`\lambda_d`, the weight of variances, at least 0; ten times the other in variant I, and as much
            in variant II (the preset ``kumar2``).
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> DIPVAE((1, 64, 64)).variant
    'i'
    """

    citation = """@inproceedings{kumar2018variational,
  author = {Kumar, Abhishek and Sattigeri, Prasanna and Balakrishnan, Avinash},
  title = {Variational Inference of Disentangled Latent Concepts from Unlabeled Observations},
  booktitle = {ICLR}, year = {2018}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "kumar": {"variant": "i", "off_diagonal": 10.0, "diagonal": 100.0},
        "kumar2": {"variant": "ii", "off_diagonal": 10.0, "diagonal": 10.0},
        "locatello": {
            "off_diagonal": 10.0,
            "diagonal": 100.0,
            "network": "locatello",
            "steps": 300_000,
            "batch_size": 64,
            "learning_rate": 1e-4,
        },
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        variant: Literal["i", "ii"] = "i",
        off_diagonal: float = 10.0,
        diagonal: float = 100.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, off_diagonal=off_diagonal, diagonal=diagonal)
        if variant not in ("i", "ii"):
            raise InvalidOption(f"variant must be i or ii, but is {variant!r}")
        self.variant, self.off_diagonal, self.diagonal = variant, off_diagonal, diagonal

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction and KL, in nats per image, and how far the covariance is from the identity."""
        q = self.encode(batch.x)
        covariance = self._covariance(q)
        variances = covariance.diagonal()
        shared = covariance.square().sum() - variances.square().sum()
        return Terms(
            reconstruction=self.nll(batch.x, q.rsample()),
            kl=q.kl(),
            covariance=self.off_diagonal * shared + self.diagonal * (variances - 1).square().sum(),
        )

    def _covariance(self, q: Gaussian) -> Tensor:
        """S, ``(D, D)``, with 1/B rather than 1/(B - 1): a batch of one has a covariance of zero, not none."""
        centred = q.mean - q.mean.mean(dim=0)
        # Not a matrix product, which autocast would compute in half precision.
        covariance = (centred[:, :, None] * centred[:, None, :]).mean(dim=0)
        return covariance if self.variant == "i" else covariance + q.log_variance.exp().mean(dim=0).diag()
