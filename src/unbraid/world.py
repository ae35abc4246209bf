"""What a world is: factors, and the images they draw.

A world is asked for whole batches by index. Whether it draws them on demand or reads them from a file cannot be seen
from outside. Pairs, splits and orders are views of a world (:mod:`unbraid.view`), not worlds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unbraid import registry
from unbraid.errors import InvalidData
from unbraid.types import Bytes, FactorSpace, Integers, Shape, within

__all__ = ["ALIKE", "INDEXED", "LabelledWorld", "World", "as_fractions", "drawn"]

INDEXED = ("masks", "count", "content", "slots")
"""What some worlds can tell of images by their numbers, and of the same images wherever they are shown."""
ALIKE = ("relevant", "identity", "pose", "shared", "styles")
"""What some worlds can tell of their factors."""

DRAWS = 20
"""How often a world that draws in its own way is asked for images that are not drawn yet."""
SMALL = 1 << 22
"""How many pixels collected images have at most for them to be kept as fractions too: 16 MB."""
AT_ONCE = 500
"""How many images are drawn at once where they are kept."""


def as_fractions(images: Bytes) -> npt.NDArray[np.float32]:
    """Unsigned bytes to float32 in ``[0, 1]``, same shape.

    >>> as_fractions(np.array([0, 255], dtype=np.uint8)).tolist()
    [0.0, 1.0]
    """
    # In one pass, which takes half the time of a copy that is then divided.
    return np.divide(images, np.float32(255), dtype=np.float32, order="C")


class World(ABC):
    """Images and the factors that made them, numbered ``0 .. len - 1``.

    Attributes:
        space: The factors.
        shape: Channels, height and width of every image.
        citation: BibTeX of where the data comes from, or empty.
    """

    space: FactorSpace
    shape: Shape
    citation: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        last = next(one for one in cls.__mro__ if not {"images", "fractions"}.isdisjoint(vars(one)))
        if "fractions" not in vars(last):
            # Whoever makes images in a way of its own must not be shown those of the world it is made of.
            cls.fractions = World.fractions  # type: ignore[method-assign]

    @abstractmethod
    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, H, W)``, unsigned bytes 0 .. 255."""

    def fractions(self, indices: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The same images as models see them: ``(B,)`` to ``(B, C, H, W)``, float32 in 0 .. 1.

        A world that has its images in another form than bytes may come to them sooner than by the bytes.
        """
        return as_fractions(self.images(indices))

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``."""
        return self.space.factors(indices)

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of images with the given factor values: ``(B, F)`` to ``(B,)``."""
        return self.space.index(factors)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.space)

    def sample(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of ``count`` images, drawn with replacement as the world has them: all alike unless it says."""
        return generator.integers(0, len(self), count)

    @property
    def uniform(self) -> bool:
        """Whether all images are drawn alike often."""
        return type(self).sample is World.sample

    def measured(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of different images to measure a model on: ``count`` of them, or fewer where there are no more.

        They are drawn as the world draws for training, unless it says that it is measured on others.
        """
        if self.uniform:
            return generator.choice(len(self), count, replace=False) if count < len(self) else np.arange(len(self))
        found = np.empty(0, dtype=np.int64)
        for _ in range(DRAWS):
            found = np.concatenate([found, self.sample(count, generator)])
            found = found[np.sort(np.unique(found, return_index=True)[1])]
            if len(found) >= count:
                break
        return found[:count]

    @classmethod
    def citations(cls, options: Mapping[str, Any]) -> list[str]:
        """BibTeX of everything that a world made with these options stands on."""
        return [cls.citation]

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in registry.options(self).items())
        factors = ", ".join(f"{factor.name} {factor.size}" for factor in self.space)
        return f"{type(self).__name__}({options})  # {len(self):,} images {self.shape}; {factors}"


class LabelledWorld(World):
    """A world of collected images: many may share their factor values, and some combinations may not occur.

    Args:
        pixels: All images, ``(N, C, H, W)`` unsigned bytes; anything that can be indexed by an array of numbers.
        labels: Their factor values, ``(N, F)``.
        space: The factors.
    """

    def __init__(self, pixels: Any, labels: Integers, space: FactorSpace) -> None:
        if len(pixels) != len(labels):
            raise InvalidData(f"{len(pixels):,} images need as many labels, but there are {len(labels):,}")
        if not len(labels):
            raise InvalidData("a world needs at least one image, but there is none")
        self.space = space
        self.shape = tuple(pixels.shape[1:])
        self._pixels, self._labels = pixels, labels
        # Only the combinations that occur: forty attributes of faces would have a million million.
        self._combinations, self._first = np.unique(space.index(labels), return_index=True)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, H, W)``, unsigned bytes 0 .. 255."""
        return np.asarray(self._pixels[within(indices, len(self))], dtype=np.uint8)

    def fractions(self, indices: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The same images as models see them: ``(B,)`` to ``(B, C, H, W)``, float32 in 0 .. 1."""
        kept = self._fractions
        return super().fractions(indices) if kept is None else kept.take(within(indices, len(self)), axis=0)

    @cached_property
    def _fractions(self) -> npt.NDArray[np.float32] | None:
        """All images, of a small world: to look one up takes a third of the time that making it out of bytes takes.

        None of a large one, and where images lie in files: these are read when they are asked for.
        """
        if type(self._pixels) is not np.ndarray or len(self) * math.prod(self.shape) > SMALL:
            return None
        return as_fractions(self.images(np.arange(len(self))))

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``."""
        return np.asarray(self._labels[within(indices, len(self))], dtype=np.int64)

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The first image with each of the given factor values: ``(B, F)`` to ``(B,)``.

        Raises:
            InvalidData: When no image has one of the combinations.
        """
        wanted = self.space.index(factors)
        place = np.searchsorted(self._combinations, wanted).clip(max=len(self._combinations) - 1)
        absent = self._combinations[place] != wanted
        if np.any(absent):
            raise InvalidData(f"no image has the factors {np.asarray(factors)[absent][0].tolist()}")
        return np.asarray(self._first[place], dtype=np.int64)

    def __len__(self) -> int:
        """The number of images."""
        return len(self._labels)


def drawn(
    world: World, index: npt.ArrayLike, *, change: Callable[[Bytes], npt.NDArray[Any]] | None = None
) -> LabelledWorld:
    """Some images of a world, drawn once and kept, with what the world knows of itself: who it is, what can be seen.

    Views choose the same classes and judges ask the same questions as of the world. Of pairs and rules for images
    nothing is kept: a pair need not be among some images.

    Args:
        world: The world.
        index: The numbers of the images, ``(N,)``; one that comes twice is there twice.
        change: What becomes of the images, bytes ``(B, C, H, W)``, before they are kept; their masks are then not told.

    Raises:
        InvalidData: When there is no image, or a number is out of range.

    >>> from unbraid.views import Classes
    >>> from unbraid.worlds import Characters
    >>> people = drawn(Characters(size=24), [0, 70000], change=lambda images: 255 - images)
    >>> people.images([1]).max(), Classes(people).classes == Classes(Characters()).classes
    (np.uint8(255), True)
    """
    numbers = within(index, len(world)).reshape(-1)
    parts = [world.images(part) for part in np.array_split(numbers, 1 + len(numbers) // AT_ONCE)]
    pixels = np.concatenate(parts if change is None else [change(part) for part in parts])
    made = LabelledWorld(pixels, world.factors(numbers), world.space)
    for name in ALIKE:
        if hasattr(world, name):
            setattr(made, name, getattr(world, name))
    for name in INDEXED:
        if hasattr(world, name) and (change is None or name != "masks"):
            setattr(made, name, partial(_of, getattr(world, name), numbers))
    return made


def _of(told: Callable[[Integers], Any], numbers: Integers, indices: npt.ArrayLike) -> Any:
    """What a world tells of images by the numbers that they have here."""
    return told(numbers[within(indices, len(numbers))])
