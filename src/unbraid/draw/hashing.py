"""Randomness by counting: numbers that look random and are functions of (seed, purpose, index, column) alone.

What a drawn image has beyond its factors, such as the wobble of a line, must be the same whenever the image is asked
for and in whatever batch. A hash of its number gives that for whole batches, without a generator for each image.

References:
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidOption
from unbraid.seed import derive
from unbraid.types import Floats, Integers

__all__ = ["integers", "uniforms"]

Words = npt.NDArray[np.uint64]

# The constants of SplitMix64: an odd number that visits every word, and the two multipliers of its mixing.
STEP, FIRST, SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def uniforms(indices: npt.ArrayLike, columns: int, *, seed: int, purpose: str) -> Floats:
    """Numbers in [0, 1) for each index: ``(B,)`` to ``(B, columns)``.

    Args:
        indices: Any integers, usually the numbers of images.
        columns: How many numbers each index gets.
        seed: The user's seed, at least 0.
        purpose: What they are for; different purposes are independent.

    Raises:
        InvalidOption: When the seed is below 0.

    >>> few = uniforms([7, 8, 7], 2, seed=0, purpose="wobble")
    >>> bool((few[0] == few[2]).all()), bool((few[0] == few[1]).any())
    (True, False)
    """
    words = _words(indices, columns, seed, purpose)
    return np.asarray((words >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def integers(indices: npt.ArrayLike, columns: int, below: npt.ArrayLike, *, seed: int, purpose: str) -> Integers:
    """Integers from 0 to ``below - 1`` for each index: ``(B,)`` to ``(B, columns)``; see :func:`uniforms`.

    Args:
        indices: Any integers.
        columns: How many integers each index gets.
        below: The number of values, at least 1 and below 2 ** 32; broadcasts to ``(B, columns)``.
        seed: The user's seed, at least 0.
        purpose: What they are for.

    Raises:
        InvalidOption: When the seed is below 0, or ``below`` is out of range.
    """
    values = np.asarray(below, dtype=np.int64)
    if values.size and not 1 <= values.min() <= values.max() < 2**32:
        raise InvalidOption(f"below must lie in 1 .. 2 ** 32 - 1, but runs from {values.min()} to {values.max()}")
    # The upper half times the number of values: its own upper half is the choice.
    half = _words(indices, columns, seed, purpose) >> np.uint64(32)
    return np.asarray((half * values.astype(np.uint64)) >> np.uint64(32), dtype=np.int64)


def _words(indices: npt.ArrayLike, columns: int, seed: int, purpose: str) -> Words:
    index = np.asarray(indices, dtype=np.int64).astype(np.uint64)
    key = np.array(derive(seed, purpose), dtype=np.uint64)
    # Mixed once by index and once more by column, so that the numbers of neighbours do not overlap.
    return _mixed(_mixed(index * STEP + key)[:, None] + np.arange(1, columns + 1, dtype=np.uint64) * STEP)


def _mixed(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    return words ^ (words >> np.uint64(31))
