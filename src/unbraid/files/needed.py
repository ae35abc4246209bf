"""Optional libraries, imported when a file needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from unbraid.errors import MissingExtra

__all__ = ["needed"]


def needed(module: str, feature: str, extra: str) -> Any:
    """An optional module, imported now.

    Args:
        module: Its name.
        feature: What needs it, for the sentence.
        extra: The extra that brings it.

    Raises:
        MissingExtra: When it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(feature, extra) from error
