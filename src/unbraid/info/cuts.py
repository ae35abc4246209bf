"""Where columns of numbers can be cut to part one class from the rest.

A cut between two neighbours on the same side, both in the class or both out of it, is never better than the nearer end
of their run when all of a side weigh alike. Without such cuts a class of n samples leaves at most 2 n of them in every
column, however many samples there are.

References:
    Fayyad and Irani, "On the handling of continuous-valued attributes in decision tree generation", Machine Learning 8,
    1992.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unbraid.types import Floats, Integers

__all__ = ["Sorted", "cut", "numbered", "sort_columns"]


class Sorted(NamedTuple):
    """The columns of codes ``(N, D)`` in ascending order.

    Args:
        order: Which sample comes where, ``(D, N)``.
        values: The codes in that order, ``(D, N)``.
        starts: For every column, where runs of equal values begin.
    """

    order: Integers
    values: Floats
    starts: list[Integers]


def sort_columns(codes: Floats) -> Sorted:
    """Sort every column once, for any number of classes."""
    order = np.argsort(codes.T, axis=1, kind="stable")
    values = np.take_along_axis(codes.T, order, axis=1)
    fresh = np.ones(values.shape, dtype=bool)
    np.not_equal(values[:, 1:], values[:, :-1], out=fresh[:, 1:])
    return Sorted(order, values, [np.flatnonzero(row) for row in fresh])


def cut(columns: Sorted, inside: npt.NDArray[np.bool_]) -> tuple[Integers, list[Floats]]:
    """The bin of every sample in every column, and the thresholds between bins.

    Args:
        columns: Of N samples and D columns.
        inside: Which samples are in the class, ``(N,)``; some are and some are not.

    Returns:
        Bins from 0, ``(N, D)``, and for every column its thresholds, each halfway between two neighbours.

    >>> codes = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> bins, thresholds = cut(sort_columns(codes), np.array([False, False, True, False]))
    >>> bins.ravel(), thresholds
    (array([0, 0, 1, 2]), [array([1.5, 2.5])])
    """
    bins = np.empty(columns.order.shape, dtype=np.int64)
    thresholds = []
    for order, values, starts, column in zip(*columns, bins, strict=True):
        side = inside[order]
        if len(starts) == len(order):
            needed = np.flatnonzero(side[1:] != side[:-1]) + 1
        else:
            # Equal values cannot be parted: theirs is a side of its own when they are of both.
            within = np.add.reduceat(side.astype(np.int64), starts)
            size = np.diff(np.append(starts, len(order)))
            kind = np.where(within == 0, 0, np.where(within == size, 1, 2))
            needed = starts[1:][(kind[1:] != kind[:-1]) | (kind[1:] == 2)]
        begins = np.zeros(len(order), dtype=np.int64)
        begins[needed] = 1
        column[order] = np.cumsum(begins)
        below, above = values[needed - 1], values[needed]
        middle = below + (above - below) / 2
        thresholds.append(np.where(middle < above, middle, below))
    return bins.T, thresholds


def numbered(codes: Floats, thresholds: list[Floats]) -> Integers:
    """The bins of other codes ``(M, D)`` between the same thresholds; what equals a threshold is below it."""
    bins: list[Any] = [np.searchsorted(between, column) for between, column in zip(thresholds, codes.T, strict=True)]
    return np.stack(bins, axis=1)
