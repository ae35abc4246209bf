"""What a view is: a world seen as a stream of batches.

The batch at step t is a function of (world, view, seed, t) alone. The views themselves stand on a shelf,
:mod:`unbraid.views`; here is what they are, and what models see in each of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from unbraid import registry
from unbraid.errors import require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Integers
from unbraid.world import World, as_fractions

__all__ = [
    "Batch",
    "DomainBatch",
    "EnvironmentBatch",
    "GroupBatch",
    "LabelledBatch",
    "OrbitBatch",
    "PairBatch",
    "RankedBatch",
    "SceneBatch",
    "Seen",
    "View",
    "shown",
    "to_bytes",
    "to_float",
    "view",
]


class Seen:
    """What a model sees in one step, whatever the view: it has a length, and goes to a device whole.

    Attributes:
        x: Images in ``[0, 1]``, float32; the first axis is the batch, B.
        index: Their numbers in the world, int64.
        population: How many images the world holds; estimators of the aggregate posterior need it.
    """

    x: Tensor
    index: Tensor
    population: int

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]
        moved = {name: value.to(device, non_blocking=True) for name, value in held.items() if isinstance(value, Tensor)}
        return replace(self, **moved)  # type: ignore[type-var]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Batch(Seen):
    """Single images.

    Args:
        x: Images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        index: Their numbers in the world, int64 ``(B,)``.
        population: How many images the world holds; estimators of the aggregate posterior need it.
    """

    x: Tensor
    index: Tensor
    population: int


@dataclass(frozen=True)
class PairBatch(Seen):
    """Pairs of images that share some of their factors.

    Args:
        x: First images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        other: Second images, likewise.
        index: Numbers of the first images, int64 ``(B,)``.
        other_index: Numbers of the second images, likewise.
        population: How many images the world holds.
        differ: Which of the world's factors differ, bool ``(B, F)``; None where the model is not told.
    """

    x: Tensor
    other: Tensor
    index: Tensor
    other_index: Tensor
    population: int
    differ: Tensor | None


@dataclass(frozen=True)
class OrbitBatch(Seen):
    """Sequences of images, each made from the one before by an action.

    Args:
        x: Frames in ``[0, 1]``, float32 ``(B, T, C, H, W)``; T counts the frames that are shown.
        index: Their numbers in the world, int64 ``(B, T)``.
        actions: The actions in their order, int64 ``(B, L)`` in ``0 .. A - 1``; None where the model is not told.
            L is T - 1 where every frame is shown, and more where those between the first and the last are not.
        population: How many images the world holds.
    """

    x: Tensor
    index: Tensor
    actions: Tensor | None
    population: int


@dataclass(frozen=True)
class GroupBatch(Seen):
    """Groups of images of one class each.

    Args:
        x: Images in ``[0, 1]``, float32 ``(B, G, C, H, W)``; the G images of a row are of one class.
        index: Their numbers in the world, int64 ``(B, G)``.
        label: The class of each row, int64 ``(B,)``.
        population: How many images the world holds.
    """

    x: Tensor
    index: Tensor
    label: Tensor
    population: int


@dataclass(frozen=True)
class RankedBatch(Seen):
    """Pairs of unrelated images, and which of the two has more of each factor.

    Args:
        x: First images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        other: Second images, likewise.
        index: Numbers of the first images, int64 ``(B,)``.
        other_index: Numbers of the second images, likewise.
        order: 1 where the first image has more of a factor, -1 where the second has, 0 where they have the same;
            int8 ``(B, F')`` for the F' factors that are ranked.
        population: How many images the world holds.
    """

    x: Tensor
    other: Tensor
    index: Tensor
    other_index: Tensor
    order: Tensor
    population: int


@dataclass(frozen=True)
class LabelledBatch(Seen):
    """Single images, and beside them a few that come with labels.

    Args:
        x: Images without labels in ``[0, 1]``, float32 ``(B, C, H, W)``.
        index: Their numbers in the world, int64 ``(B,)``.
        population: How many images the world holds.
        labelled: Images with labels, float32 ``(L, C, H, W)``.
        labels: What is said of their factors, int64 ``(L, F)``, in ``0 .. sizes - 1``; -1 where nothing is said.
        known: Where something is said, bool ``(L, F)``.
        sizes: How many values each label can take, int64 ``(F,)``.
    """

    x: Tensor
    index: Tensor
    population: int
    labelled: Tensor
    labels: Tensor
    known: Tensor
    sizes: Tensor


@dataclass(frozen=True)
class DomainBatch(Seen):
    """Images of two domains; that two of them stand side by side means nothing.

    Args:
        x: Images of the first domain in ``[0, 1]``, float32 ``(B, C, H, W)``.
        other: Images of the second domain, likewise.
        index: Numbers of the first images, int64 ``(B,)``.
        other_index: Numbers of the second images in their own world, likewise.
        population: How many images the (first) world holds.
    """

    x: Tensor
    other: Tensor
    index: Tensor
    other_index: Tensor
    population: int


@dataclass(frozen=True)
class SceneBatch(Seen):
    """Single images, with what the world can tell of the objects in them; meant for evaluation.

    Args:
        x: Images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        index: Their numbers in the world, int64 ``(B,)``.
        population: How many images the world holds.
        masks: Where each object is seen, bool ``(B, N, H, W)``; None where the world cannot tell.
        count: How many objects there are, int64 ``(B,)``; None likewise.
    """

    x: Tensor
    index: Tensor
    population: int
    masks: Tensor | None
    count: Tensor | None


@dataclass(frozen=True)
class EnvironmentBatch(Seen):
    """Single images, all of one environment.

    Args:
        x: Images in ``[0, 1]``, float32 ``(B, C, H, W)``.
        index: Their numbers in the world, int64 ``(B,)``.
        population: How many images the world holds.
        environment: Which it is, int64 without axes; models that find out for themselves do not look.
    """

    x: Tensor
    index: Tensor
    population: int
    environment: Tensor


class View(ABC):
    """A world seen in one way, as an endless stream of batches that can be entered at any step.

    Args:
        world: The world.
        batch_size: Images (or pairs, sequences ...) in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    Attributes:
        name: What it is called on the shelf: its class's name in small letters.
    """

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()

    def __init__(self, world: World, *, batch_size: int = 64, seed: int = 0) -> None:
        require_at_least(1, batch_size=batch_size)
        require_at_least(0, seed=seed)
        self.world, self.batch_size, self.seed = world, batch_size, seed

    @abstractmethod
    def batch(self, step: int) -> Any:
        """The batch at this step, counted from 0; the same whenever and wherever it is asked for."""

    def generator(self, step: int) -> np.random.Generator:
        """The randomness of one step: a function of (view, seed, step) alone."""
        return numpy_generator(self.seed, self.name, step)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in registry.options(self).items())
        return f"{type(self).__name__}({type(self.world).__name__}, {options})"

    def show(self, index: Integers) -> Tensor:
        """The world's images with the given numbers, as :func:`shown`."""
        return shown(self.world, index)


def shown(world: World, index: Integers) -> Tensor:
    """The images with the given numbers, of whatever shape: ``(...)`` to float32 ``(..., C, H, W)``."""
    images = torch.from_numpy(world.fractions(index.reshape(-1)))
    return images if index.ndim == 1 else images.reshape(*index.shape, *world.shape)


def to_float(images: Bytes) -> Tensor:
    """Unsigned bytes to float32 in ``[0, 1]``, same shape."""
    return torch.from_numpy(as_fractions(images))


def to_bytes(images: Tensor) -> Bytes:
    """Images in ``[0, 1]`` to unsigned bytes on the CPU, same shape; what lies outside is cut off.

    >>> to_bytes(torch.tensor([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    """
    return (255 * images.float().clamp(0, 1)).round().to(torch.uint8).cpu().numpy()


def view(name: str) -> type[View]:
    """The view a model asks for by name.

    Raises:
        UnknownName: When there is none, with the nearest names.
    """
    found: type[View] = registry.load("views", name)
    return found
