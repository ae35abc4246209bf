"""Grids of small images, as pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from unbraid.errors import InvalidData
from unbraid.types import Bytes, Floats

__all__ = ["GAP", "TILE", "as_images", "decoded", "enlarge", "faded", "tile"]

GAP = 2
"""Pixels between two images of a grid."""
SEPARATOR = 196
"""A grey, so that neither black nor white images run into their neighbours."""
TILE = 64
"""Pixels that an image is wide on the page, at most."""


def as_images(images: Any, what: str = "images") -> Bytes:
    """Images as they must be: unsigned bytes ``(n, C, H, W)``, n at least 1, C 1 or 3.

    Raises:
        InvalidData: When they are not.
    """
    array: npt.NDArray[Any] = np.asarray(images)
    if array.ndim != 4 or 0 in array.shape or array.shape[1] not in (1, 3):
        raise InvalidData(f"{what} must be (images, 1 or 3 channels, height, width), but have shape {array.shape}")
    if array.dtype != np.uint8:
        raise InvalidData(f"{what} must be unsigned bytes 0 .. 255, but are {array.dtype}: multiply by 255 and round")
    return array


def decoded(decode: Callable[[Floats], Bytes], codes: Floats) -> Bytes:
    """The image of every code, checked: ``(B, D)`` to ``(B, C, H, W)``.

    Raises:
        InvalidData: When ``decode`` does not give one image for each code.
    """
    images = as_images(decode(codes), "decoded images")
    if len(images) != len(codes):
        raise InvalidData(f"decode must give an image for each code, but gave {len(images)} for {len(codes)} codes")
    return images


def enlarge(images: Bytes, size: int = TILE) -> Bytes:
    """Images at the size they are shown: the largest whole multiple that fits, or shrunk by averaging when too large.

    Args:
        images: ``(n, C, H, W)``.
        size: Pixels that the longer side may take, at least 1.

    Returns:
        ``(n, H', W', 3)`` with the channels last.
    """
    pixels = np.broadcast_to(images, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1)
    height, width = images.shape[2:]
    times = size // max(height, width)
    if times >= 1:
        return np.asarray(pixels.repeat(times, axis=1).repeat(times, axis=2))
    to = (max(1, width * size // max(height, width)), max(1, height * size // max(height, width)))
    whole = [Image.fromarray(image) for image in np.ascontiguousarray(pixels)]
    return np.stack([np.asarray(image.resize(to, Image.Resampling.BOX)) for image in whole])


def tile(pixels: Bytes, columns: int, gap: int = GAP) -> Bytes:
    """Lay images out in rows, left to right, with thin grey separators; the last row is filled up with white.

    Args:
        pixels: ``(n, H, W, 3)``.
        columns: Images in a row, at least 1.
        gap: Pixels between them, at least 0.

    Returns:
        One picture, ``(height, width, 3)``.

    >>> tile(np.zeros((5, 8, 8, 3), dtype=np.uint8), columns=3).shape
    (18, 28, 3)
    """
    count, height, width, _ = pixels.shape
    rows = -(-count // columns)
    grid = np.full((rows * columns, height + gap, width + gap, 3), SEPARATOR, dtype=np.uint8)
    grid[:count, :height, :width], grid[count:] = pixels, 255
    sheet = grid.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), 3)
    return sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap]


def faded(pixels: Bytes) -> Bytes:
    """The same images in pale grey: what is there but does not count."""
    grey = pixels.mean(axis=-1, keepdims=True)
    return np.broadcast_to(255 - (255 - grey) * 0.3, pixels.shape).astype(np.uint8)
