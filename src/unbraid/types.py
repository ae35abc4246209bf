"""What the world is made of: :class:`Factor`, :class:`FactorSpace`, and aliases for arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, UnknownName

__all__ = ["Bytes", "Factor", "FactorSpace", "Floats", "Integers", "Shape", "numbers", "within"]

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Shape: TypeAlias = tuple[int, int, int]
"""The shape of one image: channels, height, width."""


@dataclass(frozen=True)
class Factor:
    """One ground-truth factor of variation with finitely many values.

    Args:
        name: As the literature calls it (``"orientation"``).
        size: How many values it takes, at least 1.
        kind: ``"categorical"`` (no order), ``"ordinal"`` (ordered) or ``"cyclic"`` (the last value
            is next to the first).
        values: What each value stands for, in the factor's own unit; ``0 .. size - 1`` by default.

    >>> Factor("scale", 6, "ordinal", (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)).values[0]
    0.5
    """

    name: str
    size: int
    kind: Literal["categorical", "ordinal", "cyclic"] = "ordinal"
    values: tuple[float | str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidData(f"factor {self.name!r} needs at least one value, but has {self.size}")
        if not self.values:
            object.__setattr__(self, "values", tuple(range(self.size)))
        if len(self.values) != self.size:
            raise InvalidData(f"factor {self.name!r} has size {self.size} but {len(self.values)} values")


class FactorSpace:
    """All combinations of some factors, numbered in mixed radix: the last factor varies fastest.

    Whole arrays in, whole arrays out; a combination is a row of value indices, shape ``(B, F)``.

    Args:
        factors: The factors, slowest first.

    >>> space = FactorSpace([Factor("shape", 3), Factor("scale", 6)])
    >>> len(space), space.names
    (18, ('shape', 'scale'))
    >>> space.factors(np.array([7]))
    array([[1, 1]])
    >>> space.index(np.array([[1, 1]]))
    array([7])
    """

    def __init__(self, factors: Sequence[Factor]) -> None:
        self.all: tuple[Factor, ...] = tuple(factors)
        self.names: tuple[str, ...] = tuple(factor.name for factor in self.all)
        self.sizes: tuple[int, ...] = tuple(factor.size for factor in self.all)
        if len(set(self.names)) != len(self.names):
            raise InvalidData(f"factors need different names, but are called {', '.join(self.names)}")
        self._sizes = np.array(self.sizes, dtype=np.int64)
        self._length = math.prod(self.sizes) if self.all else 0
        self._bases = np.append(np.cumprod(self._sizes[:0:-1])[::-1], 1).astype(np.int64)[: len(self.all)]

    def __len__(self) -> int:
        """The number of combinations."""
        return self._length

    def __iter__(self) -> Iterator[Factor]:
        return iter(self.all)

    def __getitem__(self, name: str) -> Factor:
        return self.all[self.position(name)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FactorSpace) and self.all == other.all

    def __hash__(self) -> int:
        return hash(self.all)

    def __repr__(self) -> str:
        return f"FactorSpace({', '.join(f'{f.name} {f.size}' for f in self.all)})"

    def position(self, name: str) -> int:
        """The column of the factor called ``name``.

        Raises:
            UnknownName: When there is none, with the nearest names.
        """
        if name not in self.names:
            raise UnknownName("factor", name, self.names)
        return self.names.index(name)

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The combinations with the given numbers: ``(B,)`` in ``0 .. len - 1`` to ``(B, F)``.

        Raises:
            InvalidData: When an index is out of range.
        """
        return (within(indices, len(self))[..., None] // self._bases) % self._sizes

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of the given combinations: ``(B, F)`` to ``(B,)``, the inverse of :meth:`factors`.

        Raises:
            InvalidData: When the number of columns is wrong or a value is out of range.
        """
        values = np.asarray(factors, dtype=np.int64)
        if values.shape[-1:] != (len(self.all),):
            raise InvalidData(
                f"factors need {len(self.all)} columns ({', '.join(self.names)}), but have shape {values.shape}"
            )
        if np.any((values < 0) | (values >= self._sizes)):
            raise InvalidData(f"factor values must lie below the sizes {self.sizes} and not below 0")
        return np.asarray(values @ self._bases, dtype=np.int64)

    def sample(self, count: int, generator: np.random.Generator, *, fixed: Mapping[str, int] | None = None) -> Integers:
        """Draw combinations uniformly, with some factors fixed.

        Args:
            count: How many, B.
            generator: The source of randomness.
            fixed: Factor name to the value index it keeps.

        Returns:
            Value indices, ``(B, F)``.
        """
        drawn = generator.integers(0, self._sizes, size=(count, len(self.all)), dtype=np.int64)
        for name, value in (fixed or {}).items():
            column = self.position(name)
            if not 0 <= value < self.sizes[column]:
                raise InvalidData(f"factor {name!r} has values 0 .. {self.sizes[column] - 1}, but was fixed to {value}")
            drawn[:, column] = value
        return drawn

    def values(self, factors: npt.ArrayLike) -> npt.NDArray[Any]:
        """What each value stands for: value indices to the factors' own values (numbers or text), both ``(B, F)``."""
        indices = np.asarray(factors, dtype=np.int64)
        columns = [np.asarray(factor.values)[indices[..., f]] for f, factor in enumerate(self.all)]
        return np.stack(columns, axis=-1)


def numbers(indices: npt.ArrayLike) -> Integers:
    """Numbers of images as an array, whether or not there are so many.

    Args:
        indices: Any shape.

    Raises:
        InvalidData: When they are no whole numbers, as those of a mask.
    """
    given = np.asarray(indices)
    if given.size and given.dtype.kind not in "iu":
        hint = ": np.flatnonzero gives the numbers of a mask" if given.dtype == bool else ""
        raise InvalidData(f"images go by whole numbers, but their indices are of type {given.dtype}{hint}")
    return given.astype(np.int64, copy=False)


def within(indices: npt.ArrayLike, count: int) -> Integers:
    """Numbers of images as an array, none of them negative: a memory map would take -1 for the last image.

    Args:
        indices: Any shape.
        count: How many images there are.

    Raises:
        InvalidData: When one is below 0 or not below ``count``, or is no whole number, as those of a mask.
    """
    index = numbers(indices)
    if index.size and (index.min() < 0 or index.max() >= count):
        raise InvalidData(f"indices run from {index.min()} to {index.max()}, but must lie in 0 .. {count - 1}")
    return index
