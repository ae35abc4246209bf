"""Correlated, a world in which two factors go together.

References:
    Träuble, Creager, Kilbertus, Locatello, Dittadi, Goyal, Schölkopf and Bauer, "On disentangled representations
    learned from correlated data", ICML 2021.
    Roth, Ibrahim, Akata, Vincent and Bouchacourt, "Disentanglement of correlated factors via Hausdorff factorized
    support", ICLR 2023.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Integers
from unbraid.world import World
from unbraid.worlds._wrapped import Options, Wrapped

__all__ = ["Correlated"]

TRIES, MOST = 200, 1 << 16
"""How often combinations are drawn again, and how many at once at most, where a world has its own way to draw."""


class Correlated(Wrapped):
    r"""Any world, with two factors that go together in what is drawn; nothing else of it changes.

    With the places :math:`c_1, c_2` of the two values among all values of their factors, scaled to 0 .. 1,

    .. math:: p(c_1, c_2) \propto \exp\left(-\frac{(c_1 - c_2)^2}{2 \sigma^2}\right),

    and all other factors as the world has them. A world with its own way to draw is drawn from in that way, and this
    weight decides what is kept. Every image keeps its number: only :meth:`sample` is not the world's own, so that a
    model is trained on factors that go together and measured on ones that do not (:meth:`measured`). Several pairs of
    factors are correlated by a correlated world of a correlated world.

    Args:
        of: The world, or its name.
        of_options: The world's options, where a name is given: ``"size=32,split=test"``, JSON, or a mapping.
        pair: The names of the two factors; by default the last two that have more than one value.
        sigma: How loosely they go together, above 0: at 0.1 closely, at 1 hardly.
        inverse: Whether a large value of one goes with a small value of the other.

    Raises:
        UnknownName: When there is no such world or factor.
        InvalidOption: When an option is out of range, or the world's options are not.

    >>> world = Correlated(of="sprites", pair=("x", "y"), sigma=0.1)
    >>> drawn = world.factors(world.sample(10000, np.random.default_rng(0)))
    >>> bool(np.corrcoef(drawn[:, 3], drawn[:, 4])[0, 1] > 0.9)
    True
    """

    citation = """@inproceedings{traeuble2021correlated, author = {Tr{\\"a}uble, Frederik and Creager, Elliot and
  Kilbertus, Niki and Locatello, Francesco and Dittadi, Andrea and Goyal, Anirudh and Sch{\\"o}lkopf, Bernhard and
  Bauer, Stefan}, title = {On Disentangled Representations Learned from Correlated Data},
  booktitle = {International Conference on Machine Learning}, year = {2021}}"""

    def __init__(
        self,
        *,
        of: str | World = "sprites",
        of_options: str | Options = "",
        pair: tuple[str, ...] = (),
        sigma: float = 0.2,
        inverse: bool = False,
    ) -> None:
        super().__init__(of, of_options)
        if not 0 < sigma < float("inf"):
            raise InvalidOption(f"sigma must be a finite number above 0, but is {sigma}")
        self.pair, self.sigma, self.inverse = (pair,) if isinstance(pair, str) else tuple(pair), sigma, inverse
        self._columns = self._chosen()
        sizes = [self.space.sizes[column] for column in self._columns]
        first, second = (np.arange(size) / (size - 1) for size in sizes)
        apart = first[:, None] - (second[::-1] if inverse else second)
        # Measured from the nearest pair of values, so that no sigma is small enough to make all weights 0.
        self._weight = np.exp(-(apart**2 - (apart**2).min()) / (2 * sigma**2))
        self._drawn_whole = self._whole and self.world.uniform

    def sample(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of ``count`` images, drawn so that the two factors go together.

        Raises:
            InvalidData: When the world has hardly an image whose factors do.
        """
        if self._drawn_whole:
            drawn = self.space.sample(count, generator)
            reached = np.cumsum(self._weight)
            place = np.searchsorted(reached, generator.random(count) * reached[-1], side="right")
            # A draw is below the sum unless it is rounded to it.
            place = np.minimum(place, reached.searchsorted(reached[-1]))
            drawn[:, self._columns] = np.stack(np.unravel_index(place, self._weight.shape), axis=1)
            return self.world.index(drawn)
        found, size = np.empty(0, dtype=np.int64), 2 * count
        for _ in range(TRIES):
            some = self.world.sample(size, generator)
            first, second = self.world.factors(some)[:, self._columns].T
            found = np.concatenate([found, some[generator.random(size) < self._weight[first, second]]])
            if len(found) >= count:
                return found[:count]
            size = max(size, min(2 * size, MOST))
        raise InvalidData(
            f"{' and '.join(self._names())} hardly ever go together in {type(self.world).__name__}: choose a larger "
            f"sigma than {self.sigma}"
        )

    def measured(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of different images to measure a model on: those of the other world, as it has them."""
        return self.world.measured(count, generator)

    def _chosen(self) -> Integers:
        """The columns of the two factors."""
        varying = [factor.name for factor in self.space if factor.size > 1]
        names = self.pair or tuple(varying[-2:])
        if len(set(names)) != 2 or len(names) != 2:
            what = f"{len(varying)} that vary" if not self.pair else f"pair={names!r}"
            raise InvalidOption(f"a correlation needs two different factors of {self.space}, but has {what}")
        for name in names:
            if self.space[name].size < 2:
                raise InvalidOption(f"{name!r} has a single value and goes with nothing: choose among {varying}")
        return np.array([self.space.position(name) for name in names], dtype=np.int64)

    def _names(self) -> list[str]:
        return [self.space.names[column] for column in self._columns]
