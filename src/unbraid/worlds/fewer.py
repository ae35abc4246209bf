"""Fewer, a world in coarser steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidOption
from unbraid.types import Bytes, Factor, FactorSpace, Integers, within
from unbraid.world import World
from unbraid.worlds._wrapped import Options, Wrapped

__all__ = ["Fewer"]

HELD = 1 << 24
"""Worlds of so many bytes are held whole."""


class Fewer(Wrapped):
    """Any world with fewer values of some factors: every fourth place, one shape, the larger half of all sizes.

    ``keep`` says which values are kept, by their numbers: ``x=::4`` every fourth, from the first on (as Python slices
    lists), ``scale=3:`` those from the fourth on, ``shape=2`` the third alone. A factor that is not named keeps all.
    The values are numbered anew, and what they stand for stays. With every fourth place of x and y, every fourth
    orientation and every other scale, dSprites is what Painter et al. see of it, 3 x 3 x 10 x 8 x 8 images.

    Args:
        of: The world, or its name; it has every combination of its factors once.
        of_options: The world's options, where a name is given: ``"size=32,split=test"``, JSON, or a mapping.
        keep: The values that are kept, of several factors with ``;`` in between.

    Raises:
        UnknownName: When there is no such world or factor.
        InvalidOption: When ``keep`` cannot be read or keeps no value of a factor, or the world lacks combinations.

    >>> Fewer(of="sprites", keep="shape=2; scale=::2; orientation=0; x=::4; y=::4").space
    FactorSpace(shape 1, scale 3, orientation 1, x 8, y 8)
    """

    citation = """@inproceedings{painter2020linear, author = {Painter, Matthew and Pr{\\"u}gel-Bennett, Adam and
  Hare, Jonathon}, title = {Linear Disentangled Representations and Unsupervised Action Estimation},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2020}}"""

    def __init__(
        self, *, of: str | World = "sprites", of_options: str | Options = "", keep: str = "x=::4; y=::4"
    ) -> None:
        super().__init__(of, of_options)
        self.keep = keep
        if not self._whole:
            raise InvalidOption(f"of must have every combination of its factors once, which {self.of} has not")
        kept = _kept(keep, self.world.space)
        self._values = [kept.get(factor.name, np.arange(factor.size)) for factor in self.world.space]
        self.space = FactorSpace(
            [
                Factor(factor.name, len(values), factor.kind, tuple(factor.values[v] for v in values))
                for factor, values in zip(self.world.space, self._values, strict=True)
            ]
        )

    factors, index, __len__ = World.factors, World.index, World.__len__

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, H, W)``, unsigned bytes 0 .. 255."""
        if len(self) * math.prod(self.shape) <= HELD:
            return self._all[within(indices, len(self))]
        return self.world.images(self._inner(indices))

    @cached_property
    def _all(self) -> Bytes:
        """Every image: a few are drawn once, not for every batch."""
        return self.world.images(self._inner(np.arange(len(self))))

    def __getattr__(self, name: str) -> Any:
        told = super().__getattr__(name)
        return (lambda factors: told(self._outer(np.asarray(factors)))) if name == "relevant" else told

    def _inner(self, indices: npt.ArrayLike) -> Integers:
        return self.world.index(self._outer(self.factors(indices)))

    def _outer(self, factors: Integers) -> Integers:
        """The other world's values: ``(B, F)`` to ``(B, F)``."""
        return np.stack([values[column] for values, column in zip(self._values, factors.T, strict=True)], axis=-1)


def _kept(text: str, space: FactorSpace) -> Mapping[str, Integers]:
    """The numbers of the values that are kept, of every factor that is named."""
    kept: dict[str, Integers] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        size, found = space[name].size if equals else 0, np.empty(0, dtype=np.int64)
        with suppress(ValueError, TypeError):  # what is no slice keeps nothing, and is refused below
            ends = [int(number) if number.strip() else None for number in values.split(":")]
            found = np.arange(size)[slice(*ends)] if ":" in values else np.arange(size)[int(values) :][:1]
        if not len(found) or name in kept:
            raise InvalidOption(
                f"keep must name values of factors by their numbers, as in 'x=::4; scale=2:; shape=0', each factor "
                f"once and at least one value of it, but holds {part!r}"
            )
        kept[name] = found
    return kept
