"""Boxes in any number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["box", "boxes", "placed"]


def boxes(start: Tensor, stop: Tensor, shape: Sequence[int]) -> Tensor:
    """Which pixels lie in a box.

    Args:
        start: The first pixel along each axis, ``(B, D)``; it may lie outside.
        stop: The first beyond it, ``(B, D)``.
        shape: Pixels along each of the D axes.

    Returns:
        ``(B, *shape)``, bool.

    >>> boxes(torch.tensor([[0, 1]]), torch.tensor([[1, 3]]), (2, 4)).int().tolist()
    [[[0, 1, 1, 0], [0, 0, 0, 0]]]
    """
    inside = torch.ones((), dtype=torch.bool, device=start.device)
    for axis, pixels in enumerate(shape):
        place = torch.arange(pixels, device=start.device)
        within = (place >= start[:, axis, None]) & (place < stop[:, axis, None])
        inside = inside & within.reshape(-1, *[pixels if d == axis else 1 for d in range(len(shape))])
    return inside


def box(share: Tensor, shape: Sequence[int], *, generator: torch.Generator | None = None) -> Tensor:
    """Boxes of a share of the area, of the image's proportions, around random pixels; borders cut them off.

    Args:
        share: 0 .. 1, ``(B,)``.
        shape: Pixels along each axis.
        generator: Draws the pixels; the global one by default.

    Returns:
        ``(B, *shape)``, bool.
    """
    sizes = torch.tensor(shape, device=share.device)
    sides = (share[:, None] ** (1 / len(shape)) * sizes).round().long()
    middle = torch.rand((len(share), len(shape)), generator=generator, device=share.device)
    start = (middle * sizes).long() - sides // 2
    return boxes(start, start + sides, shape)


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
