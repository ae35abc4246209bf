"""Random generators derived from (seed, purpose, step), so that no two uses share a stream.

Any moment can be rebuilt. Nothing here touches global state: a batch drawn at step 700 is the same whether or not the
699 before it were.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from unbraid.errors import require_at_least

if TYPE_CHECKING:
    import torch

__all__ = ["derive", "numpy_generator", "torch_generator"]


WORD = 1 << 32


def _sequence(seed: int, purpose: str, step: int) -> np.random.SeedSequence:
    require_at_least(0, seed=seed, step=step)
    words = [seed, zlib.crc32(purpose.encode()), step]
    # Numbers of a list are looked at one by one, which takes as long as all else; words of 32 bits are not.
    return np.random.SeedSequence(np.array(words, dtype=np.uint32) if max(words) < WORD else words)


def derive(seed: int, purpose: str, step: int = 0) -> int:
    """A new 63-bit seed, a function of its arguments alone.

    Args:
        seed: The user's seed, at least 0.
        purpose: What it is for (``"initialise"``, ``"images"``); different purposes are independent.
        step: The moment, at least 0.

    Raises:
        InvalidOption: When the seed or the step is below 0.

    >>> derive(0, "images") == derive(0, "images"), derive(0, "images") == derive(0, "noise")
    (True, False)
    """
    return int(_sequence(seed, purpose, step).generate_state(1, np.uint64)[0] >> np.uint64(1))


def numpy_generator(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """A numpy generator for this purpose and moment; arguments as for :func:`derive`."""
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose, step)))


def torch_generator(seed: int, purpose: str, step: int = 0, device: str = "cpu") -> torch.Generator:
    """A torch generator for this purpose and moment; arguments as for :func:`derive`."""
    import torch

    generator = torch.Generator(device)
    generator.manual_seed(derive(seed, purpose, step))
    return generator
