"""Images of one domain as the other would have them, in any styles, by a run that translates."""

from __future__ import annotations

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.runs.run import Run
from unbraid.translation import TranslatingModel
from unbraid.types import Bytes
from unbraid.view import to_bytes, to_float

__all__ = ["domains", "restyled", "style_of", "translator"]


def translator(run: Run) -> TranslatingModel:
    """The model of a run, where it translates.

    Raises:
        InvalidOption: When it does not.
    """
    model = run.model
    if not isinstance(model, TranslatingModel):
        raise InvalidOption(f"{run.name} does not translate: give a run of munit, unit, cyclegan or ddib")
    return model


def domains(run: Run) -> list[str]:
    """What the two domains of a run are called: by the values of the factor that tells them, else ``a`` and ``b``."""
    space, factor = run.world.space, run.config["view"]["options"]["factor"]
    named = factor in space.names and run.config["view"]["options"].get("other") is None
    return [str(value) for value in space[factor].values][:2] if named else ["a", "b"]


def style_of(model: TranslatingModel, images: Bytes, domain: int) -> Tensor:
    """The styles of images of a domain, ``(N, C, H, W)`` to ``(N, style_dim)``."""
    with torch.no_grad():
        return model.style_of(to_float(images), domain)


def restyled(model: TranslatingModel, images: Bytes, source: int, styles: Tensor) -> Bytes:
    """Every image of one domain in every style of the other.

    Args:
        model: The model.
        images: ``(N, C, H, W)``.
        source: The domain that they are of, 0 or 1.
        styles: Of the other, ``(S, style_dim)``.

    Returns:
        ``(N, S, C, H, W)``.
    """
    with torch.no_grad():
        content = model.content_of(to_float(images), source)
        rows = [model.drawn(one[None].expand(len(styles), -1, -1, -1), styles, 1 - source) for one in content]
    return to_bytes(torch.stack(rows))
