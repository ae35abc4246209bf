"""A VAE of ranked pairs.

References:
    Shu, Chen, Kumar, Ermon and Poole, "Weakly supervised disentanglement with guarantees", ICLR 2020, arXiv:1910.09772.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unbraid.errors import InvalidData, require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import RankedBatch

__all__ = ["RankVAE"]


class RankVAE(VariationalModel):
    r"""A VAE that is told of two images which has more of each factor, and orders its first latents so.

    .. math:: \mathcal L = \tfrac12 \sum_n \Big(-\mathbb E \log p(x_n \mid z)
              + \beta\,\mathrm{KL}(q(z \mid x_n) \,\|\, p(z))\Big)
              + \gamma \sum_f \log\big(1 + e^{-y_f (\mu_{1,f} - \mu_{2,f})}\big)

    over the factors f that are ranked, in the order of the view, with :math:`y_f = \pm 1` the order; where it is 0
    nothing is asked. The paper learns a generator against a critic that sees triples :math:`(x_1, x_2, y)`; here the
    same supervision teaches an encoder. It guarantees that a latent is consistent with its factor, not that it knows
    nothing else.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1, and one for each ranked factor.
        beta: The weight of the KL, at least 0.
        gamma: The weight of the order, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> RankVAE((1, 64, 64)).view
    'ranked'
    """

    view = "ranked"
    citation = """@inproceedings{shu2020weakly, author = {Shu, Rui and Chen, Yining and Kumar, Abhishek and others},
  title = {Weakly Supervised Disentanglement with Guarantees}, booktitle = {ICLR}, year = {2020}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        beta: float = 1.0,
        gamma: float = 10.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, gamma=gamma)
        self.beta, self.gamma = beta, gamma

    def loss(self, batch: RankedBatch, step: int) -> Terms:
        """Reconstruction, weighted KL and how badly pairs are ordered, in nats per image or pair."""
        ranked = batch.order.shape[1]
        if ranked > self.latent_dim:
            raise InvalidData(f"pairs are ranked by {ranked} factors, but the model has {self.latent_dim} latents")
        x = torch.cat([batch.x, batch.other])
        q = self.encode(x)
        first, second = q.mean[:, :ranked].chunk(2)
        wrong = F.softplus(-batch.order * (first - second)) * (batch.order != 0)
        return Terms(
            reconstruction=self.nll(x, q.rsample()),
            kl=self.beta * q.kl(),
            order=self.gamma * wrong.sum(dim=1).mean(),
        )
