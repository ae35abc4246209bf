"""What several scores compute alike is computed once, where the caller says so.

Scores are functions of their arrays alone. Within ``with sharing():`` the costly functions that they call keep their
results, told apart by a digest of everything they are given, so that nothing kept is ever out of date; outside, and in
other threads, nothing is kept.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

__all__ = ["Kept", "shared", "sharing"]

P = ParamSpec("P")
R = TypeVar("R")

MOST = 100
"""Results kept at once: beyond it the one that was asked for longest ago is forgotten."""

Kept: TypeAlias = OrderedDict[bytes, Any]
"""Results by the digests of what they are the results of."""

_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)


@contextmanager
def sharing(known: Kept | None = None) -> Iterator[Kept]:
    """Let shared functions keep their results until the block ends; inside another such block they are those of both.

    Args:
        known: What another such block kept, perhaps in another process, to begin with.

    Yields:
        What is kept, for another block; it can be pickled when the results can.

    >>> @shared
    ... def total(numbers):
    ...     print("added up")
    ...     return int(numbers.sum())
    >>> with sharing():
    ...     total(np.arange(4)), total(np.arange(4))
    added up
    (6, 6)
    """
    outer = _kept.get()
    kept = Kept() if outer is None else outer
    kept.update(known or {})
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """A function of arrays, numbers and names whose results are kept within :func:`sharing`; each caller has a copy."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        results = _kept.get()
        if results is None:
            return function(*args, **kwargs)
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        key = _digest(f"{function.__module__}.{function.__qualname__}", given.arguments)
        if key is None:
            return function(*args, **kwargs)
        if key not in results:
            results[key] = function(*args, **kwargs)
            while len(results) > MOST:
                results.popitem(last=False)
        results.move_to_end(key)
        result: R = copy.deepcopy(results[key])
        return result

    return kept


def _digest(name: str, arguments: dict[str, Any]) -> bytes | None:
    """Of everything that is given; None where that holds something that cannot be told apart by its text."""
    digest = hashlib.blake2b(name.encode(), digest_size=16)
    for argument, value in arguments.items():
        if isinstance(value, np.ndarray):
            digest.update(f"{argument} {value.dtype.str} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).data)
        elif isinstance(value, str | int | float | None):
            digest.update(f"{argument} {value!r}".encode())
        else:
            return None
    return digest.digest()
