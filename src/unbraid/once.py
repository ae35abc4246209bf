"""Constants that are made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import TypeVar

import torch

__all__ = ["once"]

Made = TypeVar("Made")


def once(kept: int) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Remember what a function gives for the same arguments, but in compiled code, which would keep it for ever.

    Arguments have no names. Whoever is given what is remembered must not write into it.

    Args:
        kept: For how many different arguments, the newest.

    >>> line = once(2)(torch.arange)
    >>> line(3) is line(3)
    True
    """

    def remembering(make: Callable[..., Made]) -> Callable[..., Made]:
        cached = lru_cache(kept)(make)

        @wraps(make)
        def given(*which: Hashable) -> Made:
            return make(*which) if torch.compiler.is_compiling() else cached(*which)

        return given

    return remembering
