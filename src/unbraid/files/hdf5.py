"""Reader of single arrays in HDF5 files, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.kept import Kept
from unbraid.files.needed import needed

__all__ = ["Rows", "hdf5_rows"]

COSTLY = 1 << 18
"""Bytes: where more must be unpacked for a single row, the whole array is unpacked once instead."""
BLOCK = 1 << 24


class Rows:
    """An array in an HDF5 file, of which only the chunks that hold the rows asked for are read.

    Args:
        path: The file.
        name: The array's name in it.

    Raises:
        MissingExtra: When h5py is not installed.
        InvalidData: When the file is absent or damaged, or has no such array of plain numbers.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        library = needed("h5py", "reading HDF5 files", "hdf5")
        try:
            with library.File(path, "r") as file:
                held = ", ".join(file) or "nothing"
                array = file.get(name)
                if not isinstance(array, library.Dataset) or not array.shape or array.dtype.kind not in "uif":
                    raise InvalidData(
                        f"{path} has no array of numbers called {name!r}, but {held}: is it the right file?"
                    )
                self.shape: tuple[int, ...] = tuple(array.shape)
                self.dtype: np.dtype[Any] = array.dtype
                self.chunks: tuple[int, ...] | None = array.chunks
                self.offset: int | None = None
                if array.chunks is None and array.external is None and not file.userblock_size:
                    self.offset = array.id.get_offset()
                self._check_whole(array)
        except FileNotFoundError as error:
            raise InvalidData(f"there is no file {path}") from error
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if isinstance(error, InvalidData):
                raise
            raise InvalidData(f"{path} is not a whole HDF5 file ({error}): fetch it again") from error

    def _check_whole(self, array: Any) -> None:
        # What was never written would be read as zeros without complaint.
        if self.chunks is None:
            present, expected = array.id.get_storage_size(), math.prod(self.shape) * self.dtype.itemsize
        else:
            present = array.id.get_num_chunks()
            expected = math.prod(-(-size // chunk) for size, chunk in zip(self.shape, self.chunks, strict=True))
        if present != expected:
            raise InvalidData(
                f"{self.name} in {self.path} holds {present:,} of its {expected:,} "
                f"{'bytes' if self.chunks is None else 'chunks'}: fetch it again"
            )

    @property
    def row(self) -> int:
        """The bytes of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: npt.ArrayLike) -> npt.NDArray[Any]:
        """The rows with the given numbers, each chunk read once.

        Raises:
            InvalidData: When the file turns out to be damaged.
        """
        wanted, back = np.unique(np.asarray(indices, dtype=np.int64), return_inverse=True)
        out = np.empty((len(wanted), *self.shape[1:]), dtype=self.dtype)
        chunk = wanted // (self.chunks[0] if self.chunks else 1)
        bounds = np.append(np.flatnonzero(np.diff(chunk, prepend=-1)), len(wanted))
        with self._opened() as array:
            for start, end in pairwise(bounds):
                first, last = wanted[start], wanted[end - 1]
                out[start:end] = array[first : last + 1][wanted[start:end] - first]
        return np.asarray(out[back])

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        # Opened each time: an open HDF5 file can neither be sent to another process nor survive a fork.
        try:
            with needed("h5py", "reading HDF5 files", "hdf5").File(self.path, "r") as file:
                yield file[self.name]
        except (OSError, RuntimeError, KeyError) as error:
            raise InvalidData(f"{self.path} is damaged ({error}): fetch it again") from error

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """The array from first to last, some rows at a time, each with the number of its first row.

        Raises:
            InvalidData: When the file turns out to be damaged.
        """
        depth = self.chunks[0] if self.chunks else 1
        # Whole chunks where that is possible, so that none is unpacked twice.
        rows = min(max(depth, BLOCK // self.row // depth * depth), max(1, 8 * BLOCK // self.row))
        with self._opened() as array:
            for start in range(0, len(self), rows):
                yield start, array[start : start + rows]


def hdf5_rows(path: Path, name: str, place: Path) -> npt.NDArray[Any] | Rows | Kept:
    """An array in an HDF5 file, in the way that serves random rows best; it is never in memory as a whole.

    Mapped where it lies in one piece, read by chunks where they are small, and otherwise unpacked once to ``place``.

    Args:
        path: The file.
        name: The array's name in it.
        place: Where an array whose chunks hold many rows is unpacked to.

    Raises:
        MissingExtra: When h5py is not installed.
        InvalidData: When the file is absent or damaged, or has no such array of plain numbers.
    """
    rows = Rows(path, name)
    if rows.offset is not None:
        return np.memmap(path, rows.dtype, "r", rows.offset, rows.shape)
    if rows.chunks is None or rows.chunks[0] * rows.row <= COSTLY:
        return rows
    return Kept(place, [path], rows.shape, partial(Rows.blocks, rows), rows.dtype)
