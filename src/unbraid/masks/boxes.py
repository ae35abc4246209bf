"""Boxes in any number of dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from unbraid.once import once

__all__ = ["around", "boxes", "crossed", "placed"]


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
    place = torch.arange(max(shape), device=start.device)
    within = ((place >= start[..., None]) & (place < stop[..., None])).float()
    return crossed([within[:, axis, :pixels] for axis, pixels in enumerate(shape)]).bool()


def crossed(sides: Sequence[Tensor]) -> Tensor:
    """The boxes of given sides: 1 inside, 0 elsewhere.

    Args:
        sides: Of each of the D axes, 1 at those of its n pixels which the boxes cover and 0 elsewhere, ``(B, n)``.

    Returns:
        ``(B, *shape)``, of the same type.

    >>> crossed([torch.tensor([[0, 1]]), torch.tensor([[1, 1, 0]])]).tolist()
    [[[0, 0, 0], [1, 1, 0]]]
    """
    inside = sides[0]
    # As numbers, which torch joins in a quarter of the time of bytes or truths where both are spread.
    for axis, side in enumerate(sides[1:], 1):
        inside = inside.view(*inside.shape, 1) * side.view(-1, *[1] * axis, side.shape[1])
    return inside


def around(
    share: Tensor, shape: Sequence[int], *, generator: torch.Generator | None = None
) -> tuple[tuple[Tensor, ...], Tensor]:
    r"""Boxes of a share of the area, of the image's proportions, around random pixels.

    A box that is w of n pixels long, rounded, reaches from w // 2 pixels before the pixel m which it is around: it
    covers every pixel p for which :math:`|2 (p + \frac14 - m) / n|` is less than :math:`w / n`.

    Args:
        share: 0 .. 1, ``(B,)``.
        shape: Pixels along each of the D axes.
        generator: Draws the pixels; the global one by default.

    Returns:
        The sides, of each axis 1 at those of its n pixels which the boxes cover and 0 elsewhere, ``(B, n)``, float32;
        and the share of the area that they really leave, ``(B,)``.

    >>> around(torch.tensor([0.0]), (2, 3))
    ((tensor([[0., 0.]]), tensor([[0., 0., 0.]])), tensor([1.]))
    """
    length, axes = share.view(-1, 1), len(shape)
    # So few numbers cost what the number of operations costs: squares need no root of an area, and equal axes share.
    square = length if axes == 2 else length.pow(2 / axes)
    if shape.count(shape[0]) == axes:
        alike = _covered(square, shape[0], axes, generator)
        sides, pixels = alike.unbind(), alike.sum(2).unbind()
    else:
        sides = tuple(_covered(square, n, 1, generator)[0] for n in shape)
        pixels = tuple(side.sum(1) for side in sides)
    # In whole pixels, so that no more is taken than there is, or in parts where these are exact: of a power of two.
    every, last = math.prod(shape), pixels[-1]
    unit = every if every & (every - 1) else 1
    inner = reduce(torch.mul, pixels[:-1]) if axes > 1 else _whole(1, share.dtype, share.device)
    left = torch.addcmul(_whole(unit, share.dtype, share.device), inner, last, value=-unit / every)
    return sides, left.div_(unit) if unit > 1 else left


def _covered(square: Tensor, n: int, axes: int, generator: torch.Generator | None) -> Tensor:
    """The sides along some axes of n pixels, ``(axes, B, n)``, for squares of their lengths as shares, ``(B, 1)``."""
    place = _line(n, square.dtype, square.device)
    many = (axes, square.shape[0], 1)
    middle = torch.randint(n, many, generator=generator, device=square.device, dtype=torch.float32)
    return torch.sub(place, middle, alpha=2 / n).square_().lt_(square)


@once(32)
def _line(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    r"""Of each of n pixels p :math:`2 (p + \frac14) / n`, ``(n,)``, made once."""
    return torch.linspace(0.5 / n, 2 - 1.5 / n, n, dtype=dtype, device=device)


@once(32)
def _whole(pixels: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """All of so many pixels, made once."""
    return torch.full((), pixels, dtype=dtype, device=device)


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
