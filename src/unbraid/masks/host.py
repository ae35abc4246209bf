"""Where numpy may work on what tensors hold, which it does in less time than torch for comparisons and copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["at_once", "bits"]

WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers of so many bytes."""


def at_once(device: torch.device) -> bool:
    """Whether whole batches are best worked on at once, with nothing of numpy's: on a device, or compiled."""
    return device.type != "cpu" or torch.compiler.is_compiling()


def bits(x: Tensor) -> np.ndarray[Any, Any] | None:
    """The memory of a tensor as whole numbers of numpy's, which can be copied whatever they stand for.

    None where numpy cannot have them: elsewhere than on a CPU, in a compiled function, and where gradients should
    follow.

    >>> bits(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype
    dtype('int16')
    """
    if at_once(x.device) or (torch.is_grad_enabled() and x.requires_grad) or x.element_size() not in WHOLE:
        return None
    found: np.ndarray[Any, Any] = x.detach().view(WHOLE[x.element_size()]).numpy()
    return found
