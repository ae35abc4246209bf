"""Write a run to a model hub, with a card that says what it is and what it is worth."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["main", "push"]


def push(run: Path, name: str, /, *, private: bool = False) -> None:
    """Write a run to the Hugging Face hub, or to another that HF_ENDPOINT names.

    Args:
        run: The run folder.
        name: Whose it is to be and how it is called: somebody/something.
        private: Whether only its owners see it.
    """
    from unbraid.runs.hub import push as write

    print(write(run, name, private=private))


def main(arguments: list[str]) -> None:
    """``unbraid push RUN NAME [--private]``."""
    _flags.call(push, arguments, prog="unbraid push")
