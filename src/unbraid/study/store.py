"""Where a study is kept: a folder here, a shared one, or anything fsspec knows (``s3://...``, ``memory://...``).

A cell is computed in a folder of this machine. Where the study is elsewhere, what was there is fetched first and what
changes is sent while it runs, so that another machine can take up the cell where this one left it.
"""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unbraid.errors import MissingExtra, RunError
from unbraid.runs import folder

__all__ = ["Store"]

SECONDS = 30.0
"""Between two looks at what has changed, where the study is elsewhere."""
KEPT_HERE = (".lock", ".part")


class Store:
    """Files of a study by name, whole or not at all.

    Args:
        root: A folder, or the address of one.

    Raises:
        MissingExtra: When it is an address and fsspec is not installed.
        RunError: When the address is of no known kind.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        self.remote = "://" in self.root
        self._files: Any = None
        if self.remote:
            try:
                import fsspec
            except ImportError:
                raise MissingExtra(f"a study at {self.root}", "remote") from None
            try:
                self._files, self._base = fsspec.core.url_to_fs(self.root)
            except (ValueError, ImportError) as error:
                raise RunError(f"{self.root} is no address that fsspec reads ({error})") from None

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None when there is none."""
        try:
            return bytes(self._files.cat_file(f"{self._base}/{name}")) if self.remote else self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        if self.remote:
            self._files.makedirs(f"{self._base}/{name}".rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(f"{self._base}/{name}", content)
        else:
            self._path(name).parent.mkdir(parents=True, exist_ok=True)
            folder.write_bytes(self._path(name), content)

    def remove(self, name: str) -> None:
        """Remove a file, where there is one."""
        if self.remote:
            if self._files.exists(f"{self._base}/{name}"):
                self._files.rm_file(f"{self._base}/{name}")
        else:
            self._path(name).unlink(missing_ok=True)

    def set_aside(self, place: str) -> None:
        """Give a folder another name, so that its own is free again; nothing of it is lost."""
        if not self.names(place):
            return
        parent, _, name = place.rpartition("/")
        taken = self.names(parent)
        aside = next(f"{name}.aside-{i}" for i in itertools.count(1) if f"{name}.aside-{i}" not in taken)
        if self.remote:
            self._files.mv(f"{self._base}/{place}", f"{self._base}/{parent}/{aside}", recursive=True)
        else:
            self._path(place).rename(self._path(f"{parent}/{aside}"))

    def names(self, place: str) -> list[str]:
        """The names of what lies in a folder of the study, sorted; none where there is no such folder."""
        if not self.remote:
            found = self._path(place)
            return sorted(file.name for file in found.iterdir()) if found.is_dir() else []
        try:
            self._files.invalidate_cache()
            return sorted(one.rpartition("/")[2] for one in self._files.ls(f"{self._base}/{place}", detail=False))
        except FileNotFoundError:
            return []

    @contextmanager
    def here(self, place: str) -> Iterator[Path]:
        """A folder of the study as one of this machine, which is sent back as it changes.

        Args:
            place: Its name within the study; nothing else of the study is in reach.
        """
        if not self.remote:
            yield self._path(place)
            return
        with tempfile.TemporaryDirectory(prefix="unbraid-") as scratch:
            local, done = Path(scratch) / Path(place).name, threading.Event()
            sent: dict[str, tuple[int, ...]] = {}
            for name in self.names(place):
                content = self.read(f"{place}/{name}")
                if content is not None:
                    local.mkdir(exist_ok=True)
                    (local / name).write_bytes(content)
                    sent[name] = _stamp(local / name)

            def send() -> None:
                for file in sorted(local.iterdir()) if local.is_dir() else []:
                    if not file.is_file() or file.name.endswith(KEPT_HERE):
                        continue
                    changed = _stamp(file)  # before it is read: what comes meanwhile is sent the next time
                    if sent.get(file.name) != changed:
                        self.write(f"{place}/{file.name}", file.read_bytes())
                        sent[file.name] = changed

            def watch() -> None:
                while not done.wait(SECONDS):
                    try:
                        send()
                    except OSError:  # a file was replaced as it was looked at, or the way there is down: next time
                        continue

            thread = threading.Thread(target=watch, daemon=True)
            thread.start()
            try:
                yield local
            finally:
                done.set()
                thread.join()
                send()

    def _path(self, name: str) -> Path:
        return Path(self.root) / name


def _stamp(file: Path) -> tuple[int, ...]:
    """What changes with a file; its time alone does not, where it changes twice within a tick of the clock."""
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
