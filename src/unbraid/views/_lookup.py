"""What several views need: factors by name, and images by their factors in any world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.seed import numpy_generator
from unbraid.types import FactorSpace, Integers
from unbraid.world import LabelledWorld, World

__all__ = ["KINDS", "Lookup", "columns", "complete", "names"]

KINDS = ("categorical", "ordinal", "cyclic")
TRIES = 200
"""How often a draw that the world cannot answer is made again."""
POOL = 1 << 16
"""How many images are drawn at once, at most, to find some of a given value."""
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


def complete(count: int, draw: Callable[[int], Integers], failure: str) -> Integers:
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
    raise InvalidData(f"{failure} (in {TRIES} draws)")


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
        self._uniform = kind.sample is World.sample

    def find(self, factors: Integers, generator: np.random.Generator) -> Integers:
        """The number of an image with each of the combinations, ``(B, F)`` to ``(B,)``; -1 where there is none."""
        if self.whole:
            return self.world.space.index(factors)
        if isinstance(self.world, LabelledWorld):
            return _member(self._combinations, self.world.space.index(factors), generator)
        return self._asked(factors)

    def alike(self, column: int, values: Integers, generator: np.random.Generator) -> Integers:
        """The numbers of images, drawn as the world draws them, whose factor in ``column`` has these values.

        Raises:
            InvalidData: When the world has no image with one of the values.
        """
        if self.whole and self._uniform:
            drawn = self.world.space.sample(len(values), generator)
            drawn[:, column] = values
            return self.world.space.index(drawn)
        if isinstance(self.world, LabelledWorld) and self._uniform:
            return _member(self.members(column), values, generator)
        return self._sifted(column, values, generator)

    def values(self, column: int) -> Integers:
        """The values of a factor that the world draws; those that even a large draw all but lacks do not count."""
        if self._uniform and self.whole:
            return np.arange(self.world.space.sizes[column])
        if self._uniform and isinstance(self.world, LabelledWorld):
            return np.unique(self.members(column)[1])
        drawn = self.world.sample(POOL, numpy_generator(0, "values"))
        values, counts = np.unique(self.world.factors(drawn)[:, column], return_counts=True)
        return values[counts >= FEW]

    def members(self, column: int) -> tuple[Integers, Integers]:
        """The numbers of a collected world's images in the order of one factor, and its values in that order."""
        if column not in self._members:
            self._members[column] = _sorted(self._labels[:, column])
        return self._members[column]

    @cached_property
    def _labels(self) -> Integers:
        return self.world.factors(np.arange(len(self.world)))

    @cached_property
    def _members(self) -> dict[int, tuple[Integers, Integers]]:
        return {}

    @cached_property
    def _combinations(self) -> tuple[Integers, Integers]:
        return _sorted(self.world.space.index(self._labels))

    def _asked(self, factors: Integers) -> Integers:
        """What the world itself answers; halves of a batch that it refuses are asked alone, down to single rows."""
        try:
            return self.world.index(factors)
        except InvalidData:
            half = len(factors) // 2
            if not half:
                return np.full(len(factors), -1, dtype=np.int64)
            return np.concatenate([self._asked(factors[:half]), self._asked(factors[half:])])

    def _sifted(self, column: int, values: Integers, generator: np.random.Generator) -> Integers:
        """Images from the world's own draw, sorted out by their value."""
        found, size = np.full(len(values), -1, dtype=np.int64), 2 * len(values)
        for _ in range(TRIES):
            waiting = np.flatnonzero(found < 0)
            if not len(waiting):
                return found
            pool = self.world.sample(size, generator)
            given, wanted = _ranked(self.world.factors(pool)[:, column]), _ranked(values[waiting])
            # The n-th image drawn of a value goes to the n-th place that waits for this value.
            order = np.argsort(given)
            place = np.minimum(np.searchsorted(given, wanted, sorter=order), size - 1)
            met = given[order[place]] == wanted
            found[waiting[met]] = pool[order[place[met]]]
            size = max(size, min(2 * size, POOL))
        factor, value = self.world.space.all[column], int(values[found < 0][0])
        raise InvalidData(f"no image whose {factor.name} is {factor.values[value]} was drawn (in {TRIES} large draws)")


def _sorted(keys: Integers) -> tuple[Integers, Integers]:
    order = np.argsort(keys, kind="stable")
    return order, keys[order]


def _member(members: tuple[Integers, Integers], keys: Integers, generator: np.random.Generator) -> Integers:
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
