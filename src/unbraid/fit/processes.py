"""Which of several processes this is: what everything that writes or decides asks."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

__all__ = ["agreed", "gathered", "is_main", "several"]


def several() -> bool:
    """Whether this process fits together with others."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def is_main() -> bool:
    """Whether this process is the one that writes, of however many compute."""
    return not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0


def agreed(*flags: bool, device: torch.device | str = "cpu") -> tuple[bool, ...]:
    """Whether any process raises each flag; every process must ask at the same moment."""
    if not several():
        return flags
    raised = torch.tensor(flags, dtype=torch.int32, device=device)
    distributed.all_reduce(raised, distributed.ReduceOp.MAX)
    return tuple(map(bool, raised.tolist()))


def gathered(one: Any) -> list[Any]:
    """What every process hands in, in the order of their ranks."""
    if not several():
        return [one]
    everything: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everything, one)
    return everything
