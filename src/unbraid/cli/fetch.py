"""Download the files that a world reads, check them, and put them where it looks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from unbraid import registry
from unbraid.cli import _flags
from unbraid.errors import InvalidData, InvalidOption

if TYPE_CHECKING:
    from unbraid.files.source import File, Source

__all__ = ["fetch", "main"]


def fetch(world: str, /, *, to: Path | None = None, only: tuple[str, ...] = (), mirror: str | None = None) -> None:
    """Download the files that a world reads, check them, and put them where it looks.

    A download that was interrupted goes on where it stopped. Files that are there already are checked.

    Args:
        world: Its name, from `unbraid list worlds`.
        to: The folder to put them in; by default the world's own in the data folder (UNBRAID_DATA, or unbraid in the
            user's cache).
        only: Names of files, or parts of them, with spaces between; by default all.
        mirror: The address of a folder that holds the files, instead of those known.
    """
    registry.check("worlds", world)
    source: Source | None = getattr(registry.load("worlds", world), "source", None)
    if source is None:
        raise InvalidOption(f"{world} has no files to fetch: it draws its images, or reads those you name")
    folder = source.place(str(to) if to else None)
    chosen = _chosen(source, only)
    if mirror is not None:
        chosen = [dataclasses.replace(file, url=f"{mirror.rstrip('/')}/{file.name}") for file in chosen]
    print(f"{world}: {source.home}\nlicence: {source.licence}\nfolder: {folder}")
    by_hand = [file for file in chosen if not _one(file, folder)]
    if by_hand:
        raise InvalidData(
            f"no address is known for {', '.join(file.name for file in by_hand)}: get "
            f"{'it' if len(by_hand) == 1 else 'them'} by hand from {source.home} and put "
            f"{'it' if len(by_hand) == 1 else 'them'} into {folder}, or name a folder of the web with --mirror"
        )
    citation = registry.load("worlds", world).citation
    print(f"if you use it, cite:\n{citation}")


def _chosen(source: Source, only: tuple[str, ...]) -> list[File]:
    if not only:
        if source.alternatives:
            names = ", ".join(file.name for file in source.files)
            raise InvalidOption(
                f"{source.world} has several large files, of which one may do: name some with --only ({names})"
            )
        return list(source.files)
    for part in only:
        if not any(part in file.name for file in source.files):
            names = ", ".join(file.name for file in source.files)
            raise InvalidOption(f"no file of {source.world} is called {part!r}: it has {names}")
    return [file for file in source.files if any(part in file.name for part in only)]


def _one(file: File, folder: Path) -> bool:
    """Fetch one file, or check the one that is there; False when there is neither a file nor an address."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from unbraid.files.fetch import fetch as download

    if not file.url and not (folder / file.name).exists():
        return False
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        found = download(
            file, folder, progress=lambda done, total: bar.update(task, completed=done, total=total or None)
        )
    if file.md5:
        print(f"{file.name}: {found.size:,} bytes, md5 {found.md5} as published")
    else:
        print(f"{file.name}: {found.size:,} bytes; no checksum is known to compare with, its sha256 is {found.sha256}")
    return True


def main(arguments: list[str]) -> None:
    """``unbraid fetch WORLD [--to DIR]``."""
    _flags.call(fetch, arguments, prog="unbraid fetch")
