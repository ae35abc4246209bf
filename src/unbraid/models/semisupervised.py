"""Any model of single images, with a few labels.

References:
    Locatello, Tschannen, Bauer, Rätsch, Schölkopf and Bachem, "Disentangling factors of variations using few labels",
    ICLR 2020, arXiv:1905.01258.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.model import Model, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.schedule import linear
from unbraid.types import Shape
from unbraid.view import Batch, LabelledBatch

__all__ = ["SemiSupervised"]

SUPERVISIONS = ("xent", "l2", "cov")


class SemiSupervised(Model):
    r"""Any model of single images whose first latents are told what the factors of a few images are.

    .. math:: \mathcal L = \mathcal L_{\text{model}}(x) + w_t\,\gamma\, R(\mu(x_{\text{lab}}), y)

    with latent i for factor i, :math:`\mu` the codes of the labelled images, :math:`y \in [0, 1]` their labels, in
    order, and R the mean over the labelled images of

    * ``xent``: :math:`\sum_i -y_i \log \sigma(\mu_i) - (1 - y_i) \log (1 - \sigma(\mu_i))`
    * ``l2``: :math:`\sum_i (\sigma(\mu_i) - y_i)^2`

    or, of their covariance matrix, ``cov``: :math:`\sum_{i \ne j} \operatorname{cov}(\mu_i, y_j)^2`, which asks that a
    latent tells of no other's factor, and not that it tells of its own. What the view does not say (``partial``) is not
    asked. Labels are divided by their number of values less one; the published code divides by the number.

    Args:
        shape: Channels, height, width of the images, as the model takes them.
        of: The model's name, one of those that see single images.
        of_options: Its options besides those below: ``"beta=16"``, JSON, or a mapping.
        latent_dim: How many latents, at least 1, and one for each labelled factor.
        gamma: The weight of the labels, at least 0.
        supervision: ``"xent"``, ``"l2"`` or ``"cov"``.
        wait: For how many steps labels are not looked at, at least 0: then they tune what was found without.
        anneal: Over how many further steps their weight rises linearly, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        UnknownName: When there is no such model.
        InvalidOption: When the model does not see single images, or an option is out of range.

    >>> SemiSupervised((1, 64, 64), of="betavae", of_options="beta=16").model.beta
    16
    """

    view = "labelled"
    timed = ("wait", "anneal")
    citation = """@inproceedings{locatello2020disentangling,
  author = {Locatello, Francesco and Tschannen, Michael and Bauer, Stefan and others},
  title = {Disentangling Factors of Variations Using Few Labels}, booktitle = {ICLR}, year = {2020}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        of: str = "betavae",
        of_options: str | registry.Options = "",
        latent_dim: int = 10,
        gamma: float = 10.0,
        supervision: Literal["xent", "l2", "cov"] = "xent",
        wait: int = 0,
        anneal: int = 0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__()
        require_at_least(0, gamma=gamma, wait=wait, anneal=anneal)
        if supervision not in SUPERVISIONS:
            raise InvalidOption(f"supervision must be one of {', '.join(SUPERVISIONS)}, but is {supervision!r}")
        registry.check("models", of)
        if (seen := registry.load("models", of).view) != "images":
            raise InvalidOption(f"of must be a model that sees single images, but {of} sees the world as {seen}")
        self.shape, self.of, self.latent_dim, self.gamma, self.supervision = shape, of, latent_dim, gamma, supervision
        self.wait, self.anneal, self.likelihood, self.network = wait, anneal, likelihood, network
        given = registry.plain(registry.mapping(of_options))
        self.of_options = of_options if isinstance(of_options, str) else given
        own = {"latent_dim": latent_dim, "likelihood": likelihood, "network": network}
        self.model: Model = registry.made("models", of, own | given, shape)

    def loss(self, batch: LabelledBatch, step: int, player: str = "") -> Terms:
        """The model's own terms, and for its first player that of the labels, in nats per image."""
        images = Batch(batch.x, batch.index, batch.population)
        players = list(self.model.players())
        terms = self.model.loss(images, step, *([player] if len(players) > 1 else []))
        if player in ("", players[0]):
            terms["labels"] = self.gamma * self.weight(step) * self.supervised(batch)
        return terms

    def weight(self, step: int) -> float:
        """How much labels count at a step: 0, then rising, then 1."""
        return 0.0 if step < self.wait else linear(step - self.wait, 0.0, 1.0, self.anneal)

    def supervised(self, batch: LabelledBatch) -> Tensor:
        """R: how badly the codes of the labelled images say what their labels do.

        Raises:
            InvalidData: When there are fewer latents than factors.
        """
        count = batch.labels.shape[1]
        if count > self.latent_dim:
            raise InvalidData(f"labels tell of {count} factors, but the model has {self.latent_dim} latents")
        mean = self.model.represent(batch.labelled)[:, :count]
        target = (batch.labels / (batch.sizes - 1).clamp(min=1)).clamp(min=0)
        if self.supervision == "cov":
            both = [(one - one.mean(dim=0)) * batch.known for one in (mean, target)]
            covariance = both[0].T @ both[1] / len(mean)
            return (covariance - covariance.diag().diag()).square().sum()
        if self.supervision == "xent":
            each = F.binary_cross_entropy_with_logits(mean, target, reduction="none")
        else:
            each = (mean.sigmoid() - target).square()
        return (each * batch.known).sum(dim=1).mean()

    def represent(self, x: Tensor) -> Tensor:
        """The model's own code, ``(B, latent_dim)``."""
        return self.model.represent(x)

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code: ``(B, latent_dim)`` to ``(B, C, H, W)`` in ``[0, 1]``."""
        return self.model.decode(z)

    def players(self) -> Mapping[str, list[nn.Parameter] | dict[str, Any] | list[dict[str, Any]]]:
        """Those of the model."""
        return self.model.players()

    def divergence(self, x: Tensor) -> Tensor | None:
        """How many nats each latent carries, ``(B, latent_dim)``, where the model can tell."""
        return self.model.divergence(x)

    def allowance(self, step: int) -> float | None:
        """How many nats the KL is held to at a step, where the model holds it to a number."""
        return self.model.allowance(step)
