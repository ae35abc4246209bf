"""Write a run as a folder to share, with a card that says what it is and what it is worth."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["export", "main"]


def export(run: Path, /, *, out: Path | None = None) -> None:
    """Write a run as a folder that can be shared as it is: weights, settings, scores, pictures and a model card.

    Args:
        run: The run folder.
        out: A folder that is new or empty; RUN-shared beside the run by default.
    """
    from unbraid.runs.export import export as write

    target = out or run.with_name(f"{run.name}-shared")
    for file in write(run, target):
        print(file)
    print(f"next: unbraid explore {target}")


def main(arguments: list[str]) -> None:
    """``unbraid export RUN [--out FOLDER]``."""
    _flags.call(export, arguments, prog="unbraid export")
