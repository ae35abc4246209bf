"""Environments: a world of which one part is seen after the other."""

from __future__ import annotations

import numpy as np
import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import FactorSpace
from unbraid.view import EnvironmentBatch, View
from unbraid.views._lookup import Lookup, columns
from unbraid.world import World

__all__ = ["Environments"]


class Environments(View):
    """Images of one value of a factor, then of the next: nothing of what was seen before comes again by chance.

    Args:
        world: The world.
        batch_size: Images in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        factor: The factor whose values are the environments; by default the world's first categorical one.
        each: For how many steps an environment is seen, at least 1.
        order: The environments by number as they follow each other, the last for ever; by default all in their order,
            and then the first again.

    Attributes:
        environments: The factor whose values they are.

    Raises:
        InvalidOption: When an option is out of range.
        UnknownName: When the world has no such factor.

    >>> from unbraid.worlds.digits import Digits
    >>> seen = Environments(Digits(), each=10, order=(7, 2))
    >>> [int(seen.batch(step).environment) for step in (0, 9, 10, 500)]
    [7, 7, 2, 2]
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        factor: str = "",
        each: int = 1000,
        order: tuple[int, ...] = (),
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        require_at_least(1, each=each)
        self.factor, self.each, self.order = factor, each, order
        column = columns(world.space, (factor,) if factor else (), "an environment", kinds=("categorical",))[0]
        self.environments = world.space.all[column]
        self._part = FactorSpace([self.environments])
        count = self._part.sizes[0]
        self._order = np.array(order if order else (*range(count), 0), dtype=np.int64)
        if self._order.min() < 0 or self._order.max() >= count:
            raise InvalidOption(f"order must be of environments 0 .. {count - 1}, but is {order}")
        self._lookup = Lookup(world)

    def batch(self, step: int) -> EnvironmentBatch:
        """``batch_size`` images of the environment of this step."""
        now = self._order[min(step // self.each, len(self._order) - 1)]
        keys = np.full(self.batch_size, now, dtype=np.int64)
        index = self._lookup.alike(self._part, keys, self.generator(step))
        return EnvironmentBatch(self.show(index), torch.from_numpy(index), len(self.world), torch.tensor(int(now)))
