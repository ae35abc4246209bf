"""Single images, as unsupervised models see a world."""

from __future__ import annotations

import torch

from unbraid.view import Batch, View

__all__ = ["Images"]


class Images(View):
    """Single images, drawn with replacement as the world has them.

    Args:
        world: The world.
        batch_size: Images in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.

    >>> from unbraid.worlds.digits import Digits
    >>> Images(Digits(), batch_size=8).batch(0).x.shape
    torch.Size([8, 1, 32, 32])
    """

    def batch(self, step: int) -> Batch:
        """``batch_size`` images of the world."""
        index = self.world.sample(self.batch_size, self.generator(step))
        return Batch(self.show(index), torch.from_numpy(index), len(self.world))
