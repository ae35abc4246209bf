"""Handwritten digits to draw scenes with: those that come with scikit-learn, enlarged and sharpened.

References:
    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidOption
from unbraid.files.handwritten import handwritten
from unbraid.files.pictures import enlarged
from unbraid.types import Bytes, Integers

__all__ = ["SIDE", "Handwritten", "Split"]

SIDE = 32
"""Height and width of a digit's picture; the originals have 8."""

EVERY = 5
"""One digit in so many is kept for testing."""

Split = Literal["all", "train", "test"]


class Handwritten:
    """All digits as pictures, and those of each class by number.

    Args:
        split: ``"all"`` 1,797, or four in five to ``"train"`` on, or one in five to ``"test"`` on.

    Attributes:
        pictures: White on black, ``(1797, SIDE, SIDE)`` bytes, whatever the split; read-only.
        counts: How many there are of each class, ``(10,)``.

    Raises:
        InvalidOption: When there is no such split.

    >>> digits = Handwritten("test")
    >>> int(digits.counts.sum())
    360
    """

    def __init__(self, split: Split = "all") -> None:
        if split not in ("all", "train", "test"):
            raise InvalidOption(f"split must be all, train or test, but is {split!r}")
        self.pictures, classes = _pictures()
        tested = np.arange(len(classes)) % EVERY == 0
        kept = {"all": np.ones_like(tested), "train": ~tested, "test": tested}[split]
        members = [np.flatnonzero(kept & (classes == digit)) for digit in range(10)]
        self.counts: Integers = np.array([len(some) for some in members])
        self._members = np.stack([np.resize(some, self.counts.max()) for some in members])

    def picture(self, digit: npt.ArrayLike, exemplar: npt.ArrayLike) -> Integers:
        """The row of ``pictures`` with one of a class's digits, 0 .. ``counts[digit] - 1``; the arguments broadcast."""
        return np.asarray(self._members[np.asarray(digit), np.asarray(exemplar)])


@cache
def _pictures() -> tuple[Bytes, Integers]:
    images, classes = handwritten()
    # Twice the contrast about grey: enlarged, the originals are blurred.
    levels = 255 * np.clip(2 * enlarged(images / 16, SIDE) - 0.5, 0, 1)
    pictures = np.rint(levels).astype(np.uint8)
    pictures.flags.writeable = False
    return pictures, classes
