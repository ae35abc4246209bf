"""Readers of data files: idx (MNIST and its kin) and single arrays inside .npz; nothing is ever unpickled."""

from __future__ import annotations

import gzip
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

__all__ = ["Member", "npz_member", "read_idx"]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LOCAL_HEADER = 30


def read_idx(path: str | Path) -> npt.NDArray[Any]:
    """The array in an idx file, plain or compressed with gzip (known by its first bytes, not by its name).

    Args:
        path: The file.

    Returns:
        The array, in the file's shape and type.

    Raises:
        InvalidData: When the file cannot be read, is not idx, or does not hold as many numbers as it announces.
    """
    try:
        raw = Path(path).read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidData(f"{path} cannot be read ({error}): fetch it again") from error
    if len(raw) < 4 or raw[:2] != b"\x00\x00" or raw[2] not in IDX_TYPES:
        raise InvalidData(f"{path} is not an idx file: it begins with {raw[:4].hex(' ') or 'nothing'}")
    dtype, dimensions = np.dtype(IDX_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * dimensions
    if len(raw) < start:
        raise InvalidData(f"{path} ends within its header: fetch it again")
    shape = tuple(np.frombuffer(raw, ">u4", dimensions, 4).tolist())
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise InvalidData(
            f"{path} announces the shape {shape}, {expected:,} bytes in all, but holds {len(raw):,}: fetch it again"
        )
    return np.frombuffer(raw, dtype, offset=start).reshape(shape)


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
