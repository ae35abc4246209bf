"""Files that are there whole or not at all, also where several processes write the same one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["PART", "writing"]

PART = ".part"
"""How what is not yet whole ends."""


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A new file, which takes the place of ``path`` at the end; after an error, what was there before is there still.

    Several processes may write the same file: one waits for the other, and it is what the last has written. What one
    leaves that is killed is ``<name>.part``, and goes with the next that writes the file.
    """
    with _claimed(path.with_name(f"{path.name}{PART}")) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)  # half a file on a full disk is in everybody's way
            raise
        if os.name == "nt":
            file.close()  # Windows renames no file that is open
        temporary.replace(path)


@contextmanager
def _claimed(path: Path) -> Iterator[BinaryIO]:
    """A file for one writer alone, empty; whoever else wants it waits until this one is done with it."""
    while True:
        with path.open("ab") as file:
            try:
                import fcntl
            except ImportError:  # Windows: two writers of one file in the same moment are not kept apart there
                pass
            else:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is(path, file):  # it was waited for, and has been put in its place meanwhile
                    continue
            file.truncate(0)
            yield file
            return


def _is(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
