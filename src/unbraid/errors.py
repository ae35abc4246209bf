"""The exceptions of unbraid: every one is a sentence that says what was given, what was expected and how to mend it.

.. code-block:: text

    Exception
    └── UnbraidError
        ├── UnknownName      (LookupError)    a model, world, score, plot or option that does not exist
        ├── InvalidOption    (ValueError)     an option outside its range
        ├── InvalidData      (ValueError)     arrays or files that are not what they should be
        ├── RunError                          a run folder that cannot be used as asked
        └── MissingExtra     (ImportError)    an optional dependency that is not installed
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

__all__ = [
    "InvalidData",
    "InvalidOption",
    "MissingExtra",
    "RunError",
    "UnbraidError",
    "UnknownName",
    "nearest",
    "require_at_least",
]


class UnbraidError(Exception):
    """The root of everything unbraid raises on purpose; its message is fit to be shown to a person."""


class UnknownName(UnbraidError, LookupError):
    """A name that is not on its shelf.

    Args:
        kind: What was looked for, in the singular (``"model"``).
        name: What was given.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        close = nearest(name, known)
        if close:
            hint = f"did you mean {' or '.join(close)}?"
        elif known:
            hint = f"known: {', '.join(known)}."
        else:
            hint = "there are none."
        super().__init__(f"unknown {kind} {name!r}: {hint}")
        self.kind, self.name, self.known = kind, name, known

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is otherwise made again from its message alone, which a process pool would hang on.
        return type(self), (self.kind, self.name, self.known)


class InvalidOption(UnbraidError, ValueError):
    """An option whose value cannot be used."""


class InvalidData(UnbraidError, ValueError):
    """Arrays or files that are not what they should be."""


class RunError(UnbraidError):
    """A run folder that cannot be read, written or continued as asked."""


class MissingExtra(UnbraidError, ImportError):
    """An optional dependency that is not installed.

    Args:
        feature: What needs it (``"unbraid explore"``).
        extra: The name of the extra that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs: pip install 'unbraid[{extra}]'")
        self.feature, self.extra = feature, extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.feature, self.extra)


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like ``name``, best first; empty when none is close.

    >>> nearest("betavea", ["ae", "betavae", "vae"])
    ['betavae']
    """
    return difflib.get_close_matches(name.lower(), list(known), n=count, cutoff=0.6)


def require_at_least(minimum: float, **options: float) -> None:
    """Check that every option is finite and at least ``minimum``.

    Raises:
        InvalidOption: With the option's name, its value and the bound.

    >>> require_at_least(0, beta=4.0)
    >>> require_at_least(0, beta=-1.0)
    Traceback (most recent call last):
    unbraid.errors.InvalidOption: beta must be a finite number of at least 0, but is -1.0
    """
    for name, value in options.items():
        if not math.isfinite(value) or value < minimum:
            raise InvalidOption(f"{name} must be a finite number of at least {minimum}, but is {value}")
