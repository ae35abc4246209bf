"""dSprites, as published.

References:
    Matthey et al., "dSprites: disentanglement testing sprites dataset", 2017.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.draw.dsprites import CITATION, SIZE, SPACE
from unbraid.errors import InvalidData
from unbraid.files import npz_member
from unbraid.types import Bytes
from unbraid.world import World

__all__ = ["DSprites"]

ROWS = 4096


class DSprites(World):
    """The 737,280 images of dSprites, read from the published .npz file; the same factors and order as Sprites.

    Nothing is read before images are asked for, and images are never all in memory. A file stored without compression
    is used as it is; the published one is unpacked once, at a bit a pixel (380 MB), into a file beside it, or into
    ``$XDG_CACHE_HOME/unbraid`` where its folder cannot be written.

    Args:
        path: Of ``dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz``, from github.com/google-deepmind/dsprites-dataset.

    Raises:
        InvalidData: When the file is absent, truncated or not dSprites.
    """

    citation = CITATION
    space = SPACE

    def __init__(self, *, path: str) -> None:
        self.path, self.shape = path, (1, SIZE, SIZE)
        self._member = npz_member(Path(path).expanduser(), "imgs")
        expected = (len(self.space), SIZE, SIZE)
        if self._member.shape != expected or self._member.dtype != np.uint8:
            raise InvalidData(
                f"imgs in {path} must be bytes {expected}, but are {self._member.dtype} {self._member.shape}: "
                "is it the published dSprites file?"
            )

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, 64, 64)``, bytes 0 or 255.

        Raises:
            InvalidData: When an index is out of range, or the file turns out to be damaged when it is unpacked.
        """
        index = np.asarray(indices, dtype=np.int64)
        self.space.factors(index)  # For its check: a memory map would take -1 for the last image.
        packed = self._member.offset is None
        on = np.unpackbits(self._bits[index], axis=-1) if packed else self._mapped[index] != 0
        return np.multiply(on, 255, dtype=np.uint8)[:, None]

    @cached_property
    def _mapped(self) -> npt.NDArray[Any]:
        return self._member.mapped()

    @cached_property
    def _bits(self) -> npt.NDArray[Any]:
        """The images at a bit a pixel, ``(N, 64, 8)``, read from the disk as they are used."""
        source = self._member.path.resolve()
        digest = hashlib.sha256(str(source).encode()).hexdigest()[:12]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "unbraid"
        places = source.with_suffix(".bits.npy"), cache / f"{source.stem}-{digest}.bits.npy"
        for place in places:
            if place.exists() and place.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                with suppress(OSError, ValueError):  # Not whole, or not ours to read: it is written anew.
                    return self._opened(place)
        for place in places:
            with suppress(OSError):
                self._pack(place)
                return self._opened(place)
        raise InvalidData(
            f"{source} must be unpacked once, but neither {places[0]} nor {places[1]} can be written: "
            "make room, or set XDG_CACHE_HOME to a folder that can be written"
        )

    def _opened(self, place: Path) -> npt.NDArray[Any]:
        bits: npt.NDArray[Any] = np.load(place, mmap_mode="r", allow_pickle=False)
        if bits.shape != (len(self.space), SIZE, SIZE // 8) or bits.dtype != np.uint8:
            raise ValueError(f"{place} holds {bits.dtype} {bits.shape}")
        return bits

    def _pack(self, place: Path) -> None:
        """Write the images to ``place`` at a bit a pixel: whole or not at all."""
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": (len(self.space), SIZE, SIZE // 8)}
                np.lib.format.write_array_header_1_0(file, header)
                for block in self._member.blocks(ROWS):
                    file.write(np.packbits(block, axis=-1).tobytes())
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
