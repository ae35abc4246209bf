"""Information Dropout: a classifier whose layers learn how noisy they can be.

References:
    Achille and Soatto, "Information dropout: learning optimal representations through noisy computation", PAMI 2018,
    arXiv:1611.01353.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from unbraid.errors import InvalidData, require_at_least
from unbraid.model import AutoencodingModel, Terms
from unbraid.nn.image import ImageEncoder, halvings
from unbraid.nn.informationdropout import InformationConv2d, InformationLinear, NoisePrior, divergence, noise
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch

__all__ = ["InformationDropout"]

CHANNELS = 32


class InformationDropout(AutoencodingModel):
    r"""A classifier that pays for what its layers tell, so that they tell of the class and of little else.

    .. math:: \mathcal L = H_{p,q}(y \mid z) + \beta \sum_l \mathrm{KL}(p(z_l \mid x) \,\|\, q(z_l))

    over convolutions of stride 2 and a last linear layer with learned multiplicative noise
    (:mod:`unbraid.nn.informationdropout`); the code is the last layer's answer without noise. A sum over thousands of
    units is paid for, hence so small a price. A decoder looks on: it learns to draw images from codes, which do not
    feel it, and shows what they keep. Published networks are deeper and norm by the batch; this one has a code.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 1.
        beta: :math:`\beta`, the price of a nat, at least 0.
        classes: How many classes there may be, at least 2.
        prior: ``"log-uniform"`` for rectified units, ``"log-normal"`` for softplus units.
        max_noise: The strength of the greatest noise, at least 0.01.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: Of the decoder: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or
            ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> list(InformationDropout((1, 32, 32), beta=1e-4).players())
    ['model', 'decoder']
    """

    view = "classes"
    citation = """@article{achille2018information, author = {Achille, Alessandro and Soatto, Stefano}, title =
  {Information Dropout: Learning Optimal Representations Through Noisy Computation}, journal = {IEEE Transactions on
  Pattern Analysis and Machine Intelligence}, volume = {40}, number = {12}, pages = {2897--2905}, year = {2018}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 32,
        beta: float = 1e-5,
        classes: int = 10,
        prior: NoisePrior = "log-uniform",
        max_noise: float = 0.7,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=1)
        require_at_least(0, beta=beta)
        require_at_least(2, classes=classes)
        self.beta, self.classes, self.prior, self.max_noise = beta, classes, prior, max_noise
        options: dict[str, Any] = {"prior": prior, "max_noise": max_noise}
        layers: list[nn.Module] = [
            InformationConv2d(CHANNELS if i else shape[0], CHANNELS, 4, stride=2, **options)
            for i in range(halvings(shape))
        ]
        layers += [nn.Flatten(), InformationLinear(CHANNELS * 16, latent_dim, **options)]
        # In place of the network's own: only its decoder is asked for.
        self.encoder = ImageEncoder(shape, *layers)
        self.classifier = nn.Linear(latent_dim, classes)

    def loss(self, batch: GroupBatch, step: int, player: str = "model") -> Terms:
        """Of the model: cross-entropy and the price of information; of the decoder: reconstruction; in nats per image.

        Raises:
            InvalidData: When there are more classes than the model knows.
        """
        x = batch.x.flatten(0, 1)
        if player == "decoder":
            return Terms(onlooking=self.nll(x, self.represent(x).detach()))
        if batch.label.max() >= self.classes:
            raise InvalidData(
                f"the world has a class {int(batch.label.max())}, but the model knows {self.classes}: give more classes"
            )
        logits = self.classifier(self.encoder(x))
        surprise = F.cross_entropy(logits.float(), batch.label.repeat_interleave(batch.x.shape[1]))
        return Terms(surprise=surprise, information=self.beta * divergence(self.encoder).mean())

    def represent(self, x: Tensor) -> Tensor:
        """The last layer's answer without noise, ``(B, latent_dim)``."""
        with noise(self.encoder, on=False):
            code: Tensor = self.encoder(x)
        return code

    def classify(self, x: Tensor) -> Tensor:
        """The logits of every class, by the code without noise: ``(B, C, H, W)`` to ``(B, classes)``."""
        logits: Tensor = self.classifier(self.represent(x))
        return logits

    def players(self) -> dict[str, list[nn.Parameter]]:
        """The classifier, then the decoder that looks on."""
        model = [*self.encoder.parameters(), *self.classifier.parameters()]
        return {"model": model, "decoder": [*self.decoder.parameters(), *self.observation.parameters()]}
