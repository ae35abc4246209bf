"""Arrays that are made once from another file, kept on the disk, and read from there ever after."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.source import data_folder
from unbraid.files.whole import PART, claimed, discard, put

__all__ = ["Kept"]

Blocks = Callable[[], Iterator[tuple[int, npt.NDArray[Any]]]]


class Kept:
    """An array in an .npy file that is made from other files when it is first used, and mapped into memory.

    It is written whole or not at all, at ``place``, or into the data folder where that cannot be written. It carries
    the time of the files it is made from, and is made anew when that has changed.

    Args:
        place: The .npy file.
        sources: The files it is made from.
        shape: Of the array.
        blocks: Makes it: pairs of a first row and some rows from there on, in any order, all rows once.
        dtype: Of the array.
    """

    def __init__(
        self,
        place: Path,
        sources: Sequence[Path],
        shape: tuple[int, ...],
        blocks: Blocks,
        dtype: npt.DTypeLike = np.uint8,
    ) -> None:
        self.place, self.sources, self.shape, self.dtype = place, list(sources), shape, np.dtype(dtype)
        self._blocks = blocks

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        """A copy of the rows asked for.

        Raises:
            InvalidData: When the array must be made and its files are damaged, or there is no room for it.
        """
        return np.array(self._array[index])

    def __getstate__(self) -> dict[str, Any]:
        # A map would be sent to another process as all the bytes it stands for.
        return {name: value for name, value in vars(self).items() if name != "_array"}

    @cached_property
    def _array(self) -> npt.NDArray[Any]:
        digest = hashlib.sha256(str(self.place.resolve()).encode()).hexdigest()[:12]
        places = self.place, data_folder() / f"{self.place.stem}-{digest}.npy"
        made = max(source.stat().st_mtime_ns for source in self.sources)
        for place in places:
            if (found := self._found(place, made)) is not None:
                return found
        for place in places:
            with suppress(OSError):
                self._write(place, made)
                return self._opened(place)
        raise InvalidData(
            f"{self.sources[0]} must be unpacked once, into {math.prod(self.shape) * self.dtype.itemsize / 1e6:,.1f} "
            f"MB, but neither {places[0]} nor {places[1]} can be written: make room, or set UNBRAID_DATA to a folder "
            "that has some"
        )

    def _found(self, place: Path, made: int) -> npt.NDArray[Any] | None:
        """What is there and is of the sources as they are now."""
        with suppress(OSError, ValueError):  # None, not whole, or not ours to read: it is written anew.
            if place.stat().st_mtime_ns == made:
                return self._opened(place)
        return None

    def _opened(self, place: Path) -> npt.NDArray[Any]:
        # A plain array over the map: a memmap makes a Python object of everything that is taken from it.
        array: npt.NDArray[Any] = np.asarray(np.load(place, mmap_mode="r", allow_pickle=False))
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(f"{place} holds {array.dtype} {array.shape}")
        return array

    def _write(self, place: Path, made: int) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        row = math.prod(self.shape[1:]) * self.dtype.itemsize
        if shutil.disk_usage(place.parent).free < row * len(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
        # Who comes while another process makes it waits for that, and has it made.
        with claimed(place.with_name(f"{place.name}{PART}"), wait=True) as part:
            temporary = Path(part.name)
            try:
                if self._found(place, made) is not None:
                    temporary.unlink()
                    return
                self._make(temporary)
                os.utime(temporary, ns=(made, made))
                put(part, place)
            except BaseException:
                discard(part)
                raise

    def _make(self, place: Path) -> None:
        row, written = math.prod(self.shape[1:]) * self.dtype.itemsize, 0
        with place.open("wb") as file:
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
            np.lib.format.write_array_header_1_0(file, header)
            start = file.tell()
            for first, block in self._blocks():
                rows = np.ascontiguousarray(block, dtype=self.dtype)
                file.seek(start + first * row)
                file.write(rows.data)
                written += len(rows)
        if written != len(self):
            raise InvalidData(f"{self.sources[0]} holds {written:,} rows instead of {len(self):,}: fetch it again")
