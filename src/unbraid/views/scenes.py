"""Scenes: images together with the objects that are in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unbraid.view import SceneBatch, View, to_float

__all__ = ["Scenes"]


class Scenes(View):
    """Single images, with the masks and the number of their objects where the world can tell.

    A world can tell by ``masks(indices)``, which gives ``(B, N, H, W)``, 0 where an object is not seen, and by
    ``count(indices)``, which gives ``(B,)``; one that draws both images and masks from the same may give them together
    by ``images_and_masks(indices)``.

    Args:
        world: The world.
        batch_size: Images in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.

    >>> from unbraid.worlds.digits import Digits
    >>> Scenes(Digits(), batch_size=8).batch(0).masks is None
    True
    """

    def batch(self, step: int) -> SceneBatch:
        """``batch_size`` images of the world, drawn as it has them."""
        index = self.world.sample(self.batch_size, self.generator(step))
        world: Any = self.world
        count = torch.from_numpy(np.asarray(world.count(index), dtype=np.int64)) if hasattr(world, "count") else None
        if hasattr(world, "images_and_masks"):
            images, masks = world.images_and_masks(index)
            return SceneBatch(to_float(images), torch.from_numpy(index), len(world), torch.from_numpy(masks), count)
        masks = torch.from_numpy(np.asarray(world.masks(index)) > 0) if hasattr(world, "masks") else None
        return SceneBatch(self.show(index), torch.from_numpy(index), len(world), masks, count)
