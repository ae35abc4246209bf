"""Files of one kind in a folder or in a .tar.gz, by name, and the MATLAB arrays that they hold."""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.needed import needed

__all__ = ["Archive", "read_cells", "read_mat"]


class Archive:
    """The files whose names match a pattern, in a folder or in a tar archive; nothing is unpacked to the disk.

    Args:
        path: The folder, or the archive.
        inner: The name of the folder within that holds them (``"cars"``).
        pattern: A regular expression for the whole of their names.

    Raises:
        InvalidData: When the path is a folder without such files.
    """

    def __init__(self, path: Path, inner: str, pattern: str) -> None:
        self.path, self.inner, self.pattern = path, inner, re.compile(pattern)
        self.folder = None
        if path.is_dir():
            folders = (path / "data" / inner, path / inner, path)
            self.folder = next((folder for folder in folders if any(self._listed(folder))), None)
            if self.folder is None:
                raise InvalidData(f"{path} holds no files called {pattern}, nor does a folder {inner!r} in it")

    def _listed(self, folder: Path) -> Iterator[Path]:
        if folder.is_dir():
            yield from (file for file in folder.iterdir() if self.pattern.fullmatch(file.name) and file.is_file())

    @property
    def sources(self) -> list[Path]:
        """The files on the disk."""
        return sorted(self._listed(self.folder)) if self.folder else [self.path]

    def names(self) -> list[str]:
        """The names of all files, in no order."""
        return [name for name, _ in self._members(contents=False)]

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Every file's name and content, in the order in which they come.

        Raises:
            InvalidData: When the archive or a file cannot be read.
        """
        return self._members(contents=True)

    def _members(self, *, contents: bool) -> Iterator[tuple[str, bytes]]:
        try:
            if self.folder is not None:
                for file in self.sources:
                    yield file.name, file.read_bytes() if contents else b""
                return
            with tarfile.open(self.path) as archive:
                for member in archive:
                    name = PurePosixPath(member.name)
                    if member.isfile() and name.parent.name == self.inner and self.pattern.fullmatch(name.name):
                        stream = archive.extractfile(member) if contents else None
                        yield name.name, stream.read() if stream else b""
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            raise InvalidData(f"{self.path} cannot be read ({error}): fetch it again") from error


def read_mat(raw: bytes, file: str, *names: str) -> list[npt.NDArray[Any]]:
    """Arrays in a MATLAB file of version 5 to 7.

    Args:
        raw: The file's content.
        file: What to call it in a sentence.
        names: The arrays' names.

    Raises:
        InvalidData: When the file is damaged, or lacks one.
    """
    from scipy.io import loadmat  # late: scipy.io takes long, and a list of worlds should not

    try:
        found = loadmat(io.BytesIO(raw), variable_names=list(names))
    # scipy raises what its parser stumbles over: some ten kinds, MemoryError among them.
    except Exception as error:
        raise InvalidData(f"{file} is not a whole MATLAB file ({error}): fetch it again") from error
    if missing := [name for name in names if name not in found]:
        raise InvalidData(f"{file} has no array called {' or '.join(missing)}: is it the right file?")
    return [found[name] for name in names]


def read_cells(raw: bytes, file: str, cells: str, *names: str) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]]:
    """A cell array of numbers, and plain arrays, in a MATLAB file of version 7.3, which is an HDF5 file.

    Args:
        raw: The file's content.
        file: What to call it in a sentence.
        cells: The name of the cell array.
        names: Those of the plain arrays.

    Returns:
        The arrays in the cells, and the plain ones; the axes of each are those of MATLAB, from last to first.

    Raises:
        MissingExtra: When h5py is not installed.
        InvalidData: When the file is damaged, or lacks one.
    """
    library = needed("h5py", "reading MATLAB files of version 7.3", "hdf5")
    try:
        with library.File(io.BytesIO(raw), "r") as data:
            if lacking := [name for name in (cells, *names) if name not in data]:
                raise InvalidData(f"{file} has no array called {' or '.join(lacking)}: is it the right file?")
            held = [data[reference][()] for reference in data[cells][()].ravel()]
            return held, [data[name][()] for name in names]
    except InvalidData:
        raise
    # h5py raises many kinds for a damaged file, and others for one that holds something else.
    except Exception as error:
        raise InvalidData(f"{file} is not a whole MATLAB 7.3 file ({error}): fetch it again") from error
