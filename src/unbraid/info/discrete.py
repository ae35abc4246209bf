r"""Entropy and mutual information of discrete columns, by counting (the plug-in estimate), in nats.

The plug-in estimate of mutual information is biased upwards by about :math:`(A - 1)(B - 1) / 2N` for columns of A and B
values and N samples: with 20 bins, 40 values and 10000 samples, independent columns share 0.037 nats.

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the discretisation that its scores share).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, require_at_least
from unbraid.info.shared import shared
from unbraid.types import Floats, Integers

__all__ = ["discretise", "entropy", "mutual_information"]


@shared
def discretise(codes: npt.ArrayLike, bins: int = 20) -> Integers:
    """The bin of every code, from 1 to ``bins``, in bins of equal width between each column's least and greatest value.

    Equal to ``np.digitize(x, np.histogram(x, bins)[1][:-1])`` column by column: a bin holds its left edge, and a
    constant column, having no width, falls in one bin in the middle.

    Args:
        codes: Finite numbers, ``(N, D)``.
        bins: How many bins, at least 1.

    Returns:
        Bin numbers, ``(N, D)``.

    >>> discretise(np.array([[0.0], [0.4], [0.5], [1.0]]), bins=2).ravel()
    array([1, 1, 2, 2])
    """
    require_at_least(1, bins=bins)
    array = np.asarray(codes, dtype=np.float64)
    least, greatest = array.min(axis=0), array.max(axis=0)
    flat = least == greatest
    edges = np.linspace(np.where(flat, least - 0.5, least), np.where(flat, greatest + 0.5, greatest), bins + 1)
    # Counting the left edges below a value is as fast as a search at the usual 20 bins, and has no special cases.
    numbers = np.zeros(array.shape, dtype=np.int16 if bins < 2**15 else np.int64)
    for edge in edges[:-1]:
        numbers += array >= edge
    return numbers.astype(np.int64)


def entropy(labels: npt.ArrayLike) -> Floats:
    """The entropy of every column of whole numbers, ``(N, F)`` to ``(F,)``, in nats: between 0 and log N.

    >>> entropy(np.array([[0, 7], [1, 7], [0, 7], [1, 7]])).round(3)
    array([0.693, 0.   ])
    """
    columns, sizes = _columns(labels)
    return np.array([_entropy(column, size) for column, size in zip(columns, sizes, strict=True)])


@shared
def mutual_information(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    r"""The mutual information of every pair of columns, in nats.

    .. math:: I(a; b) = H(a) + H(b) - H(a, b)

    Args:
        first: Whole numbers, ``(N, D)``.
        second: Whole numbers about the same N samples, ``(N, F)``.

    Returns:
        ``(D, F)``: never negative, and exactly 0 where a column is constant.

    Raises:
        InvalidData: When the two differ in length.

    >>> a = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information(a, a[:, :1]).round(3)
    array([[0.693],
           [0.   ]])
    """
    (rows, row_sizes), (columns, column_sizes) = _columns(first), _columns(second)
    if rows.shape[1] != columns.shape[1]:
        raise InvalidData(f"both must describe the same samples, but have {rows.shape[1]} and {columns.shape[1]} rows")
    # One pair at a time is as fast as all in one count (2.8 against 2.6 ms for 10 x 5 columns of 10000), in 1/50 of the
    # memory; products of one-hot matrices take 12 ms.
    joint = np.array(
        [
            [_entropy(a * b_size + b, a_size * b_size) for b, b_size in zip(columns, column_sizes, strict=True)]
            for a, a_size in zip(rows, row_sizes, strict=True)
        ]
    )
    shared = entropy(first)[:, None] + entropy(second) - joint
    varies = (np.array(row_sizes) > 1)[:, None] & (np.array(column_sizes) > 1)
    return np.where(varies, np.maximum(shared, 0.0), 0.0)


def _columns(labels: npt.ArrayLike) -> tuple[Integers, list[int]]:
    """Labels ``(N, F)`` as contiguous rows ``(F, N)`` of numbers from 0, and how far each row's numbers reach."""
    array = np.asarray(labels)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "iub":
        raise InvalidData(
            f"labels must be whole numbers, (samples, columns), but have shape {array.shape} and type {array.dtype}"
        )
    rows = np.ascontiguousarray(array.T, dtype=np.int64)
    rows = rows - rows.min(axis=1, keepdims=True)
    for row in rows:
        if row.max() >= len(row):
            row[:] = np.unique(row, return_inverse=True)[1]
    return rows, [int(row.max()) + 1 for row in rows]


def _entropy(labels: Integers, size: int) -> float:
    # A table of counts, unless it would be mostly empty.
    counts = np.bincount(labels) if size <= 16 * len(labels) else np.unique(labels, return_counts=True)[1]
    counts = counts[counts > 0]
    return math.log(len(labels)) - float(counts @ np.log(counts)) / len(labels) if len(counts) > 1 else 0.0
