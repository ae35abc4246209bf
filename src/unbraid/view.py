"""What a view is: a world seen as a stream of batches.

The batch at step t is a function of (world, view, seed, t) alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import UnknownName, require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Bytes
from unbraid.world import World

__all__ = ["Batch", "Images", "View", "to_float", "view"]


@dataclass(frozen=True)
class Batch:
    """What a model sees in one step.

    Args:
        x: Images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        index: Their numbers in the world, int64 ``(B,)``.
        population: How many images the world holds; estimators of the aggregate posterior need it.
    """

    x: Tensor
    index: Tensor
    population: int

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(self.x.to(device, non_blocking=True), self.index.to(device, non_blocking=True), self.population)

    def __len__(self) -> int:
        return len(self.x)


class View(ABC):
    """A world seen in one way, as an endless stream of batches that can be entered at any step.

    Args:
        world: The world.
        batch_size: Images (or pairs, sequences ...) in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.

    Raises:
        InvalidOption: When an option is out of range.
    """

    name: ClassVar[str]

    def __init__(self, world: World, *, batch_size: int = 64, seed: int = 0) -> None:
        require_at_least(1, batch_size=batch_size)
        require_at_least(0, seed=seed)
        self.world, self.batch_size, self.seed = world, batch_size, seed

    @abstractmethod
    def batch(self, step: int) -> Any:
        """The batch at this step, counted from 0; the same whenever and wherever it is asked for."""


class Images(View):
    """Single images, drawn with replacement as the world has them."""

    name = "images"

    def batch(self, step: int) -> Batch:
        """``batch_size`` images of the world, as a :class:`Batch`."""
        generator = numpy_generator(self.seed, self.name, step)
        index = self.world.sample(self.batch_size, generator)
        return Batch(to_float(self.world.images(index)), torch.from_numpy(index), len(self.world))


def to_float(images: Bytes) -> Tensor:
    """Unsigned bytes to float32 in ``[0, 1]``, same shape."""
    return torch.from_numpy(np.ascontiguousarray(images)).float().div_(255.0)


def view(name: str) -> type[View]:
    """The view a model asks for by name.

    Raises:
        UnknownName: When there is none.
    """
    known = {cls.name: cls for cls in View.__subclasses__()}
    if name not in known:
        raise UnknownName("view", name, known)
    return known[name]
