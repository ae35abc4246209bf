"""Memory between two steps: kept in the process, where the C library would give it back to the system each time."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

__all__ = ["memory_kept"]

# The options of mallopt(3), as malloc.h of the GNU C library numbers them.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
WITHIN = {MMAP_MAX: 0, TRIM_THRESHOLD: -1}
"""No block is mapped on its own, so that none is unmapped when it is freed; nor is the end of the heap given back."""
OUTSIDE = {MMAP_MAX: 65_536, MMAP_THRESHOLD: 32 << 20, TRIM_THRESHOLD: 64 << 20}
"""Where the library's own thresholds come to by themselves in a process that has used large blocks."""

_lock, _inside = threading.Lock(), 0


@contextmanager
def memory_kept() -> Iterator[None]:
    """Within this context, memory that is freed stays in the process for what is computed next.

    A step allocates the same large tensors as the one before. The GNU C library maps each anew and unmaps it when it is
    freed, so that the kernel must clear every page again, which on some machines takes a third of a training step.
    Nothing that is computed changes, and the process is hardly larger than it would be at its largest (up to a tenth in
    what was measured); afterwards memory goes back to the system as it would have.

    With another C library, or where ``MALLOC_...`` variables or ``GLIBC_TUNABLES`` say how memory is to be kept,
    nothing is changed. Contexts may lie within one another and in several threads; the last to end sets things back.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    """Enter or leave: the first one in and the last one out tell the C library."""
    global _inside
    with _lock:
        before, _inside = _inside, _inside + change
        if library := _library():
            if before == 0:
                _set(library, WITHIN)
            elif _inside == 0:
                _set(library, OUTSIDE)


def _set(library: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        library.mallopt(option, value)


@cache
def _library() -> ctypes.CDLL | None:
    """The GNU C library of this process, where it is that and nobody has told it how to keep memory."""
    if os.name != "posix" or any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "mallopt") else None
