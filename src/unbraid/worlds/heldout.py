"""HeldOut, a world without some combinations of its factors.

References:
    Montero, Ludwig, Costa, Malhotra and Bowers, "The role of disentanglement in generalisation", ICLR 2021.
    Schott et al., "Visual representation learning does not generalize strongly within the same domain", ICLR 2022.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import FactorSpace, Integers, within
from unbraid.world import World
from unbraid.worlds._conditions import Choice, parsed
from unbraid.worlds._wrapped import Options, Wrapped

__all__ = ["HeldOut"]

TRIES, MOST = 200, 1 << 16
"""How often images are drawn again, and how many at once at most, where a world has its own way to draw."""
CHUNK = 1 << 18
TABLE = 1 << 26
"""How many combinations of the named factors there may be."""


class HeldOut(Wrapped):
    """Any world without some combinations of its factors, or with these alone: does a model know what it never saw?

    ``leave`` says what is left out. ``shape=heart,x>=0.5`` leaves out all hearts on the right: a comma means *and*.
    ``;`` means *or*: ``shape=heart,x>=0.5; scale=1`` also leaves out whatever is large. A factor is compared with its
    own values by ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``; those that are words only by the first two, or by
    their number, from 0 (``shape=2``). ``|`` stands between values of which any will do: ``shape=square|heart``.

    The images that are left are numbered anew, and :meth:`index` refuses the others, so that no view comes upon them.
    The factors stay the same in both parts.

    Args:
        of: The world, or its name.
        of_options: The world's options, where a name is given: ``"size=32,split=test"``, JSON, or a mapping.
        leave: Which combinations are left out; nothing if empty.
        part: ``"train"``, what is left, or ``"test"``, what is left out.

    Raises:
        UnknownName: When there is no such world or factor.
        InvalidOption: When ``leave`` cannot be read or leaves nothing in the part, or an option is out of range.

    >>> train, test = (HeldOut(of="sprites", leave="shape=heart,x>=0.5", part=p) for p in ("train", "test"))
    >>> len(train), len(test)
    (614400, 122880)
    """

    citation = """@inproceedings{montero2021role, author = {Montero, Milton Llera and Ludwig, Casimir J. H. and
  Costa, Rui Ponte and Malhotra, Gaurav and Bowers, Jeffrey S.}, title = {The Role of Disentanglement in
  Generalisation}, booktitle = {International Conference on Learning Representations}, year = {2021}}"""

    def __init__(
        self,
        *,
        of: str | World = "sprites",
        of_options: str | Options = "",
        leave: str = "",
        part: Literal["train", "test"] = "train",
    ) -> None:
        super().__init__(of, of_options)
        if part not in ("train", "test"):
            raise InvalidOption(f"part must be train or test, but is {part!r}")
        self.leave, self.part = leave, part
        held = parsed(leave, self.space)
        named = sorted({column for clause in held for column in clause})
        # The named factors first: what is left out is then told by the first digits of a number alone.
        self._order = np.array(named + [c for c in range(len(self.space.all)) if c not in named], dtype=np.int64)
        self._back = np.argsort(self._order)
        self._ordered = FactorSpace([self.space.all[column] for column in self._order])
        table = FactorSpace([self.space.all[column] for column in named])
        combinations = len(table) if named else 1
        if combinations > TABLE:
            raise InvalidOption(f"leave names {len(named)} factors, which have too many combinations: name fewer")
        self._others = len(self.space) // combinations
        values = table.factors(np.arange(combinations)) if named else np.zeros((1, 0), dtype=np.int64)
        out = np.zeros(combinations, dtype=bool)
        for clause in held:
            out |= np.all([allowed[values[:, named.index(column)]] for column, allowed in clause.items()], axis=0)
        self._kept = out if part == "test" else ~out
        self._computed = self._whole
        self._numbers = np.flatnonzero(self._kept) if self._computed else self._found()
        self._rank = np.cumsum(self._kept) - 1
        if not len(self._numbers):
            raise InvalidOption(f"leave={leave!r} leaves nothing in part={part!r}, or the world has no such image")

    def __len__(self) -> int:
        """The number of images in the part."""
        return len(self._numbers) * (self._others if self._computed else 1)

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``.

        Raises:
            InvalidData: When an index is out of range.
        """
        index = within(indices, len(self))
        if not self._computed:
            return self.world.factors(self._numbers[index])
        number = self._numbers[index // self._others] * self._others + index % self._others
        return self._ordered.factors(number)[..., self._back]

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of images with the given factor values: ``(B, F)`` to ``(B,)``.

        Raises:
            InvalidData: When a combination is not in the part, or the world has no such image.
        """
        self.space.index(factors)
        values = np.asarray(factors, dtype=np.int64)
        absent = ~self._kept[self._ordered.index(values[..., self._order]) // self._others]
        if np.any(absent):
            other = "test" if self.part == "train" else "train"
            raise InvalidData(
                f"the factors {values[absent][0].tolist()} are not in the {self.part} part, but in {other}"
            )
        return self._own(self.world.index(values))

    def sample(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of ``count`` images of the part, drawn as the world draws them.

        Raises:
            InvalidData: When the world hardly ever draws one of them.
        """
        if self.uniform:
            return generator.integers(0, len(self), count)
        found, size = np.empty(0, dtype=np.int64), 2 * count
        for _ in range(TRIES):
            some = self.world.sample(size, generator)
            found = np.concatenate([found, some[self._has(some)]])
            if len(found) >= count:
                return self._own(found[:count])
            size = max(size, min(2 * size, MOST))
        raise InvalidData(f"{type(self.world).__name__} hardly ever draws an image of the {self.part} part")

    @property
    def uniform(self) -> bool:
        """Whether all images are drawn alike often."""
        return self.world.uniform

    def _inner(self, indices: npt.ArrayLike) -> Integers:
        return self.world.index(self.factors(indices)) if self._computed else self._numbers[within(indices, len(self))]

    def _has(self, numbers: Integers) -> Choice:
        """Which of the other world's images are in the part."""
        ordered = self._ordered.index(self.world.factors(numbers)[:, self._order])
        return np.asarray(self._kept[ordered // self._others])

    def _found(self) -> Integers:
        """The numbers of the other world's images that are in the part, where they have to be looked through."""
        return np.concatenate(
            [
                start + np.flatnonzero(self._has(np.arange(start, min(start + CHUNK, len(self.world)))))
                for start in range(0, len(self.world), CHUNK)
            ]
        )

    def _own(self, numbers: Integers) -> Integers:
        """Numbers in the other world, all in the part, to numbers here."""
        if not self._computed:
            return np.searchsorted(self._numbers, numbers)
        number = self._ordered.index(self.world.factors(numbers)[..., self._order])
        return np.asarray(self._rank[number // self._others] * self._others + number % self._others)
