"""Two images and which has more of what: supervision by comparing.

References:
    Shu, Chen, Kumar, Ermon and Poole, "Weakly supervised disentanglement with guarantees", ICLR 2020.
"""

from __future__ import annotations

import numpy as np
import torch

from unbraid.view import RankedBatch, View
from unbraid.views._lookup import columns, names
from unbraid.world import World

__all__ = ["Ranked"]


class Ranked(View):
    r"""Pairs of unrelated images, ranked by some factors that have an order.

    .. math:: \text{order}_f = \operatorname{sign}(s_f(x) - s_f(x'))

    Args:
        world: The world.
        batch_size: Pairs in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        factors: The ordinal factors that are ranked; all of them by default. The columns of ``order`` follow the world.

    Raises:
        UnknownName: When the world has no such factor.
        InvalidOption: When a factor has no order.

    >>> from unbraid.worlds.sprites import Sprites
    >>> batch = Ranked(Sprites(), batch_size=8, factors=("x", "y")).batch(0)
    >>> batch.order.shape, batch.order.dtype
    (torch.Size([8, 2]), torch.int8)
    """

    def __init__(self, world: World, *, batch_size: int = 64, seed: int = 0, factors: tuple[str, ...] = ()) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        self.factors = names(factors)
        self._columns = columns(world.space, self.factors, "a ranking", ("ordinal",))

    def batch(self, step: int) -> RankedBatch:
        """``batch_size`` pairs, the two images drawn independently."""
        both = self.world.sample(2 * self.batch_size, self.generator(step)).reshape(2, -1)
        first, second = (self.world.factors(index)[:, self._columns] for index in both)
        x, other = self.show(both)
        order = torch.from_numpy(np.sign(first - second).astype(np.int8))
        return RankedBatch(x, other, torch.from_numpy(both[0]), torch.from_numpy(both[1]), order, len(self.world))
