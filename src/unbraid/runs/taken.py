"""Images of a run taken apart into objects, or drawn in other environments, for plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unbraid.errors import InvalidData
from unbraid.model import Model
from unbraid.objects import ObjectModel
from unbraid.runs.encode import device_of
from unbraid.runs.life import TOLD
from unbraid.types import Bytes
from unbraid.view import to_bytes, to_float
from unbraid.views.environments import Environments
from unbraid.world import World

if TYPE_CHECKING:
    from unbraid.plots._scenes import Lived, TakenApart

__all__ = ["lived", "taken_apart"]

EACH = 6
"""Images of an environment."""
FREE = 0.2
"""The shade of a latent that an environment may use and that carries nothing there."""


def taken_apart(model: Model, images: Bytes) -> TakenApart:
    """What a model takes for objects in images ``(n, C, H, W)``.

    Raises:
        InvalidData: When it does not take images apart.
    """
    # Imported here: matplotlib takes a second.
    from unbraid.plots._scenes import TakenApart

    if not isinstance(model, ObjectModel):
        raise InvalidData(f"{type(model).__name__} does not take images apart into objects")
    was_training = model.training
    model.eval()
    with torch.no_grad():
        layers = model.layers(model.entities(to_float(images).to(device_of(model))))
        kept = torch.ones_like(layers.present)
        each = torch.eye(model.slots, dtype=torch.bool, device=kept.device)
        without, grown = (
            torch.stack([model.compose(layers, one.expand_as(kept)) for one in some], dim=1)
            for some in (~each, each.cumsum(dim=0).bool())
        )
        taken = TakenApart(
            images=images,
            whole=to_bytes(model.compose(layers, kept)),
            alone=to_bytes(model.alone(layers)),
            masks=to_bytes(layers.masks[:, :, None]),
            without=to_bytes(without),
            grown=to_bytes(grown),
            present=layers.present.cpu().numpy(),
            windows=None if layers.windows is None else layers.windows.double().cpu().numpy(),
        )
    model.train(was_training)
    return taken


def lived(model: Model, world: World, factor: str = "") -> Lived:
    """Images of each environment of a world, drawn in each that a model knows.

    Raises:
        InvalidData: When it does not live through environments.
    """
    from unbraid.plots._scenes import Lived

    if type(model).view != Environments.name:
        raise InvalidData(f"{type(model).__name__} does not live through environments")
    living: Any = model
    values = Environments(world, factor=factor).environments.values
    batches = [Environments(world, batch_size=EACH, factor=factor, order=(k,)).batch(0) for k in range(len(values))]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        x = torch.cat([batch.x for batch in batches]).to(device_of(model))
        q = living.encode(x)
        masks = living.masks()[: living.known]
        taken = living.recognise(x).argmax(dim=1)
        drawn = torch.stack([living.draw(q.mean * mask, k) for k, mask in enumerate(masks)])
        mine = [q.divergences()[taken == k] for k in range(living.known)]
        told = torch.stack([one.mean(dim=0) > TOLD if len(one) else torch.zeros_like(masks[0]) for one in mine])
    model.train(was_training)
    used = (masks & told) * (1 - FREE) + masks * FREE
    images = np.concatenate([world.images(batch.index.numpy()) for batch in batches])
    return Lived(images, tuple(str(value) for value in values), to_bytes(drawn), used.double().cpu().numpy())
