"""What several views need: factors by name, and images by their factors in any world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.seed import numpy_generator
from unbraid.types import FactorSpace, Integers
from unbraid.world import LabelledWorld, World

__all__ = ["KINDS", "Lookup", "columns", "complete", "names"]

Filed: TypeAlias = tuple[Integers, Integers]
"""Numbers of images in the order of their keys, and the keys in that order."""

KINDS = ("categorical", "ordinal", "cyclic")
TRIES = 200
"""How often a draw that the world cannot answer is made again."""
POOL = 1 << 16
"""How many images are drawn at once, at most, to find some of a given value."""
SOME = 256
"""How many images are looked at, to tell whether each has a combination of its own."""
FEW = 4
"""How many images of a value such a draw has at least, if more of them are to be found in reasonable time."""
RANKS = 1 << 32
"""More than any batch or pool has rows."""


def names(factors: Sequence[str] | str) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    return (factors,) if isinstance(factors, str) else tuple(factors)


def columns(space: FactorSpace, factors: tuple[str, ...], what: str, kinds: Sequence[str] = KINDS) -> Integers:
    """The columns of some factors, or of all that suit, in the order of the space.

    Args:
        space: The world's factors.
        factors: Names, or none for all that suit.
        what: Who needs them, for the message.
        kinds: Which kinds of factor suit; one of a single value never does.

    Raises:
        UnknownName: When there is no such factor.
        InvalidOption: When a factor is named twice or does not suit, or none suits.
    """
    suiting = [factor.name for factor in space if factor.kind in kinds and factor.size > 1]
    wanted = f"{' or '.join(kinds) + ' ' if len(kinds) < len(KINDS) else ''}factors of at least two values"
    if not suiting:
        raise InvalidOption(f"{what} needs {wanted}, but the world has {space}")
    for name in factors:
        space.position(name)
        if name not in suiting:
            raise InvalidOption(f"{what} needs {wanted}, which {name!r} is not: choose among {', '.join(suiting)}")
    if len(set(factors)) < len(factors):
        raise InvalidOption(f"factors must differ, but are {', '.join(factors)}")
    return np.array(sorted(space.position(name) for name in factors or suiting), dtype=np.int64)


def complete(count: int, draw: Callable[[int], Integers], failure: Callable[[], str]) -> Integers:
    """Rows of a draw, where a row with -1 in it is drawn again.

    Args:
        count: How many rows.
        draw: From a number of rows to as many rows ``(n, ...)``.
        failure: What to say when some rows do not come about.

    Raises:
        InvalidData: When a row does not come about in ``TRIES`` draws.
    """
    rows = draw(count)
    for _ in range(TRIES):
        missing = np.flatnonzero((rows < 0).any(axis=1))
        if not len(missing):
            return rows
        rows[missing] = draw(len(missing))
    raise InvalidData(f"{failure()} (in {TRIES} draws)")


class Lookup:
    """Finds the images of a world by their factors.

    Where a world draws every combination, numbers are computed. Where images are collected, several may share a
    combination: one of them is drawn, and none may have it. Any other world is asked.

    Args:
        world: The world.

    Attributes:
        whole: Whether the world draws every combination once.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        kind = type(world)
        self.whole = kind.factors is World.factors and kind.index is World.index and len(world) == len(world.space)
        self._uniform = world.uniform
        self._collected = isinstance(world, LabelledWorld)
        self._filed: dict[tuple[str, ...], Filed] = {}
        self._keyed: dict[tuple[str, ...], Integers] = {}

    def find(self, factors: Integers, generator: np.random.Generator) -> Integers:
        """The number of an image with each of the combinations, ``(B, F)`` to ``(B,)``; -1 where there is none."""
        if self.whole:
            return self.world.space.index(factors)
        if self._collected:
            return _member(self._members(self.world.space), self.world.space.index(factors), generator)
        return self._asked(factors)

    def alike(self, part: FactorSpace, keys: Integers, generator: np.random.Generator) -> Integers:
        """The numbers of images, drawn as the world draws them, that have given values of some factors.

        Args:
            part: Some of the world's factors.
            keys: Their combinations, numbered as in ``part``, ``(B,)``.
            generator: The source of randomness.

        Raises:
            InvalidData: When the world has no image with one of the combinations.
        """
        if not self._uniform:
            return self._sifted(part, keys, generator)
        if self._collected:
            return _member(self._members(part), keys, generator)
        return self._guessed(part, keys, generator) if self._single else self._sifted(part, keys, generator)

    def keys(self, part: FactorSpace, index: Integers) -> Integers:
        """The combinations of some factors that images have, numbered as in ``part``."""
        if self._collected:
            return self._every(part).take(index)
        return part.index(self.world.factors(index)[..., self._columns(part)])

    def drawn(self, part: FactorSpace) -> Integers:
        """The combinations of some factors that the world draws; those that a large draw all but lacks do not count."""
        if self._uniform and self.whole:
            return np.arange(len(part))
        if self._uniform and self._collected:
            return np.unique(self._members(part)[1])
        values, counts = np.unique(
            self.keys(part, self.world.sample(POOL, numpy_generator(0, "values"))), return_counts=True
        )
        return values[counts >= FEW]

    @cached_property
    def _single(self) -> bool:
        """Whether every image has a combination of its own, as far as a draw can tell."""
        some = self.world.sample(SOME, numpy_generator(0, "values"))
        return self.whole or np.array_equal(self._asked(self.world.factors(some)), some)

    @cached_property
    def _labels(self) -> Integers:
        return self.world.factors(np.arange(len(self.world)))

    def _columns(self, part: FactorSpace) -> list[int]:
        return [self.world.space.position(name) for name in part.names]

    def _members(self, part: FactorSpace) -> Filed:
        """The numbers of a collected world's images, sorted by their combinations of some factors, and these."""
        if part.names not in self._filed:
            self._filed[part.names] = _sorted(self._every(part))
        return self._filed[part.names]

    def _every(self, part: FactorSpace) -> Integers:
        """The combinations of some factors that all images of a collected world have, as :meth:`keys`."""
        if part.names not in self._keyed:
            self._keyed[part.names] = part.index(self._labels[:, self._columns(part)])
        return self._keyed[part.names]

    def _guessed(self, part: FactorSpace, keys: Integers, generator: np.random.Generator) -> Integers:
        """Images of combinations in which all other factors are drawn, again where the world has no such image."""
        found = np.full(len(keys), -1, dtype=np.int64)
        for _ in range(TRIES):
            waiting = np.flatnonzero(found < 0)
            if not len(waiting):
                return found
            factors = self.world.space.sample(len(waiting), generator)
            factors[:, self._columns(part)] = part.factors(keys[waiting])
            found[waiting] = self.find(factors, generator)
        raise _without(part, keys[found < 0])

    def _asked(self, factors: Integers) -> Integers:
        """What the world itself answers; halves of a batch that it refuses are asked alone, down to single rows."""
        try:
            return self.world.index(factors)
        except InvalidData:
            half = len(factors) // 2
            if not half:
                return np.full(len(factors), -1, dtype=np.int64)
            return np.concatenate([self._asked(factors[:half]), self._asked(factors[half:])])

    def _sifted(self, part: FactorSpace, keys: Integers, generator: np.random.Generator) -> Integers:
        """Images from the world's own draw, sorted out by their combinations."""
        found, size = np.full(len(keys), -1, dtype=np.int64), 2 * len(keys)
        for _ in range(TRIES):
            waiting = np.flatnonzero(found < 0)
            if not len(waiting):
                return found
            pool = self.world.sample(size, generator)
            given, wanted = _ranked(self.keys(part, pool)), _ranked(keys[waiting])
            # The n-th image drawn of a combination goes to the n-th place that waits for it.
            order = np.argsort(given)
            place = np.minimum(np.searchsorted(given, wanted, sorter=order), size - 1)
            met = given[order[place]] == wanted
            found[waiting[met]] = pool[order[place[met]]]
            size = max(size, min(2 * size, POOL))
        raise _without(part, keys[found < 0])


def _without(part: FactorSpace, keys: Integers) -> InvalidData:
    values = zip(part, part.factors(keys[0]), strict=True)
    return InvalidData(
        f"no image whose {' and '.join(f'{factor.name} is {factor.values[value]}' for factor, value in values)} "
        f"was drawn (in {TRIES} large draws)"
    )


def _sorted(keys: Integers) -> Filed:
    order = np.argsort(keys, kind="stable")
    return order, keys[order]


def _member(members: Filed, keys: Integers, generator: np.random.Generator) -> Integers:
    """One of the numbers filed under each key, drawn uniformly; -1 where there is none."""
    numbers, filed = members
    first, last = np.searchsorted(filed, keys, "left"), np.searchsorted(filed, keys, "right")
    chosen = first + (generator.random(keys.shape) * (last - first)).astype(np.int64)
    return np.where(last > first, numbers[np.minimum(chosen, len(numbers) - 1)], -1)


def _ranked(values: Integers) -> Integers:
    """A number for each entry that tells both its value and how many equal ones came before it."""
    order, filed = _sorted(values)
    rank = np.empty_like(values)
    rank[order] = np.arange(len(values)) - np.searchsorted(filed, filed, "left")
    return values * RANKS + rank
