"""The beta-TCVAE.

References:
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.aggregate import minibatch_stratified, minibatch_weighted
from unbraid.model import Terms, VariationalModel
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.schedule import linear
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["BetaTCVAE"]


class BetaTCVAE(VariationalModel):
    r"""A VAE that pays extra for total correlation: for latents that share what they say (eq. 4).

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + w_t\,\mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + (\beta - 1)\,\mathrm{KL}\Big(q(z) \,\Big\|\, \prod_j q(z_j)\Big)

    The paper takes the KL apart into mutual information, total correlation and dimension-wise KL, and weights the
    second by :math:`\beta`. Here the three are put together again, for their sum has a closed form, whose gradient has
    none of the noise of the parts. Only the extra total correlation is estimated, from the minibatch (section 4.1 and
    appendix C).

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the total correlation, at least 0; 6 is the paper's for dSprites.
        start: The weight of the KL at step 0, at least 0; it falls (or rises) linearly to 1. Far above 1 latents are
            switched on one after the other, the most telling first, which sets them apart early.
        anneal: Over how many steps it does so, at least 0; 0 (the paper) never.
        estimator: Of the aggregate posterior: ``"weighted"`` (the paper's) or ``"stratified"``.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> BetaTCVAE((1, 64, 64)).beta
    6.0
    """

    citation = """@inproceedings{chen2018isolating,
  author = {Chen, Ricky T. Q. and Li, Xuechen and Grosse, Roger and Duvenaud, David},
  title = {Isolating Sources of Disentanglement in Variational Autoencoders}, booktitle = {NeurIPS}, year = {2018}}"""
    timed = ("anneal",)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        # The steps are 50 passes over dSprites, as in the authors' code.
        "chen": {"beta": 6.0, "network": "dense", "steps": 18_000, "batch_size": 2048, "learning_rate": 1e-3},
        "locatello": {"beta": 6.0, "network": "locatello", "steps": 300_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        beta: float = 6.0,
        start: float = 1.0,
        anneal: int = 0,
        estimator: Literal["weighted", "stratified"] = "weighted",
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, start=start, anneal=anneal)
        if estimator not in ("weighted", "stratified"):
            raise InvalidOption(f"estimator must be weighted or stratified, but is {estimator!r}")
        self.beta, self.start, self.anneal, self.estimator = beta, start, anneal, estimator

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, KL and extra total correlation, in nats per image."""
        q = self.encode(batch.x)
        z = q.rsample()
        if self.estimator == "stratified" and min(len(z), batch.population) < 2:
            raise InvalidData(
                "the stratified estimator needs at least 2 images in the world and in a batch, "
                f"but has {batch.population} and {len(z)}: take estimator='weighted', or larger batches"
            )
        log_density = q.log_prob(z[:, None])
        if self.estimator == "weighted":
            log_qz, log_qz_j = minibatch_weighted(log_density)
        else:
            log_qz, log_qz_j = minibatch_stratified(log_density, batch.population)
        return Terms(
            reconstruction=self.nll(batch.x, z),
            kl=linear(step, self.start, 1.0, self.anneal) * q.kl(),
            total_correlation=(self.beta - 1) * (log_qz - log_qz_j.sum(dim=1)).mean(),
        )
