"""Images of a run taken apart into objects, for plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unbraid.errors import InvalidData
from unbraid.model import Model
from unbraid.objects import ObjectModel
from unbraid.runs.encode import device_of
from unbraid.types import Bytes
from unbraid.view import to_float

if TYPE_CHECKING:
    from unbraid.plots._scenes import TakenApart

__all__ = ["taken_apart"]


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
            whole=_bytes(model.compose(layers, kept)),
            alone=_bytes(model.alone(layers)),
            masks=_bytes(layers.masks[:, :, None]),
            without=_bytes(without),
            grown=_bytes(grown),
            present=layers.present.cpu().numpy(),
            windows=None if layers.windows is None else layers.windows.double().cpu().numpy(),
        )
    model.train(was_training)
    return taken


def _bytes(drawn: Tensor) -> Bytes:
    return (255 * drawn.float().clamp(0, 1)).round().to(torch.uint8).cpu().numpy()
