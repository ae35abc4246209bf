"""List models, worlds, views, scores, mix or plots, one line each."""

from __future__ import annotations

from unbraid import registry
from unbraid.cli import _flags
from unbraid.errors import UnknownName

__all__ = ["SHELVES", "main", "show"]

SHELVES = ("models", "worlds", "views", "scores", "mix", "plots")


def show(shelf: str, /) -> None:
    """List what is on a shelf, one line each.

    Args:
        shelf: models, worlds, views, scores, mix or plots.
    """
    if shelf not in SHELVES:
        raise UnknownName("shelf", shelf, SHELVES)
    width = max(map(len, registry.names(shelf)), default=0)
    for name in registry.names(shelf):
        print(f"{name:<{width}}  {registry.summary(shelf, name)}")


def main(arguments: list[str]) -> None:
    """``unbraid list SHELF``; all shelves when none is named."""
    if arguments:
        _flags.call(show, arguments, prog="unbraid list")
        return
    for shelf in SHELVES:
        print(f"{shelf}:")
        show(shelf)
        print()
