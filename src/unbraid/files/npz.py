"""Reader of single arrays inside .npz files, without unpickling anything and without reading them whole."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.kept import Kept

__all__ = ["Member", "npz_member"]

LOCAL_HEADER = 30
BLOCK = 1 << 24
"""Bytes that are unpacked at a time."""


@dataclass(frozen=True)
class Member:
    """One array inside an .npz file, known by its header alone until it is asked for.

    Args:
        path: The .npz file.
        name: The array's name in it.
        shape: Of the array.
        dtype: Of the array.
        offset: Where its numbers begin in the file, or None when they are compressed.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int | None

    def mapped(self) -> npt.NDArray[Any]:
        """The array, read from the disk as it is used; only for one stored without compression."""
        if self.offset is None:
            raise InvalidData(f"{self.name} is compressed in {self.path}: it can be read in blocks, but not mapped")
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)

    def kept(self, place: Path) -> npt.NDArray[Any] | Kept:
        """The array as it is used: mapped where it is, or, when it is compressed, unpacked once to ``place``."""
        if self.offset is not None:
            return self.mapped()
        return Kept(place, [self.path], self.shape, self._numbered, self.dtype)

    def _numbered(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        rows = max(1, BLOCK // max(1, math.prod(self.shape[1:]) * self.dtype.itemsize))
        return ((i * rows, block) for i, block in enumerate(self.blocks(rows)))

    def blocks(self, rows: int) -> Iterator[npt.NDArray[Any]]:
        """The array from first to last, ``rows`` rows at a time.

        Raises:
            InvalidData: When the file is damaged.
        """
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as stream:
                _header(stream)
                for start in range(0, self.shape[0], rows):
                    count = min(rows, self.shape[0] - start)
                    raw = stream.read(count * size)
                    if len(raw) != count * size:
                        raise EOFError(f"{self.name} ends after {start + len(raw) // size:,} of {self.shape[0]:,} rows")
                    yield np.frombuffer(raw, self.dtype).reshape(count, *self.shape[1:])
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise InvalidData(f"{self.path} is damaged ({error}): fetch it again") from error


def npz_member(path: str | Path, name: str) -> Member:
    """Find one array inside an .npz file, reading no more than its header.

    Args:
        path: The .npz file.
        name: The array's name in it.

    Raises:
        InvalidData: When the file is absent, is not an .npz, is truncated, or has no such array of plain numbers.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if f"{name}.npy" in names:
                entry = archive.getinfo(f"{name}.npy")
                with archive.open(entry) as stream:
                    shape, dtype = _header(stream)
                    header = stream.tell()
    except FileNotFoundError as error:
        raise InvalidData(f"there is no file {path}") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidData(f"{path} is not a whole .npz file ({error}): fetch it again") from error
    if f"{name}.npy" not in names:
        held = ", ".join(member.removesuffix(".npy") for member in names) or "nothing"
        raise InvalidData(f"{path} has no array {name!r}, but {held}: is it the right file?")
    expected = header + math.prod(shape) * dtype.itemsize
    if entry.file_size != expected:
        raise InvalidData(
            f"{name} in {path} announces {expected:,} bytes but holds {entry.file_size:,}: fetch it again"
        )
    return Member(path, name, shape, dtype, _offset(path, entry, header))


def _offset(path: Path, entry: zipfile.ZipInfo, header: int) -> int | None:
    """Where a member's numbers begin in the file, or None when they are compressed."""
    if entry.compress_type != zipfile.ZIP_STORED:
        return None
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        local = file.read(LOCAL_HEADER)
    lengths = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    return entry.header_offset + LOCAL_HEADER + lengths + header


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, column_major, dtype = read(stream)
    if dtype.hasobject or column_major:
        raise ValueError("only arrays of plain numbers in row order are read, and this one is not")
    return shape, dtype
