"""Draw a run: traversals, reconstructions, information, losses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unbraid import registry
from unbraid.cli import _flags

__all__ = ["main", "plot"]


def plot(run: Path, /, *, plots: tuple[str, ...] = (), **options: Mapping[str, Any]) -> None:
    """Draw a run, and keep the pictures in the run's figures folder.

    Args:
        run: The run folder.
        plots: Names from `unbraid list plots`, with spaces between; by default all that suit the run.
        **options: Options of plots, by the plot's name.
    """
    for name in plots:
        registry.check("plots", name)
    from unbraid.runs.plot import plot as draw

    for file in draw(run, plots=plots or None, options=options):
        print(file)


def main(arguments: list[str]) -> None:
    """``unbraid plot RUN [--plots traversals] [--traversals.over quantiles ...]``."""
    from unbraid.plots._options import options_of

    groups = {name: options_of(name) for name in registry.names("plots")}
    given = _flags.parse(
        arguments,
        _flags.fields(plot),
        prog="unbraid plot",
        description="Draw a run, and keep the pictures in the run's figures folder.",
        groups={name: _flags.fields(registry.load("plots", name), only=own) for name, own in groups.items()},
    )
    chosen = {name: vars(getattr(given, name)) for name, own in groups.items() if own}
    plot(given.run, plots=given.plots, **chosen)
