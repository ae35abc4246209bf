"""What models share that take an image apart into objects: entities, their layers, and how layers make an image.

As in :mod:`unbraid.model`, a class is either abstract (here) or final (on the shelf).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unbraid.model import Model
from unbraid.nn.image import checked_codes, checked_images
from unbraid.types import Shape

__all__ = ["Layers", "ObjectModel"]


@dataclass(frozen=True)
class Layers:
    """What each of N entities contributes to an image.

    Args:
        pictures: Each by itself, ``(B, N, C, H, W)`` in 0 .. 1; what of it is seen, its mask says.
        masks: How much of each pixel it would cover or own, ``(B, N, H, W)`` in 0 .. 1.
        present: Which entities stand for an object, bool ``(B, N)``.
        windows: Where it was looked, left, top, width and height in parts of the image, ``(B, N, 4)``; None for models
            that look everywhere.
    """

    pictures: Tensor
    masks: Tensor
    present: Tensor
    windows: Tensor | None = None


class ObjectModel(Model):
    """Finds up to ``slots`` entities in an image, each with a code of its own; a code of the image is all of theirs.

    Args:
        shape: Channels, height, width of the images.
        slots: How many entities there may be, at least 1.
        entity_dim: How many numbers the code of one has.

    Attributes:
        slots: How many entities there may be.
        entity_dim: How many numbers the code of one has.
    """

    view: ClassVar[str] = "scenes"

    def __init__(self, shape: Shape, *, slots: int, entity_dim: int) -> None:
        super().__init__()
        self.shape, self.slots, self.entity_dim = shape, slots, entity_dim
        self.latent_dim = slots * entity_dim

    @abstractmethod
    def entities(self, x: Tensor) -> Tensor:
        """The code of every entity, without chance: ``(B, C, H, W)`` to ``(B, slots, entity_dim)``."""

    @abstractmethod
    def layers(self, entities: Tensor) -> Layers:
        """What entities look like, ``(B, slots, entity_dim)``."""

    @abstractmethod
    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        """The image that some of the layers make, ``(B, C, H, W)`` in 0 .. 1.

        Args:
            layers: Of all entities.
            kept: Which of them are drawn, bool ``(B, slots)``.
        """

    def alone(self, layers: Layers) -> Tensor:
        """Each entity by itself on black, ``(B, slots, C, H, W)`` in 0 .. 1."""
        return layers.pictures * layers.masks[:, :, None]

    def represent(self, x: Tensor) -> Tensor:
        """The codes of all entities, one after the other, ``(B, slots * entity_dim)``.

        Raises:
            InvalidData: When the images have another shape, or are not floating-point numbers.
        """
        return self.entities(checked_images(x, self.shape)).flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """The image of all entities, ``(B, slots * entity_dim)`` to ``(B, C, H, W)`` in 0 .. 1.

        Raises:
            InvalidData: When the codes have another shape.
        """
        entities = checked_codes(z, self.latent_dim).float().unflatten(1, (self.slots, self.entity_dim))
        kept = torch.ones(entities.shape[:2], dtype=torch.bool, device=z.device)
        return self.compose(self.layers(entities), kept).float().clamp(0, 1)
