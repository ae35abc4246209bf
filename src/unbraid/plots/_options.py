"""What plots are given of a run, and what else they can be told."""

from __future__ import annotations

from unbraid import registry

__all__ = ["GIVEN", "options_of"]

GIVEN = frozenset(
    {
        "acting", "allowance", "codes", "contents", "decode", "divergence", "factors", "history", "images", "lived",
        "look", "reconstructions", "rows", "space", "taken",
    }
)  # fmt: skip
"""The names by which plots ask for what they draw; every other parameter of a plot is an option with a default."""


def options_of(plot: str) -> list[str]:
    """The names of a plot's options, by the plot's name.

    >>> options_of("traversals")
    ['over', 'image']
    """
    return [name for name in registry.parameters(registry.load("plots", plot)) if name not in GIVEN]
