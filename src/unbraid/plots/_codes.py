"""Codes in two parts, class and style."""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidData
from unbraid.plots._draw import as_images
from unbraid.types import Bytes, Floats

__all__ = ["apart", "parts"]


def parts(codes: Floats, contents: int) -> tuple[Floats, Floats]:
    """Class codes ``(N, contents)`` and styles ``(N, D - contents)``.

    Raises:
        InvalidData: When there is not at least one number of each.
    """
    codes = np.asarray(codes, dtype=np.float64)
    if codes.ndim != 2 or not 0 < contents < codes.shape[1]:
        raise InvalidData(
            f"the first {contents} numbers of a code are its class code, but codes have shape {codes.shape}: this "
            "picture is of models that set class and style apart"
        )
    return codes[:, :contents], codes[:, contents:]


def apart(images: Bytes, codes: Floats, contents: int, least: int) -> tuple[Bytes, Floats, Floats]:
    """Images, checked, and the two parts of their codes.

    Raises:
        InvalidData: When there are fewer than ``least`` images, fewer codes than images, or no class codes.
    """
    images, (content, style) = as_images(images), parts(codes, contents)
    if len(images) < least or len(codes) < len(images):
        raise InvalidData(
            f"at least {least} images and their codes are needed, but there are {len(images)} and {len(codes)}"
        )
    return images, content, style
