"""LORD: latent optimisation for disentanglement.

References:
    Gabbay and Hoshen, "Demystifying inter-class disentanglement", ICLR 2020, arXiv:1906.11796.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unbraid.errors import InvalidData, require_at_least
from unbraid.model import Terms
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch
from unbraid.weak import ContentModel

__all__ = ["LORD"]

TINY = 1e-6
"""What no noise is taken for, where its logarithm is asked for."""
STRIDE = 10.0
"""Codes are this many times their parameters: Adam moves every parameter by about the learning rate, and a code, which
is moved once a pass through the world, would hardly leave its place."""


class LORD(ContentModel):
    r"""One code for every class and one for every image, learned as they are; encoders learn them from images beside.

    .. math:: \mathcal L = -\log p\big(x_i \mid e_{y_i},\, c_i + \epsilon_i\big) + \lambda\,\|c_i\|^2,
              \qquad \epsilon_i \sim N(0, \sigma^2 I)

    with :math:`e_y` the code of a class, shared by all of its images, and :math:`c_i` the style of one image, to which
    noise is added so that little can be said in it. An encoder that is learned with the decoder has the class in its
    style from the start and must lose it; codes that are not encoded never had it. The encoders,

    .. math:: \mathcal E = -\log p(x_i \mid \hat e(x_i), \hat c(x_i))
              + \kappa\,\big(\|\hat e(x_i) - e_{y_i}\|^2 + \|\hat c(x_i) - c_i\|^2\big),

    take their turn after each step, while the paper trains them when all codes are known; codes and decoder do not see
    what they do. The decoder has no part in it here, and the loss is pixel-wise rather than perceptual.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        images: How many images the world may have, at least 1; each has a code.
        classes: How many classes it may have, at least 1.
        noise: :math:`\sigma`, at least 0.
        style_decay: :math:`\lambda`, at least 0.
        match: :math:`\kappa`, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> list(LORD((1, 32, 32), images=100, classes=10).players())
    ['model', 'encoder']
    """

    citation = """@inproceedings{gabbay2020demystifying, author = {Gabbay, Aviv and Hoshen, Yedid},
  title = {Demystifying Inter-Class Disentanglement}, booktitle = {ICLR}, year = {2020}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        images: int = 16_384,
        classes: int = 64,
        noise: float = 1.0,
        style_decay: float = 0.001,
        match: float = 10.0,
        likelihood: LikelihoodName = "gaussian",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, content_dim=content_dim, likelihood=likelihood, network=network)
        require_at_least(1, images=images, classes=classes)
        require_at_least(0, noise=noise, style_decay=style_decay, match=match)
        self.images, self.classes, self.noise, self.style_decay, self.match = images, classes, noise, style_decay, match
        self.class_codes = nn.Parameter(torch.randn(classes, self.contents) / STRIDE)
        self.style_codes = nn.Parameter(torch.randn(images, latent_dim - self.contents) / STRIDE)

    def encode(self, x: Tensor) -> tuple[Tensor, Gaussian]:
        """The class code ``(B, contents)``, and the style with the noise that is added to it."""
        content, style = super().encode(x)
        return content, Gaussian(style.mean, torch.full_like(style.mean, 2 * math.log(self.noise or TINY)))

    def codes(self, batch: GroupBatch) -> tuple[Tensor, Tensor]:
        """The codes of the classes and of the images of a batch, ``(B * G, ...)``.

        Raises:
            InvalidData: When the world has more images or classes than there are codes.
        """
        if batch.population > self.images or batch.label.max() >= self.classes:
            raise InvalidData(
                f"the world has {batch.population:,} images and a class {int(batch.label.max())}, but there are codes "
                f"for {self.images:,} images and {self.classes} classes: take a smaller world, or give more"
            )
        label = batch.label.repeat_interleave(batch.x.shape[1])
        return STRIDE * self.class_codes[label], STRIDE * self.style_codes[batch.index.flatten()]

    def loss(self, batch: GroupBatch, step: int, player: str = "model") -> Terms:
        """Of the model: reconstruction from codes, and their size; of the encoder: how far it is from them; in nats."""
        x, (content, style) = batch.x.flatten(0, 1), self.codes(batch)
        if player == "encoder":
            seen, q = self.encode(x)
            frozen = {name: parameter.detach() for name, parameter in self.decoder.named_parameters()}
            output = functional_call(self.decoder, frozen, torch.cat([seen, q.mean], dim=1))
            apart = (seen - content.detach()).square().sum(dim=1) + (q.mean - style.detach()).square().sum(dim=1)
            return Terms(encoded=self.observation.nll(x, output), match=self.match * apart.mean())
        noisy = style + self.noise * torch.randn_like(style)
        return Terms(
            reconstruction=self.nll(x, torch.cat([content, noisy], dim=1)),
            decay=self.style_decay * style.square().sum(dim=1).mean(),
        )

    def players(self) -> dict[str, list[nn.Parameter]]:
        """Codes and decoder, then the encoder."""
        encoder = list(self.encoder.parameters())
        codes = [self.class_codes, self.style_codes]
        return {"model": [*self.decoder.parameters(), *self.observation.parameters(), *codes], "encoder": encoder}
