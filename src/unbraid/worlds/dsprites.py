"""dSprites, as published.

References:
    Matthey et al., "dSprites: disentanglement testing sprites dataset", 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unbraid.draw.dsprites import CITATION, SIZE, SPACE
from unbraid.errors import InvalidData
from unbraid.files.kept import Kept
from unbraid.files.npz import npz_member
from unbraid.files.source import File, Source
from unbraid.types import Bytes, within
from unbraid.world import World

__all__ = ["DSprites"]

ROWS = 4096
PIXELS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
"""The eight pixels that are kept in each byte."""
FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"


class DSprites(World):
    """The 737,280 images of dSprites, read from the published .npz file; the same factors and order as Sprites.

    Nothing is read before images are asked for, and images are never all in memory. A file stored without compression
    is used as it is; the published one is unpacked once, at a bit a pixel (380 MB), into a file beside it, or into the
    data folder where its own cannot be written.

    Args:
        path: Of ``dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz``; by default where ``unbraid fetch dsprites`` puts
            it.

    Raises:
        InvalidData: When the file is absent, truncated or not dSprites.
    """

    citation = CITATION
    space = SPACE
    source: ClassVar[Source] = Source(
        "dsprites",
        "https://github.com/google-deepmind/dsprites-dataset",
        "Apache-2.0",
        (
            File(
                FILE,
                f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{FILE}",
                md5="7da33b31b13a06f4b04a70402ce90c2e",
            ),
        ),
    )

    def __init__(self, *, path: str | None = None) -> None:
        self.path, self.shape = path, (1, SIZE, SIZE)
        file = self.source.file(path, FILE)
        self._member = npz_member(file, "imgs")
        expected = (len(self.space), SIZE, SIZE)
        if self._member.shape != expected or self._member.dtype != np.uint8:
            raise InvalidData(
                f"imgs in {file} must be bytes {expected}, but are {self._member.dtype} {self._member.shape}: "
                "is it the published dSprites file?"
            )
        packed = (len(self.space), SIZE, SIZE // 8)
        self._bits: npt.NDArray[Any] | Kept = (
            self._member.mapped()
            if self._member.offset is not None
            else Kept(file.with_suffix(".bits.npy"), [file], packed, self._packed)
        )

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, 64, 64)``, bytes 0 or 255.

        Raises:
            InvalidData: When an index is out of range, or the file turns out to be damaged when it is unpacked.
        """
        index = within(indices, len(self))
        rows = self._bits[index]
        # Unpacked as one row of bits, which takes half the time of many; of bytes, minus 1 is 255.
        on = np.unpackbits(rows.reshape(-1)) if isinstance(self._bits, Kept) else (rows != 0).view(np.uint8)
        return np.negative(on, out=on).reshape(-1, *self.shape)

    def fractions(self, indices: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The same images as models see them: ``(B,)`` to ``(B, 1, 64, 64)``, float32 0 or 1."""
        if not isinstance(self._bits, Kept):
            return super().fractions(indices)
        rows = self._bits[within(indices, len(self))]
        return PIXELS.take(rows.reshape(-1), axis=0, mode="clip").reshape(-1, *self.shape)

    def _packed(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """The images at a bit a pixel."""
        for i, block in enumerate(self._member.blocks(ROWS)):
            yield i * ROWS, np.packbits(block, axis=-1)
