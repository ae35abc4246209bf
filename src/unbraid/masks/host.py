"""Where numpy may work on what tensors hold, which it does in less time than torch for comparisons and copies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["at_once", "bits", "joined", "plain"]

WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers of so many bytes."""


def at_once(device: torch.device) -> bool:
    """Whether whole batches are best worked on at once, with nothing of numpy's: on a device, or compiled."""
    return device.type != "cpu" or torch.compiler.is_compiling()


def plain(x: Tensor) -> bool:
    """Whether a tensor's memory may be worked on: not on a device, nor compiled, nor where gradients should follow."""
    return not (at_once(x.device) or (x.requires_grad and torch.is_grad_enabled()))


def bits(x: Tensor) -> np.ndarray[Any, Any] | None:
    """The memory of a tensor as whole numbers of numpy's, which can be copied whatever they stand for.

    None where numpy cannot have them.

    >>> bits(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype
    dtype('int16')
    """
    if not plain(x) or x.element_size() not in WHOLE:
        return None
    found: np.ndarray[Any, Any] = x.detach().view(WHOLE[x.element_size()]).numpy()
    return found


def joined(first: Tensor, second: Tensor, share: Tensor, *, out: Tensor) -> Tensor | None:
    """The second where the share is 1 and the first where it is 0, or None where differences are infinite.

    torch chooses in three to four times the time in which it makes weighted sums, which give the same of numbers whose
    difference is a number.

    Args:
        first: Floating-point numbers.
        second: Likewise.
        share: Bool, or numbers of 0 or 1, of a shape that spreads over them.
        out: Where to write, which may be one of them.
    """
    if share.dtype != first.dtype:
        # Bytes become numbers in a fifth of the time of truths.
        share = (share.view(torch.uint8) if share.dtype == torch.bool else share).to(first.dtype)
    mixed = torch.lerp(first, second, share, out=out)
    return mixed if math.isfinite(mixed.sum().item()) else None
