"""Many images and a few labels: semi-supervised learning.

References:
    Locatello, Tschannen, Bauer, Rätsch, Schölkopf and Bachem, "Disentangling factors of variations using few labels",
    ICLR 2020.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Integers
from unbraid.view import LabelledBatch, View
from unbraid.views._lookup import columns, names
from unbraid.world import World

__all__ = ["Labelled"]

LABELLING = ("exact", "binned", "noisy", "partial", "permuted")
TRIES = 200


class Labelled(View):
    """Single images, and in every batch some of a fixed few that are labelled, well or badly.

    Which images are labelled, and how badly, is a function of the seed alone. The kinds are those of the paper:

    * ``exact``: the factors as they are.
    * ``binned``: factors of more than ``bins`` values are told in ``bins`` bins of equal width.
    * ``noisy``: each label is, with probability ``noise``, a value drawn from all alike (so it may be right still).
    * ``partial``: only ``observed`` factors are labelled, the same ones for all images.
    * ``permuted``: the values of each factor change places, so that their order says nothing.

    Args:
        world: The world.
        batch_size: Images in a batch, at least 1, and as many with labels (all of them, where there are not as many).
        seed: What the draw depends on besides the step, at least 0.
        labels: How many images are labelled, at least 1.
        kind: ``exact``, ``binned``, ``noisy``, ``partial`` or ``permuted``.
        bins: For ``binned``, at least 2.
        noise: For ``noisy``, 0 .. 1.
        observed: For ``partial``, at least 1.
        factors: The factors that are labelled; all of them by default. Other columns of the labels are -1.

    Raises:
        UnknownName: When the world has no such factor.
        InvalidOption: When an option is out of range.

    >>> from unbraid.worlds.sprites import Sprites
    >>> batch = Labelled(Sprites(), batch_size=8, labels=100, kind="binned").batch(0)
    >>> batch.labels.shape, batch.sizes.tolist()
    (torch.Size([8, 5]), [3, 5, 5, 5, 5])
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        labels: int = 100,
        kind: Literal["exact", "binned", "noisy", "partial", "permuted"] = "exact",
        bins: int = 5,
        noise: float = 0.1,
        observed: int = 2,
        factors: tuple[str, ...] = (),
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        require_at_least(1, labels=labels, observed=observed)
        require_at_least(2, bins=bins)
        if not 0 <= noise <= 1:
            raise InvalidOption(f"noise must lie in 0 .. 1, but is {noise}")
        if kind not in LABELLING:
            raise InvalidOption(f"kind must be one of {', '.join(LABELLING)}, but is {kind!r}")
        if labels > len(world):
            raise InvalidOption(f"labels must be at most {len(world):,}, the images of the world, but is {labels:,}")
        self.labels, self.kind, self.bins, self.noise, self.observed = labels, kind, bins, noise, observed
        self.factors = names(factors)
        told = columns(world.space, self.factors, "a label")
        if kind == "partial" and observed > len(told):
            raise InvalidOption(f"observed must be at most {len(told)}, the factors labelled, but is {observed}")
        generator = numpy_generator(seed, "labels")
        self._chosen = _distinct(world, labels, generator)
        self._sizes = np.array(world.space.sizes)
        self._labels = self._labelled(world.factors(self._chosen), generator)
        if kind == "partial":
            told = generator.choice(told, observed, replace=False)
        self._known = np.zeros(self._labels.shape, dtype=bool)
        self._known[:, told] = True
        self._labels[~self._known] = -1

    def batch(self, step: int) -> LabelledBatch:
        """``batch_size`` images without labels, and beside them some with."""
        generator = self.generator(step)
        index = self.world.sample(self.batch_size, generator)
        some = generator.permutation(self.labels)[: self.batch_size]
        both = self.show(np.concatenate([index, self._chosen[some]]))
        return LabelledBatch(
            both[: self.batch_size],
            torch.from_numpy(index),
            len(self.world),
            both[self.batch_size :],
            torch.from_numpy(self._labels[some]),
            torch.from_numpy(self._known[some]),
            torch.from_numpy(self._sizes.copy()),
        )

    def _labelled(self, factors: Integers, generator: np.random.Generator) -> Integers:
        """What is said of these factors."""
        sizes = self._sizes
        if self.kind == "binned":
            self._sizes = np.minimum(sizes, self.bins)
            return np.where(sizes > self.bins, factors * self.bins // sizes, factors)
        if self.kind == "noisy":
            wrong = generator.random(factors.shape) < self.noise
            return np.where(wrong, generator.integers(0, sizes, factors.shape), factors)
        if self.kind == "permuted":
            return np.column_stack(
                [generator.permutation(size)[column] for size, column in zip(sizes, factors.T, strict=True)]
            )
        return factors


def _distinct(world: World, count: int, generator: np.random.Generator) -> Integers:
    """Numbers of different images, in the order in which the world draws them."""
    found: Integers = np.empty(0, dtype=np.int64)
    for _ in range(TRIES):
        drawn = np.concatenate([found, world.sample(count, generator)])
        _, first = np.unique(drawn, return_index=True)
        found = drawn[np.sort(first)][:count]
        if len(found) == count:
            return found
    raise InvalidData(f"the world draws only {len(found):,} different images, but labels is {count:,}: ask for fewer")
