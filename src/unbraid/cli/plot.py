"""Draw a run: traversals, reconstructions, information, losses."""

from __future__ import annotations

from pathlib import Path

from unbraid import registry
from unbraid.cli import _flags

__all__ = ["main", "plot"]


def plot(run: Path, /, *, plots: tuple[str, ...] = ()) -> None:
    """Draw a run, and keep the pictures in the run's figures folder.

    Args:
        run: The run folder.
        plots: Names from `unbraid list plots`, with spaces between; by default all that suit the run.
    """
    for name in plots:
        registry.check("plots", name)
    from unbraid.runs.plot import plot as draw

    for file in draw(run, plots=plots or None):
        print(file)


def main(arguments: list[str]) -> None:
    """``unbraid plot RUN [--plots traversals]``."""
    _flags.call(plot, arguments, prog="unbraid plot")
