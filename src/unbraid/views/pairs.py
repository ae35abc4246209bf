"""Two images that share some of their factors: weak supervision by pairs.

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020.
    Klindt, Schott, Sharma, Ustyuzhaninov, Brendel, Bethge and Paiton, "Towards nonlinear disentanglement in natural
    data with temporal sparse coding", ICLR 2021.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Floats, Integers
from unbraid.view import PairBatch, View
from unbraid.views._lookup import KINDS, Lookup, columns, complete, names
from unbraid.world import World

__all__ = ["Pairs"]

SLOWEST, FASTEST = 1.0, 10.0
"""Between which a random rate is drawn (Klindt et al.)."""


class Pairs(View):
    r"""Pairs of images of which the second differs from the first in a few factors.

    The first image is drawn as the world has them. With K factors that may change, the second is made by a protocol:

    * ``loc`` (Locatello et al.): 1 or k factors, with equal odds, are drawn anew from all their values. So half of the
      pairs change a single factor, and a factor may keep its value by chance. Where k is -1 it is drawn from
      1 .. K - 1 for each pair.
    * ``uni`` (Klindt et al.): exactly k factors take another value, all other values alike; -1 as above.
    * ``lap`` (Klindt et al.): all ordered factors move at once and mostly little; at least one moves:

      .. math:: p(s'_f | s_f) \propto \exp(-\lambda |s'_f - s_f| / \log n_f), \quad s'_f \in 0 .. n_f - 1

      As published, a cyclic factor is not let round its end, and categorical factors keep their value.

    Where a world has no image of the second combination, the pair is drawn again, both images; where it has several,
    one of them is taken.

    Args:
        world: The world.
        batch_size: Pairs in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        k: How many factors change, 1 .. K; -1 for a random number. Left at -1 with ``lap``.
        known: Whether the batch tells which factors differ.
        protocol: ``loc``, ``lap`` or ``uni``.
        factors: The factors that may change; all that can by default.
        rate: Lambda of ``lap``, above 0: the larger, the less moves; -1 draws it from 1 .. 10 for each pair.

    Raises:
        UnknownName: When the world has no such factor.
        InvalidOption: When an option is out of range, or a factor cannot change.

    >>> from unbraid.worlds.sprites import Sprites
    >>> batch = Pairs(Sprites(), batch_size=4, k=2, known=True, protocol="uni").batch(0)
    >>> batch.differ.sum(dim=1)
    tensor([2, 2, 2, 2])
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        k: int = -1,
        known: bool = False,
        protocol: Literal["loc", "lap", "uni"] = "loc",
        factors: tuple[str, ...] = (),
        rate: float = 1.0,
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        self.k, self.known, self.protocol, self.factors, self.rate = k, known, protocol, names(factors), rate
        changes = {"loc": self._redrawn, "lap": self._moved, "uni": self._replaced}
        if protocol not in changes:
            raise InvalidOption(f"protocol must be one of {', '.join(changes)}, but is {protocol!r}")
        kinds = KINDS[1:] if protocol == "lap" else KINDS
        self._change = changes[protocol]
        self._columns = columns(world.space, self.factors, f"a pair by {protocol}", kinds)
        self._sizes = np.array(world.space.sizes)[self._columns]
        if protocol == "lap" and k != -1:
            raise InvalidOption(f"k is {k}, but lap moves every factor: leave k at -1, or choose loc or uni")
        if k != -1 and not 1 <= k <= len(self._columns):
            raise InvalidOption(f"k must be -1 or 1 .. {len(self._columns)}, the factors that may change, but is {k}")
        if rate != -1:
            require_at_least(0, rate=rate)
        if rate == 0:
            raise InvalidOption("rate must be above 0, or -1 for a random one, but is 0")
        self._lookup = Lookup(world)

    def batch(self, step: int) -> PairBatch:
        """``batch_size`` pairs."""
        generator = self.generator(step)

        def draw(count: int) -> Integers:
            first = self.world.sample(count, generator)
            after = self.world.factors(first)
            after[:, self._columns] = self._change(after[:, self._columns], generator)
            return np.stack([first, self._lookup.find(after, generator)], axis=1)

        first, second = complete(self.batch_size, draw, lambda: f"the world has too few pairs for {self!r}").T.copy()
        differ = self.world.factors(first) != self.world.factors(second) if self.known else None
        x, other = self.show(np.stack([first, second]))
        return PairBatch(
            x,
            other,
            torch.from_numpy(first),
            torch.from_numpy(second),
            len(self.world),
            None if differ is None else torch.from_numpy(differ),
        )

    def _number(self, count: int, generator: np.random.Generator) -> Integers:
        """How many factors may change in each pair."""
        if self.k != -1:
            return np.full(count, self.k)
        return generator.integers(1, max(2, len(self._columns)), count)

    def _redrawn(self, before: Integers, generator: np.random.Generator) -> Integers:
        number = np.where(generator.random(len(before)) < 0.5, 1, self._number(len(before), generator))
        return np.where(
            _some(number, before.shape, generator), generator.integers(0, self._sizes, before.shape), before
        )

    def _replaced(self, before: Integers, generator: np.random.Generator) -> Integers:
        number = self._number(len(before), generator)
        others = (before + generator.integers(1, self._sizes, before.shape)) % self._sizes
        return np.where(_some(number, before.shape, generator), others, before)

    def _moved(self, before: Integers, generator: np.random.Generator) -> Integers:
        count, width = before.shape
        low, high = (SLOWEST, FASTEST) if self.rate == -1 else (self.rate, self.rate)
        rate: Floats = generator.uniform(low, high, (count, 1))
        after, elsewhere = np.empty_like(before), np.empty_like(before)
        for f, size in enumerate(self._sizes.tolist()):
            distance = np.abs(np.arange(size) - before[:, f : f + 1])
            weight = np.exp(-rate * distance / np.log(size))
            after[:, f] = _drawn(weight, generator)
            # Measured from the nearest neighbour, so that no rate is large enough to make all weights 0.
            weight = np.where(distance > 0, np.exp(-rate * np.maximum(distance - 1, 0) / np.log(size)), 0.0)
            elsewhere[:, f] = _drawn(weight, generator)
        chosen = np.arange(width) == generator.integers(0, width, (count, 1))
        still = (after == before).all(axis=1, keepdims=True)
        return np.where(still & chosen, elsewhere, after)


def _some(number: Integers, shape: tuple[int, ...], generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """``number`` places of each row, all sets of them alike."""
    rank = generator.random(shape).argsort(axis=1).argsort(axis=1)
    return np.asarray(rank < number[:, None])


def _drawn(weight: Floats, generator: np.random.Generator) -> Integers:
    """One column of each row, with odds as the weights."""
    reached = np.cumsum(weight, axis=1)
    aim = generator.random((len(weight), 1)) * reached[:, -1:]
    # The aim is below the sum unless it is rounded to it.
    aim = np.minimum(aim, np.nextafter(reached[:, -1:], 0))
    return np.asarray((reached <= aim).sum(axis=1), dtype=np.int64)
