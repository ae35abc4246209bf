"""The SlowVAE.

References:
    Klindt, Schott, Sharma, Ustyuzhaninov, Brendel, Bethge and Paiton, "Towards nonlinear disentanglement in natural
    data with temporal sparse coding", ICLR 2021, arXiv:2007.10930.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import PairBatch

__all__ = ["SlowVAE"]


class SlowVAE(VariationalModel):
    r"""A VAE of pairs that expects most latents to stay where they were, and a few to jump.

    .. math:: \mathcal L = \tfrac12 \sum_{n} \Big(-\mathbb E \log p(x_n \mid z)
              + \tfrac\beta2\,\mathrm{KL}(q(z \mid x_n) \,\|\, N(0, I))
              + \gamma\,\mathrm{KL}\big(q(z \mid x_n) \,\|\, \mathrm{Laplace}(\mu_{n'}, 1 / \lambda)\big)\Big)

    with :math:`\mu_{n'}` the posterior mean of the other image: each is taken once for the first of the two, whose
    prior is normal, and once for the second. A Laplace prior, unlike a normal one, tells a direction from its
    neighbours, so that no k and no mask is needed. It is made for pairs in which every factor may move a little
    (``--view.protocol lap``). The published code subtracts half of the entropy that the second KL has; here it is the
    KL.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL to the normal distribution, at least 0.
        gamma: The weight of the KL to the Laplace distribution, at least 0.
        rate: :math:`\lambda`, above 0: the larger, the less latents should move.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> SlowVAE((1, 64, 64)).rate
    6.0
    """

    view = "pairs"
    citation = """@inproceedings{klindt2021towards, author = {Klindt, David and Schott, Lukas and others},
  title = {Towards Nonlinear Disentanglement in Natural Data with Temporal Sparse Coding}, booktitle = {ICLR},
  year = {2021}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "klindt": {"beta": 1.0, "gamma": 10.0, "rate": 6.0, "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        beta: float = 1.0,
        gamma: float = 10.0,
        rate: float = 6.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, gamma=gamma, rate=rate)
        if rate == 0:
            raise InvalidOption("rate must be above 0, but is 0")
        self.beta, self.gamma, self.rate = beta, gamma, rate

    def loss(self, batch: PairBatch, step: int) -> Terms:
        """Reconstruction and both weighted KLs, in nats per image."""
        x = torch.cat([batch.x, batch.other])
        q = self.encode(x)
        # The first half of the batch stands beside the second, so that half a turn gives everyone its partner.
        moved = q.divergences_from_laplace(q.mean.roll(len(batch), dims=0), self.rate)
        return Terms(
            reconstruction=self.nll(x, q.rsample()),
            kl=0.5 * self.beta * q.kl(),
            moved=self.gamma * moved.sum(dim=1).mean(),
        )
