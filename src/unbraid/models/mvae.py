"""MVAE: a VAE whose latent is a set of entities, found where the posterior says most.

References:
    Nash, Eslami, Burgess, Higgins, Zoran, Weber and Battaglia, "The multi-entity variational autoencoder", NIPS
    workshop on learning disentangled features, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.objects import owners
from unbraid.model import Terms
from unbraid.nn.coordinates import coordinates, with_coordinates
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.image import checked_images, halvings, initialise
from unbraid.nn.likelihood import gaussian_nll
from unbraid.nn.places import at, peaks
from unbraid.nn.renderer import CanvasRenderer, WindowRenderer
from unbraid.nn.schedule import linear
from unbraid.nn.window import framed
from unbraid.objects import Layers, ObjectModel
from unbraid.types import Shape
from unbraid.view import SceneBatch

__all__ = ["MVAE"]

RENDERERS: Mapping[str, type[CanvasRenderer] | type[WindowRenderer]] = {
    "window": WindowRenderer,
    "canvas": CanvasRenderer,
}
CELLS = 8
"""The posterior is a map of so many places a side."""
LEAST = 0.012
"""An entity that owns no more than this part of the image stands for no object: twelve pixels of 32 x 32."""


class MVAE(ObjectModel):
    r"""A VAE of several entities, each drawn by the same decoder, without order.

    .. math:: \log p(x) \ge \mathbb E \log p\Big(x \,\Big|\, \frac{\sum_n \alpha(z_n)\, c(z_n)}
              {\max(1, \sum_n \alpha(z_n))}\Big) - \beta \sum_n \mathrm{KL}(q(z_n \mid x) \,\|\, p(z))

    The encoder puts out a posterior for each place of a map. Where there is something to be told its KL is high: the
    entities are the ``slots`` places with the highest, none next to another, or objects would be taken twice. The
    decoder makes of each a colour c and a mask :math:`\alpha` of every pixel. How places are
    chosen and entities joined may differ from the paper.

    The paper's decoder draws on the whole canvas, and has to learn what it is to be elsewhere. By default it draws in a
    window here, of which three latents are the middle and the size, and a posterior begins at its own place; places are
    then chosen by the KL of the other latents, since the middle's says no more than how far out a place is.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        slots: How many entities there are, 1 to 9; more than there may be objects.
        entity_dim: How many latents an entity has, at least 1; 4 in windows.
        beta: The weight of the KL, at least 0.
        warmup: Over how many steps it rises from 0, at least 0.
        deviation: The standard deviation of pixels, above 0.
        renderer: ``"window"``, or ``"canvas"`` (the paper).
        channels: Of the first convolution, at least 1; later ones have twice as many.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> MVAE((3, 32, 32), slots=4, entity_dim=8).represent(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 32])
    """

    citation = """@inproceedings{nash2017multi, author = {Nash, Charlie and Eslami, S. M. Ali and Burgess, Chris and
  Higgins, Irina and Zoran, Daniel and Weber, Theophane and Battaglia, Peter}, title = {The Multi-Entity Variational
  Autoencoder}, booktitle = {NIPS Workshop on Learning Disentangled Features}, year = {2017}}"""
    decoder: CanvasRenderer | WindowRenderer
    timed: ClassVar[tuple[str, ...]] = ("warmup",)

    def __init__(
        self,
        shape: Shape,
        *,
        slots: int = 4,
        entity_dim: int = 8,
        beta: float = 1.0,
        warmup: int = 1000,
        deviation: float = 0.1,
        renderer: Literal["window", "canvas"] = "window",
        channels: int = 16,
    ) -> None:
        halved = halvings(shape)
        if renderer not in RENDERERS:
            raise InvalidOption(f"renderer must be one of {', '.join(RENDERERS)}, but is {renderer!r}")
        require_at_least(1, slots=slots, channels=channels)
        require_at_least(4 if renderer == "window" else 1, entity_dim=entity_dim)
        require_at_least(0, beta=beta, warmup=warmup)
        if slots > (CELLS // 2 - 1) ** 2:
            raise InvalidOption(f"slots must be at most {(CELLS // 2 - 1) ** 2}, but is {slots}: more places touch")
        if not 0 < deviation < math.inf:
            raise InvalidOption(f"deviation must be a finite number above 0, but is {deviation}")
        super().__init__(shape, slots=slots, entity_dim=entity_dim)
        self.beta, self.warmup, self.deviation = beta, warmup, deviation
        self.renderer, self.channels = renderer, channels
        seen = [shape[0] + 2, channels, *[2 * channels] * (halved - 2)]
        down = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2), nn.ReLU()) for a, b in pairwise(seen)]
        last = nn.Conv2d(seen[-1], 2 * entity_dim, 3, 1, 1)
        self.encoder = nn.Sequential(*down, nn.Conv2d(seen[-1], seen[-1], 3, 1, 1), nn.ReLU(), last)
        initialise(self)
        with torch.no_grad():  # posteriors begin near the prior
            last.weight.mul_(0.1)
        self.decoder = RENDERERS[renderer](entity_dim, shape, channels)

    def posterior(self, x: Tensor) -> Gaussian:
        """Of every entity, the one with most to tell first: ``(B, slots, entity_dim)``."""
        # In half precision other places would be chosen.
        with torch.autocast(x.device.type, enabled=False):
            mean, log_variance = self.encoder(with_coordinates(checked_images(x, self.shape))).chunk(2, dim=1)
            nats = Gaussian(mean, log_variance).divergences()
            if self.renderer == "window":
                own = torch.atanh(coordinates(CELLS, CELLS).to(x) * (1 - 1 / CELLS))
                mean, nats = mean + F.pad(own, (0, 0, 0, 0, 0, self.entity_dim - 2)), nats[:, 2:]
        places = peaks(nats.sum(dim=1), self.slots)
        return Gaussian(at(mean, places), at(log_variance, places))

    def entities(self, x: Tensor) -> Tensor:
        """The posterior's means, ``(B, slots, entity_dim)``."""
        return self.posterior(x).mean

    def layers(self, entities: Tensor) -> Layers:
        """What entities look like, ``(B, slots, entity_dim)``."""
        drawn = self.decoder(entities.flatten(0, 1)).unflatten(0, entities.shape[:2])
        masks = drawn[:, :, -1]
        present = (owners(masks) & (masks > 0.5)).float().mean(dim=(2, 3)) > LEAST
        if isinstance(self.decoder, CanvasRenderer):
            return Layers(drawn[:, :, :-1], masks, present)
        window = self.decoder.window(entities.flatten(0, 1)).unflatten(0, entities.shape[:2])
        return Layers(drawn[:, :, :-1], masks, present, framed(window))

    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        """The mean of colours, weighted by masks, on black: ``(B, C, H, W)``."""
        masks = (layers.masks * kept[:, :, None, None])[:, :, None]
        return (layers.pictures * masks).sum(dim=1) / masks.sum(dim=1).clamp(min=1)

    def loss(self, batch: SceneBatch, step: int) -> Terms:
        """Reconstruction, and the weighted KL of the entities that were taken."""
        q = self.posterior(batch.x)
        layers = self.layers(q.rsample())
        image = self.compose(layers, torch.ones_like(layers.present))
        kl = linear(step, 0.0, self.beta, self.warmup) * q.divergences().sum(dim=(1, 2))
        return Terms(reconstruction=gaussian_nll(batch.x, image, self.deviation).mean(), kl=kl.mean())

    def divergence(self, x: Tensor) -> Tensor:
        """KL(q(z_nj|x) || p) of every number of the code, ``(B, latent_dim)``, in nats."""
        return self.posterior(x).divergences().flatten(1)
