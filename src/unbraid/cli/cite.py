"""Print BibTeX of everything a run stands on."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["cite", "main"]


def cite(run: Path, /) -> None:
    """Print BibTeX of a run's model, its world and the scores it was given.

    Args:
        run: The run folder.
    """
    from unbraid.runs.cite import cite as entries

    print(entries(run))


def main(arguments: list[str]) -> None:
    """``unbraid cite RUN``."""
    _flags.call(cite, arguments, prog="unbraid cite")
