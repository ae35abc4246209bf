"""What a model that takes images apart sees of a code: its entities, their windows and masks, and the image of some."""

from __future__ import annotations

import base64
from typing import Any

import torch
from torch import Tensor

from unbraid.objects import ObjectModel
from unbraid.types import Floats
from unbraid.view import to_bytes

__all__ = ["taken_apart"]


def taken_apart(model: ObjectModel, code: Floats, kept: list[bool]) -> dict[str, Any]:
    """The entities of a code, and the image that some of them make.

    Args:
        model: The model.
        code: Of all entities, ``(slots * entity_dim,)``.
        kept: Which of them are drawn, one a slot.

    Returns:
        ``shape``, channels, height and width; ``present``, one a slot; ``windows``, left, top, width and height of
        each in parts of the image, or None; and as bytes in base64 ``alone`` ``(slots, C, H, W)``, ``masks``
        ``(slots, H, W)`` and ``image`` ``(C, H, W)``.
    """
    with torch.no_grad():
        entities = torch.from_numpy(code).float().reshape(1, model.slots, model.entity_dim)
        layers = model.layers(entities)
        image = model.compose(layers, torch.tensor([kept]))
        alone = model.alone(layers)
    return {
        "shape": list(model.shape),
        "present": layers.present[0].tolist(),
        "windows": None if layers.windows is None else layers.windows[0].double().numpy().round(4).tolist(),
        "alone": _packed(alone[0]),
        "masks": _packed(layers.masks[0]),
        "image": _packed(image[0]),
    }


def _packed(values: Tensor) -> str:
    """Numbers in 0 .. 1 as bytes in base64."""
    return base64.b64encode(to_bytes(values).tobytes()).decode()
