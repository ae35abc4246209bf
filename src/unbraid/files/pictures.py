"""Pictures of any kind and size, brought to one shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.types import Bytes, Floats

__all__ = ["Fit", "Pictures", "enlarged", "prepared", "resized"]

Fit = Literal["crop", "pad", "stretch"]
LANCZOS = Image.Resampling.LANCZOS
KINDS = {1: "L", 3: "RGB"}


class Pictures:
    """Picture files as one array ``(N, channels, size, size)``, decoded when they are asked for.

    Args:
        files: Their paths.
        size: Pixels a side, at least 1.
        channels: 3 for colour, 1 for grey.
        fit: What is done to a picture that is not square: the middle is cut out, bars are added, or it is stretched.
        crop: Pixels a side of the square that is cut from the middle first; all of the picture where that is None.

    Raises:
        InvalidOption: When an option is out of range.
    """

    def __init__(
        self, files: Sequence[Path], size: int, *, channels: int = 3, fit: Fit = "crop", crop: int | None = None
    ) -> None:
        require_at_least(1, size=size)
        if channels not in KINDS:
            raise InvalidOption(f"channels must be 1 or 3, but is {channels}")
        if fit not in ("crop", "pad", "stretch"):
            raise InvalidOption(f"fit must be crop, pad or stretch, but is {fit!r}")
        self.files, self.size, self.channels, self.fit, self.crop = files, size, channels, fit, crop
        self.shape = (len(files), channels, size, size)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices: npt.ArrayLike) -> Bytes:
        """The pictures with the given numbers.

        Raises:
            InvalidData: When one cannot be read, with its name.
        """
        index = np.asarray(indices, dtype=np.int64)
        out = np.empty((len(index), *self.shape[1:]), dtype=np.uint8)
        for place, number in enumerate(index):
            out[place] = self._one(self.files[number])
        return out

    def _one(self, file: Path) -> Bytes:
        def opened() -> Image.Image:
            image = Image.open(file)
            if self.crop is None:
                # JPEG only: large photographs are decoded at half or a quarter of their size where that suffices.
                image.draft(KINDS[self.channels], (2 * self.size, 2 * self.size))
            return image

        return prepared(opened, str(file), self.size, self.channels, self.fit, self.crop)


def prepared(
    opened: Callable[[], Image.Image], name: str, size: int, channels: int, fit: Fit, crop: int | None = None
) -> Bytes:
    """One picture as bytes ``(channels, size, size)``.

    It is turned upright as its camera says; what is transparent becomes white; of a moving picture the first is taken.

    Args:
        opened: Gives the picture.
        name: What to call it in a sentence.
        size: Pixels a side.
        channels: 3 for colour, 1 for grey.
        fit: What is done to one that is not square.
        crop: Pixels a side of the square that is cut from the middle first.

    Raises:
        InvalidData: When it cannot be read.
    """
    try:
        with _verified(opened) as image:
            plain = _plain(ImageOps.exif_transpose(image)).convert(KINDS[channels])
    # Pillow raises what each of its forty decoders stumbles over, errors of the struct module among them.
    except Exception as error:
        raise InvalidData(f"{name} is not a picture that can be read ({error}): replace or remove it") from error
    if crop is not None:
        if min(plain.size) < crop:
            raise InvalidData(f"{name} is {plain.width}x{plain.height}, too small to cut {crop}x{crop} from its middle")
        left, top = (plain.width - crop) // 2, (plain.height - crop) // 2
        plain = plain.crop((left, top, left + crop, top + crop))
    if fit == "crop":
        plain = ImageOps.fit(plain, (size, size), LANCZOS)
    elif fit == "pad":
        plain = ImageOps.pad(plain, (size, size), LANCZOS)
    else:
        plain = plain.resize((size, size), LANCZOS)
    return np.asarray(plain).reshape(size, size, channels).transpose(2, 0, 1)


def _verified(opened: Callable[[], Image.Image]) -> Image.Image:
    image = opened()
    if image.format != "PNG":
        return image
    with image:
        image.verify()  # Its checksums, which decoding passes over; the picture is spent by it.
    return opened()


def _plain(image: Image.Image) -> Image.Image:
    """A picture without transparency, eight bits a channel."""
    if image.mode.startswith("I"):  # Grey of 16 bits, which Pillow would cut at 255.
        wide = np.asarray(image)
        if wide.min(initial=0) < 0 or wide.max(initial=0) > 0xFFFF:
            raise ValueError("its grey has more than 16 bits")
        return Image.fromarray((wide.astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its grey is of floating point numbers, whose white nobody knows")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return image


def resized(images: npt.NDArray[Any], size: int) -> Bytes:
    """Many images at once, smoothly (Lanczos): ``(..., h, w)`` in 0 .. 255 to bytes ``(..., size, size)``.

    >>> resized(np.full((5, 3, 96, 96), 7.0), 64).shape
    (5, 3, 64, 64)
    """
    return _bytes(images if images.shape[-2:] == (size, size) else enlarged(images, size))


def enlarged(images: npt.NDArray[Any], size: int) -> Floats:
    """The same in any range of numbers, neither rounded nor cut off where Lanczos overshoots: ``(..., size, size)``."""
    # Resizing is linear and works on rows and columns alike, so Pillow need only resize the unit matrix, once.
    height, width = images.shape[-2:]
    rows, columns = _resizing(height, size), _resizing(width, size)
    return np.asarray(rows @ images.astype(np.float64) @ columns.T)


def _bytes(images: npt.NDArray[Any]) -> Bytes:
    return np.asarray(np.clip(np.rint(images), 0, 255), dtype=np.uint8)


def _resizing(length: int, size: int) -> Floats:
    """The matrix that makes ``size`` pixels of ``length``."""
    unit = Image.fromarray(np.eye(length, dtype=np.float32))
    return np.asarray(unit.resize((length, size), LANCZOS), dtype=np.float64)
