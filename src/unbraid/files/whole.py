"""Files that are there whole or not at all, also where several processes write the same one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["PART", "claimed", "discard", "locked", "put", "writing"]

PART = ".part"
"""How what is not yet whole ends."""


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A new file, which takes the place of ``path`` at the end; after an error, what was there before is there still.

    Several processes may write the same file: one waits for the other, and it is what the last has written. What one
    leaves that is killed is ``<name>.part``, and goes with the next that writes the file.
    """
    with claimed(path.with_name(f"{path.name}{PART}"), wait=True) as file:
        file.truncate(0)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            put(file, path)
        except BaseException:
            discard(file)  # half a file on a full disk is in everybody's way
            raise


@contextmanager
def claimed(path: Path, *, wait: bool) -> Iterator[BinaryIO]:
    """A file for one process alone, opened to be read and to be added to; made where there is none.

    Args:
        path: The file.
        wait: Whether to wait for another process that has it.

    Raises:
        BlockingIOError: When another has it, and is not to be waited for.
    """
    while True:
        with path.open("ab+") as file:
            if locked(file.fileno(), path, wait=wait):
                yield file
                return


def locked(number: int, path: Path, *, wait: bool) -> bool:
    """Lock an open file or folder, and tell whether ``path`` is it still; the lock goes when it is closed.

    Between an opening and its lock, another process may have put the file in its place, or removed it: what was opened
    is then no longer to be touched.

    Raises:
        BlockingIOError: When another has it, and is not to be waited for.
    """
    try:
        import fcntl
    except ImportError:  # Windows: processes that meet are not kept apart there
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # some file systems of networks have no locks: there neither
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


def put(file: BinaryIO, path: Path) -> None:
    """Give a file that was written its name, while it is locked still."""
    if os.name == "nt":
        file.close()  # Windows renames no file that is open
    Path(file.name).replace(path)


def discard(file: BinaryIO) -> None:
    """Remove a file that is locked still, if it was not given its name: what bears it by now is another process's."""
    path = Path(file.name)
    with suppress(FileNotFoundError, ValueError):  # it was, and is closed where Windows has it so
        ours = os.path.samestat(path.stat(), os.fstat(file.fileno()))
        if os.name == "nt":
            file.close()  # nor removes one
        if ours:
            path.unlink()
