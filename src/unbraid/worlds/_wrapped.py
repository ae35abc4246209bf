"""What the worlds that are made of another world share: how it is named, made and asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid import registry
from unbraid.errors import InvalidOption
from unbraid.registry import Options, made, mapping, plain
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Integers, numbers
from unbraid.world import ALIKE, INDEXED, World

__all__ = ["Options", "Wrapped"]


class Wrapped(World):
    """A world made of another one, of which it changes something.

    Args:
        of: The other world's name, or the world itself.
        of_options: Its options, where a name is given: a mapping, or text: ``"size=32,split=test"`` or JSON.

    Attributes:
        world: The other world.

    Raises:
        UnknownName: When there is no such world.
        InvalidOption: When it has no such option or needs one, or the options cannot be read or written as text.
    """

    def __init__(self, of: str | World, of_options: str | Options) -> None:
        given = mapping(of_options)
        if isinstance(of, World):
            if given:
                raise InvalidOption(f"{type(of).__name__} is made already: of_options can only be given with its name")
            name = registry.name_of("worlds", of)
            # A world that is on no shelf is known by its name alone, as in a run.
            self.world, self.of = of, name or type(of).__name__
            self.of_options: str | Options = plain(registry.options(of)) if name else {}
        else:
            settled = plain(given)
            self.world, self.of = made("worlds", of, settled), of
            self.of_options = of_options if isinstance(of_options, str) else settled
        self.space, self.shape = self.world.space, self.world.shape

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, H, W)``, unsigned bytes 0 .. 255."""
        return self.world.images(self._inner(indices))

    def fractions(self, indices: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The same images as models see them, by the other world's own way: ``(B,)`` to ``(B, C, H, W)``, 0 .. 1."""
        return self.world.fractions(self._inner(indices))

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``."""
        return self.world.factors(self._inner(indices))

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of images with the given factor values: ``(B, F)`` to ``(B,)``."""
        return self.world.index(factors)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.world)

    def __getattr__(self, name: str) -> Any:
        if name in ALIKE:
            return getattr(self.world, name)
        if name in INDEXED:
            told: Callable[[Integers], Any] = getattr(self.world, name)
            return lambda indices: told(self._inner(indices))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _inner(self, indices: npt.ArrayLike) -> Integers:
        """The numbers that images have in the other world."""
        return numbers(indices)

    @property
    def _whole(self) -> bool:
        """Whether the other world has every combination once."""
        if len(self.world) != len(self.space):
            return False
        some = numpy_generator(0, "whole").integers(0, len(self.world), 64)
        return np.array_equal(self.space.index(self.world.factors(some)), some)

    @classmethod
    def citations(cls, options: Mapping[str, Any]) -> list[str]:
        """BibTeX of what is done to the other world, and of all that it stands on."""
        given = {name: parameter.default for name, parameter in registry.parameters(cls).items()} | dict(options)
        if given["of"] not in registry.names("worlds"):
            return [cls.citation]
        inner: type[World] = registry.load("worlds", given["of"])
        return [cls.citation, *inner.citations(mapping(given["of_options"]))]
