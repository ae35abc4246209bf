"""Fetch a run from a model hub."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["main", "pull"]


def pull(name: str, /, *, out: Path | None = None, revision: str | None = None) -> None:
    """Fetch a run from the Hugging Face hub, or from another that HF_ENDPOINT names.

    Args:
        name: Whose it is and how it is called: somebody/something.
        out: A folder that is new or empty; runs/something by default.
        revision: A branch, tag or commit; the newest by default.
    """
    from unbraid.runs.hub import pull as fetch

    run = fetch(name, out or Path("runs") / name.rpartition("/")[2], revision=revision)
    print(run.path)
    print(f"next: unbraid explore {run.path}")


def main(arguments: list[str]) -> None:
    """``unbraid pull NAME [--out FOLDER]``."""
    _flags.call(pull, arguments, prog="unbraid pull")
