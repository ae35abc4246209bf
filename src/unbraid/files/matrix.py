"""Reader of binary matrix files, the format of NORB."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData

__all__ = ["Matrix", "binary_matrix"]

TYPES = {
    0x1E3D4C51: "<f4",
    0x1E3D4C53: "<f8",
    0x1E3D4C54: "<i4",
    0x1E3D4C55: "|u1",
    0x1E3D4C56: "<i2",
}
LEAST = 3
"""At least so many sizes stand in the header, however few dimensions there are."""
MOST = 8


@dataclass(frozen=True)
class Matrix:
    """An array in a binary matrix file, plain or compressed with gzip, known by its header until it is asked for.

    Args:
        path: The file.
        shape: Of the array.
        dtype: Of the array.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def whole(self) -> npt.NDArray[Any]:
        """The array.

        Raises:
            InvalidData: When the file is damaged.
        """
        return next(self.blocks(max(1, self.shape[0])))

    def blocks(self, rows: int) -> Iterator[npt.NDArray[Any]]:
        """The array from first to last, ``rows`` rows at a time.

        Raises:
            InvalidData: When the file is damaged.
        """
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        try:
            with _opened(self.path) as stream:
                stream.read(_header_length(len(self.shape)))
                for start in range(0, self.shape[0], rows):
                    count = min(rows, self.shape[0] - start)
                    raw = stream.read(count * size)
                    if len(raw) != count * size:
                        raise EOFError(f"it ends after {start + len(raw) // size:,} of {self.shape[0]:,} rows")
                    if start + count == self.shape[0] and stream.read(1):
                        raise EOFError("it goes on after its last row")
                    yield np.frombuffer(raw, self.dtype).reshape(count, *self.shape[1:])
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidData(f"{self.path} is damaged ({error}): fetch it again") from error


def binary_matrix(path: str | Path) -> Matrix:
    """Find the array in a binary matrix file, reading no more than its header.

    Raises:
        InvalidData: When the file cannot be read, or is none.
    """
    path = Path(path)
    try:
        with _opened(path) as stream:
            raw = stream.read(_header_length(MOST))
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidData(f"{path} cannot be read ({error}): fetch it again") from error
    magic, dimensions = np.frombuffer(raw[:8].ljust(8, b"\0"), "<u4").tolist()
    if magic not in TYPES or not 1 <= dimensions <= MOST:
        raise InvalidData(f"{path} is not a binary matrix file: it begins with {raw[:8].hex(' ') or 'nothing'}")
    if len(raw) < _header_length(dimensions):
        raise InvalidData(f"{path} ends within its header: fetch it again")
    shape = tuple(np.frombuffer(raw, "<i4", dimensions, 8).tolist())
    if min(shape) < 1:
        raise InvalidData(f"{path} announces the shape {shape}: fetch it again")
    matrix = Matrix(path, shape, np.dtype(TYPES[magic]))
    length, expected = path.stat().st_size, _header_length(dimensions) + math.prod(shape) * matrix.dtype.itemsize
    if not _compressed(path) and length != expected:
        raise InvalidData(
            f"{path} announces the shape {shape}, {expected:,} bytes in all, but holds {length:,}: fetch it again"
        )
    return matrix


def _header_length(dimensions: int) -> int:
    return 8 + 4 * max(LEAST, dimensions)


def _compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if _compressed(path) else path.open("rb")
