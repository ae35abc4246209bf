"""Boxes in any number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.masks.host import at_once

__all__ = ["around", "boxes", "placed"]


def boxes(start: Tensor, stop: Tensor, shape: Sequence[int], *, dtype: torch.dtype = torch.bool) -> Tensor:
    """Which pixels lie in a box.

    Args:
        start: The first pixel along each axis, ``(B, D)``; it may lie outside.
        stop: The first beyond it, ``(B, D)``.
        shape: Pixels along each of the D axes.
        dtype: Of what comes: truths, or 1 and 0.

    Returns:
        ``(B, *shape)``.

    >>> boxes(torch.tensor([[0, 1]]), torch.tensor([[1, 3]]), (2, 4)).int().tolist()
    [[[0, 1, 1, 0], [0, 0, 0, 0]]]
    """
    place = torch.arange(max(shape), device=start.device)
    truths = (place >= start[..., None]) & (place < stop[..., None])
    # As bytes, of which many are joined at a time; truths are not, and take three to ten times as long.
    within = truths.view(torch.uint8) if dtype == torch.bool else truths.to(dtype)
    inside = within[:, 0, : shape[0]].reshape(-1, shape[0], *[1] * (len(shape) - 1))
    for axis, pixels in enumerate(shape[1:], 1):
        inside = inside * within[:, axis, :pixels].reshape(-1, *[1] * axis, pixels, *[1] * (len(shape) - 1 - axis))
    return inside.view(torch.bool) if dtype == torch.bool else inside


def around(share: Tensor, shape: Sequence[int], *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Where boxes of a share of the area begin and end, of the image's proportions, around random pixels.

    Args:
        share: 0 .. 1, ``(B,)``.
        shape: Pixels along each of the D axes.
        generator: Draws the pixels; the global one by default.

    Returns:
        Start and stop, ``(B, D)`` each, in the image: borders cut off what is beyond them.
    """
    middle: Any = torch.rand((len(share), len(shape)), generator=generator, device=share.device)
    few: Any = share
    # So few numbers are worked on in a quarter of the time by numpy, which has the same names for it.
    if at_once(share.device):
        does: Any = torch
        sizes: Any = torch.tensor(shape, dtype=share.dtype, device=share.device)
    else:
        does, middle, few = np, middle.numpy(), share.numpy()
        sizes = np.array(shape, few.dtype)
    sides = does.round(few[:, None] ** (1 / len(shape)) * sizes)
    start = does.floor(middle * sizes) - does.floor(sides / 2)
    stop = does.minimum(start + sides, sizes)
    return torch.as_tensor(does.clip(start, 0, None)).long(), torch.as_tensor(stop).long()


def placed(scale: Tensor, shape: Sequence[int], *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Where boxes of a scale begin and end that lie wholly in the image, at random.

    Args:
        scale: Their sides as shares of the image's, 0 .. 1, ``(B,)``; they have a pixel at least.
        shape: Pixels along each of the D axes.
        generator: Draws the places; the global one by default.

    Returns:
        Start and stop, ``(B, D)`` each.
    """
    sizes = torch.tensor(shape, device=scale.device)
    sides = (scale[:, None] * sizes).long().clamp_min(1)
    where = torch.rand((len(scale), len(shape)), generator=generator, device=scale.device)
    start = (where * (sizes - sides + 1)).long()
    return start, start + sides
