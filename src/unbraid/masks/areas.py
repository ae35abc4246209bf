"""Fields cut at a height: masks of a wanted area, without sorting what need not be sorted."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from unbraid.masks.host import at_once
from unbraid.types import Floats, Integers

__all__ = ["CACHE", "counts", "cut", "level", "softened", "uniform"]

CACHE = 2**17
"""How many numbers are worked on at a time on a CPU: half a megabyte."""

HALVED = 512
"""Up to how many pixels a row is sorted in two halves, which takes less time than a call for every row; of longer ones
a sample is looked at first."""

REACH = 32
"""How many more values than half one half of a row may have among its lowest: of noise four deviations."""


def counts(share: Tensor, pixels: int, *, generator: torch.Generator | None = None) -> Tensor:
    """How many of so many pixels a share is: rounded up or down at random, so that it is right in the mean.

    >>> counts(torch.tensor([0.25, 1.0]), 8).tolist()
    [2, 8]
    """
    coin = torch.rand(share.shape, generator=generator, device=share.device, dtype=torch.float64)
    return coin.add_(share.double(), alpha=pixels).long()


def level(field: Tensor, count: Tensor) -> Tensor:
    """The height at or above which the ``count`` highest values of every row lie.

    On a CPU numpy finds them without sorting whole rows, in an eighth (256 pixels) to an eighteenth (224 x 224) of the
    time of that. Elsewhere, and in a compiled function, rows are sorted, and nothing waits for the device.

    Args:
        field: ``(B, N)``.
        count: ``(B,)``, 0 .. N.

    Returns:
        ``(B, 1)``; infinity for a count of 0.

    >>> field = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    >>> (field >= level(field, torch.tensor([1, 3]))).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    pixels = field.shape[1]
    if at_once(field.device):
        found = field.sort(dim=1).values.gather(1, (pixels - count).clamp_max(pixels - 1)[:, None])
        return found.masked_fill((count == 0)[:, None], torch.inf)
    values, highest = field.numpy(), count.numpy()
    places = np.minimum(pixels - highest, pixels - 1)
    heights = (_halved if pixels <= HALVED else _selected)(values, places)
    heights[highest == 0] = np.inf
    return torch.from_numpy(heights[:, None])


def _halved(values: Floats, places: Integers) -> Floats:
    r"""The value at a place of each row in ascending order, ``(B, N)`` and ``(B,)`` to ``(B,)``, for short rows.

    Every other pixel is sorted, and so are the rest, which have much the same order. The k lowest values of two
    ascending rows are i of the first and k - i of the second; the highest of them is
    :math:`\min_i \max(a_i, b_{k-i})`, of which only the i next to k / 2 are looked at.
    """
    (rows, pixels), every = values.shape, np.arange(len(values))
    half, width = (pixels + 1) // 2, 2 * REACH + 1
    # None of a row, or fewer, is below all; more than there are is above.
    padded = np.full((2, rows, half + width), np.inf, dtype=values.dtype)
    padded[..., : REACH + 1] = -np.inf
    both = padded[..., REACH + 1 : REACH + 1 + half]
    both[0], both[1, :, : pixels // 2] = values[:, ::2], values[:, 1::2]
    both.sort(axis=2)
    near = sliding_window_view(padded, width, axis=2)
    middle = (places + 1) // 2
    first, second = near[0, every, middle], near[1, every, places + 1 - middle, ::-1]
    heights: Floats = np.maximum(first, second).min(1)
    # One rises and the other falls: the higher of both is lowest where they cross, if they do so here.
    apart = (first[:, 0] > second[:, 0]) | (first[:, -1] < second[:, -1])
    return _amended(heights, apart | np.isnan(heights), values, places)


def _selected(values: Floats, places: Integers) -> Floats:
    """The same for long rows: a sample of each says between which two values it lies, and only what does is sorted.

    References:
        Floyd and Rivest, "Expected time bounds for selection", Communications of the ACM, 1975.
    """
    (rows, pixels), every = values.shape, np.arange(len(values))
    seen = _sample(pixels)
    margin = round(math.sqrt(len(seen) / 2))  # so many values of the sample on either side
    # Beyond its ends the sample goes on without bounds, so that extreme places need no care.
    sample = np.full((rows, len(seen) + 2 * margin + 1), np.inf, dtype=values.dtype)
    sample[:, :margin] = -np.inf
    sample[:, margin : margin + len(seen)] = values.take(seen, axis=1)
    sample.sort(axis=1)
    low = places * len(seen) // pixels
    # Counted are those below, for NaN, the last in order, is neither below nor above.
    below = values < sample[every, low, None]
    between = values <= sample[every, low + 2 * margin + 1, None]
    np.greater(between, below, out=between)
    place, many = places - _trues(below), _trues(between)
    found = np.full((rows, many.max(initial=1)), np.inf, dtype=values.dtype)
    found[np.arange(found.shape[1]) < many[:, None]] = np.compress(between.reshape(-1), values)
    found.sort(axis=1)
    heights: Floats = found[every, place % found.shape[1]]
    # Of the fields of the paper a sample misleads in one of a hundred or fewer, of noise in one of twenty.
    return _amended(heights, (place < 0) | (place >= many), values, places)


def _amended(heights: Floats, missed: npt.NDArray[np.bool_], values: Floats, places: Integers) -> Floats:
    """Heights, of which those that were missed are found for certain."""
    for row in np.nonzero(missed)[0].tolist():
        heights[row] = np.partition(values[row], places[row])[places[row]]
    return heights


@lru_cache(maxsize=16)
def _sample(pixels: int) -> Integers:
    """Which pixels of a row are looked at first, one of each stretch: a regular grid would follow columns."""
    count = 128 if pixels < 2**11 else 256 if pixels < 2**13 else 512
    return (np.arange(count) * pixels + np.random.default_rng(0).integers(0, pixels, count)) // count


def _trues(truths: npt.NDArray[np.bool_]) -> Integers:
    """How many of each row: numpy adds bytes in a fifth of the time of truths."""
    return np.asarray(np.add.reduce(truths.view(np.uint8), axis=1, dtype=np.uint32), dtype=np.int64)


def cut(
    make: Callable[[slice], Tensor],
    height: Callable[[Tensor, slice], Tensor],
    rows: int,
    pixels: int,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Fields cut at a height, some at a time on a CPU, so that none has to leave its cache.

    Args:
        make: Gives the fields of a range of rows, ``(rows, N)``.
        height: Gives, of those and the range, where each is cut, ``(rows, 1)``.
        rows: How many fields, B.
        pixels: Of each, N.
        device: Where they are made.

    Returns:
        The masks ``(B, N)``, float32 of 1 and 0 where all fit into the cache (or are made at once) and else bool, and
        the share of each that is in, ``(B,)``.
    """
    if at_once(device) or rows * pixels <= CACHE:
        field = make(slice(0, rows))
        # Compared in place, numbers become numbers in a third of the time of truths.
        mask = field.ge_(height(field, slice(0, rows)))
        return mask, mask.mean(1)
    # numpy compares with a column in half of torch's time.
    found, step = np.empty((rows, pixels), dtype=bool), max(1, CACHE // pixels)
    for start in range(0, rows, step):
        part = slice(start, start + step)
        field = make(part)
        np.greater_equal(field.numpy(), height(field, part).numpy(), out=found[part])
    return torch.from_numpy(found), torch.from_numpy((_trues(found) / pixels).astype(np.float32))


def uniform(field: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Masks whose area is anything from one pixel to all of them, each as likely: cut at the height of a random pixel.

    The rank of a pixel drawn at random is uniform, so that neither an area nor an order is needed.

    Args:
        field: ``(B, N)``.
        generator: Draws the pixels; the global one by default.

    Returns:
        ``(B, N)``, bool.
    """
    pixel = torch.randint(field.shape[1], (len(field), 1), generator=generator, device=field.device)
    return field >= field.gather(1, pixel)


def softened(field: Tensor, share: Tensor, width: float) -> Tensor:
    """The highest values of every row, with a linear ramp across the edge; the mean stays the share.

    Args:
        field: ``(B, N)``.
        share: The mean of each mask, 0 .. 1, ``(B,)``.
        width: Half the ramp's as a share of all pixels, 0 .. 0.5; narrower where the share leaves no room.

    Returns:
        ``(B, N)``, in [0, 1].
    """
    pixels = field.shape[1]
    rank = field.argsort(dim=1, descending=True).argsort(dim=1).to(field.dtype) + 0.5
    share = share.to(field.dtype)[:, None]
    half = torch.minimum(share, 1 - share).clamp_max(width) * pixels
    return ((share * pixels - rank) / (2 * half).clamp_min(1) + 0.5).clamp(0, 1)
