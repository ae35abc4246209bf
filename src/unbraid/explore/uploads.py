"""Pictures that people give: small, of few kinds, and nothing but pixels of them is kept."""

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

import numpy as np

from unbraid.errors import InvalidData
from unbraid.types import Bytes, Shape

__all__ = ["BYTES", "read"]

BYTES = 8 << 20
"""The largest file that is taken."""
PIXELS = 40_000_000
"""The largest picture that is unpacked: a file of some kilobytes may claim to hold terabytes."""
KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read(content: bytes, shape: Shape, *, ground: Literal["black", "white"] = "black") -> Bytes:
    """A picture as a model takes it: its middle square, in the model's size and number of channels.

    Args:
        content: The file, at most ``BYTES`` long.
        shape: Channels (1 or 3), height, width.
        ground: What shows where the picture is transparent.

    Returns:
        ``(1, C, H, W)``.

    Raises:
        InvalidData: When it is no picture of a known kind, is damaged, or is too large.

    >>> read(b"GIF89a but not really", (1, 64, 64))
    Traceback (most recent call last):
    unbraid.errors.InvalidData: this is no picture that can be read: give a PNG, JPEG, WEBP, GIF or BMP file
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > BYTES:
        raise InvalidData(f"a picture may have {BYTES >> 20} MB, but this has {len(content) / (1 << 20):.1f}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter
            with Image.open(io.BytesIO(content), formats=KINDS) as opened:
                width, height = opened.size
                if width * height > PIXELS:
                    raise Image.DecompressionBombError
                turned = ImageOps.exif_transpose(opened)
                channels, *size = shape
                flat = _opaque(turned, ground).convert("L" if channels == 1 else "RGB")
                fitted = ImageOps.fit(flat, (size[1], size[0]), Image.Resampling.LANCZOS)
    except Image.DecompressionBombError:
        raise InvalidData(
            f"a picture may have {PIXELS / 1e6:.0f} million pixels, but this claims to have more"
        ) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise InvalidData(
            f"this is no picture that can be read: give a {', '.join(KINDS[:-1])} or {KINDS[-1]} file"
        ) from None
    pixels = np.asarray(fitted, dtype=np.uint8).reshape(*size, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _opaque(picture: Any, ground: str) -> Any:
    """Without transparency, which would otherwise show what lies hidden beneath."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, ground), picture)
    return picture
