"""The slot attention autoencoder.

References:
    Locatello, Weissenborn, Unterthiner, Mahendran, Heigold, Uszkoreit, Dosovitskiy and Kipf, "Object-centric learning
    with slot attention", NeurIPS 2020, arXiv:2006.15055.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.objects import owners
from unbraid.model import Terms
from unbraid.nn.coordinates import coordinates
from unbraid.nn.image import checked_images, halvings, initialise
from unbraid.nn.likelihood import gaussian_nll
from unbraid.nn.slots import SlotAttention as Attention
from unbraid.objects import Layers, ObjectModel
from unbraid.types import Shape
from unbraid.view import SceneBatch

__all__ = ["SlotAttention"]

BROADCAST = 8
"""Slots are drawn from a map of so many places a side."""
BRIGHT, LEAST = 0.25, 0.012
"""A slot stands for an object when more than so many of the image's pixels are its own and not dark."""
GRADIENTS = ("implicit", "full")


class SlotAttention(ObjectModel):
    r"""An autoencoder through slots that compete for the pixels of an image.

    .. math:: -\log p(x) \text{ of } \hat x = \sum_n m_n c_n, \qquad m = \operatorname{softmax}_{\text{slots}}(d(s)),
              \qquad s = \operatorname{attention}(f(x), s^0)

    Slots begin at learned means with noise about them, which breaks their symmetry; the same noise for all images
    when they are not trained on. Each is drawn by the same decoder from a map of copies of itself, and the masks are a
    softmax over slots, so that what no object covers must be some slot's too: a slot stands for an object when it owns
    pixels that are not dark.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        slots: How many there are, at least 1; one more than there may be objects.
        entity_dim: How many numbers a slot has, at least 1; 64 in the paper.
        iterations: How often slots change, at least 1.
        gradient: ``"implicit"``, of the last change only, which is steadier, or ``"full"`` (the paper).
        deviation: The standard deviation of pixels, above 0.
        channels: Of the convolutions, at least 1; 32 in the paper.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> SlotAttention((3, 32, 32), slots=4, entity_dim=16).represent(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 64])
    """

    citation = """@inproceedings{locatello2020object, author = {Locatello, Francesco and Weissenborn, Dirk and
  Unterthiner, Thomas and Mahendran, Aravindh and Heigold, Georg and Uszkoreit, Jakob and Dosovitskiy, Alexey and
  Kipf, Thomas}, title = {Object-Centric Learning with Slot Attention}, booktitle = {Advances in Neural Information
  Processing Systems}, year = {2020}}"""
    first: Tensor

    def __init__(
        self,
        shape: Shape,
        *,
        slots: int = 4,
        entity_dim: int = 32,
        iterations: int = 3,
        gradient: Literal["implicit", "full"] = "implicit",
        deviation: float = 0.1,
        channels: int = 16,
    ) -> None:
        halved = halvings(shape)
        require_at_least(1, slots=slots, entity_dim=entity_dim, iterations=iterations, channels=channels)
        if gradient not in GRADIENTS:
            raise InvalidOption(f"gradient must be one of {', '.join(GRADIENTS)}, but is {gradient!r}")
        if not 0 < deviation < math.inf:
            raise InvalidOption(f"deviation must be a finite number above 0, but is {deviation}")
        super().__init__(shape, slots=slots, entity_dim=entity_dim)
        self.iterations, self.gradient, self.deviation, self.channels = iterations, gradient, deviation, channels
        down: list[nn.Module] = []
        for i, stride in enumerate([2] * (halved - 2) + [1, 1]):
            down += [nn.Conv2d(channels if i else shape[0], channels, 5, stride, 2), nn.ReLU()]
        self.encoder = nn.Sequential(*down)
        self.place_seen, self.place_drawn = _place(channels), _place(entity_dim)
        self.feature = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, entity_dim), nn.ReLU(), nn.Linear(entity_dim, entity_dim)
        )
        self.attention = Attention(entity_dim, entity_dim, iterations, implicit=gradient == "implicit")
        self.mean, self.log_deviation = (nn.Parameter(torch.zeros(entity_dim)) for _ in range(2))
        up: list[nn.Module] = []
        for i in range(halved - 1):
            up += [nn.ConvTranspose2d(channels if i else entity_dim, channels, 5, 2, 2, 1), nn.ReLU()]
        self.decoder = nn.Sequential(*up, nn.Conv2d(channels, shape[0] + 1, 3, 1, 1))
        initialise(self.encoder)
        initialise(self.decoder)
        nn.init.normal_(self.mean, std=0.3)
        nn.init.constant_(self.log_deviation, -0.5)
        self.register_buffer("first", torch.randn(slots, entity_dim))

    def attend(self, x: Tensor, noise: Tensor) -> Tensor:
        """Slots that began with this noise, ``(B, slots, entity_dim)``."""
        seen = self.encoder(checked_images(x, self.shape))
        features = self.feature((seen + self.place_seen(_grid(seen))).flatten(2).transpose(1, 2))
        slots: Tensor = self.attention(features, self.mean + self.log_deviation.exp() * noise)
        return slots.float()

    def entities(self, x: Tensor) -> Tensor:
        """Slots, without chance: ``(B, slots, entity_dim)``."""
        return self.attend(x, self.first.expand(len(x), -1, -1))

    def layers(self, entities: Tensor) -> Layers:
        """What slots look like, ``(B, slots, entity_dim)``."""
        flat = entities.flatten(0, 1)[:, :, None, None].expand(-1, -1, BROADCAST, BROADCAST)
        drawn = self.decoder(flat + self.place_drawn(_grid(flat))).float().unflatten(0, entities.shape[:2])
        pictures, masks = torch.sigmoid(drawn[:, :, :-1]), drawn[:, :, -1].softmax(dim=1)
        bright = owners(masks) & (pictures.amax(dim=2) > BRIGHT)
        return Layers(pictures, masks, bright.float().mean(dim=(2, 3)) > LEAST)

    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        """The pictures weighted by the masks, which are shared anew among slots that are kept; ``(B, C, H, W)``."""
        masks = layers.masks * kept[:, :, None, None]
        masks = masks / masks.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return (layers.pictures * masks[:, :, None]).sum(dim=1)

    def loss(self, batch: SceneBatch, step: int) -> Terms:
        """Reconstruction."""
        noise = torch.randn(len(batch.x), self.slots, self.entity_dim, device=batch.x.device)
        layers = self.layers(self.attend(batch.x, noise))
        image = self.compose(layers, torch.ones_like(layers.present))
        return Terms(reconstruction=gaussian_nll(batch.x, image, self.deviation).mean())


def _grid(maps: Tensor) -> Tensor:
    """Across and down, and both from the other side, in 0 .. 1: ``(1, 4, H, W)``."""
    near = (coordinates(maps.shape[2], maps.shape[3]).to(maps) + 1) / 2
    return torch.cat([near, 1 - near])[None]


def _place(channels: int) -> Any:
    return nn.Conv2d(4, channels, 1)
