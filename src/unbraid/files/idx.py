"""Reader of idx files, the format of MNIST and its kin."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.types import Bytes, Integers

__all__ = ["Framed", "read_idx", "read_labelled"]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SIDE, MARGIN = 28, 2


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


class Framed:
    """Images of 28x28 that are given a black margin of two, to make 32x32, when they are asked for.

    Args:
        images: Bytes ``(N, 28, 28)``.
    """

    def __init__(self, images: Bytes) -> None:
        self.images = images
        self.shape = (len(images), 1, SIDE + 2 * MARGIN, SIDE + 2 * MARGIN)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Any) -> Bytes:
        margin = (MARGIN, MARGIN)
        return np.pad(self.images[index], ((0, 0), margin, margin))[:, None]


def read_labelled(world: str, find: Callable[[str, str], Path], prefix: str) -> tuple[Bytes, Integers]:
    """The images and labels that two idx files hold, as MNIST names them, plain or as .gz.

    Args:
        world: Whose files they are, for the sentences.
        find: Gives the file that has one of two names.
        prefix: What both names begin with (``"train-"``).

    Returns:
        Bytes ``(N, 28, 28)`` and whole numbers ``(N, 1)``.

    Raises:
        InvalidData: When a file is absent or damaged, or holds something else.
    """
    names = [f"{prefix}images-idx3-ubyte", f"{prefix}labels-idx1-ubyte"]
    images, labels = (read_idx(find(name, f"{name}.gz")) for name in names)
    if images.ndim != 3 or images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
        raise InvalidData(
            f"the images of {world} must be bytes (N, {SIDE}, {SIDE}), but are {images.dtype} {images.shape}"
        )
    if labels.shape != images.shape[:1] or labels.dtype != np.uint8:
        raise InvalidData(
            f"{len(images):,} images need as many byte labels, but there are {labels.dtype} {labels.shape}"
        )
    return images, labels[:, None].astype(np.int64)
