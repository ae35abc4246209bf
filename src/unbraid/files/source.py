"""Where a data set comes from and where it lies: the table that readers and ``unbraid fetch`` share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from unbraid.errors import InvalidData

__all__ = ["File", "Source", "data_folder"]


def data_folder() -> Path:
    """Where data sets lie by default: ``$UNBRAID_DATA``, else ``unbraid`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    given = os.environ.get("UNBRAID_DATA")
    if given:
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "unbraid"


@dataclass(frozen=True)
class File:
    """One published file.

    Args:
        name: What it is called on the disk.
        url: Where it can be fetched; empty where only a person can.
        md5: Its published checksum, or empty where none is known.
        size: Its length in bytes, or 0 where it is not known.
    """

    name: str
    url: str = ""
    md5: str = ""
    size: int = 0


@dataclass(frozen=True)
class Source:
    """The files of a data set, and what one must know before using them.

    Args:
        world: The name of the world that reads them.
        home: The page on which a person finds them.
        licence: The terms of use, in a few words.
        files: All of them.
        folder: Their folder below the data folder; by default the world's name.
        alternatives: Whether each file is a data set of its own, so that they are seldom wanted together.
    """

    world: str
    home: str
    licence: str
    files: tuple[File, ...]
    folder: str = ""
    alternatives: bool = False

    def place(self, folder: str | None = None) -> Path:
        """The folder the files are looked for in: the given one, or their own below the data folder."""
        return Path(folder).expanduser() if folder else data_folder() / (self.folder or self.world)

    def file(self, path: str | None, name: str) -> Path:
        """The file at ``path``, or the one called ``name`` in the data folder.

        Raises:
            InvalidData: When it is absent, with how to get it.
        """
        found = Path(path).expanduser() if path else self.place() / name
        if not found.exists():
            raise InvalidData(f"there is no file {found}: {self._mend(name, 'path')}")
        return found

    def find(self, folder: str | None, *names: str) -> Path:
        """The first of some names of one file that is in ``folder``, or in the data folder when that is None.

        Raises:
            InvalidData: When none is, with how to get it.
        """
        place = self.place(folder)
        for name in names:
            if (place / name).is_file():
                return place / name
        raise InvalidData(f"there is no file {' or '.join(names)} in {place}: {self._mend(names[-1], 'folder')}")

    def _mend(self, name: str, option: str) -> str:
        only = f" --only {name}" if self.alternatives else ""
        return f"get it with `unbraid fetch {self.world}{only}`, or name the one you have with `{option}`"
