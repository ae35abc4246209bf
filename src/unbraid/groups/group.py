"""What a group is here: elements as rows of numbers, their product, and their real irreducible representations.

References:
    Serre, "Linear representations of finite groups", Springer 1977, chapters 1, 2 and 13.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unbraid.types import Floats

__all__ = ["QUARTER", "Group", "Irrep", "rotation"]

QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])
"""A quarter turn of the plane."""


def rotation(angle: Floats) -> Floats:
    """Rotations of the plane by angles in radians: ``(B,)`` to ``(B, 2, 2)``.

    >>> rotation(np.array([np.pi / 2])).round(3).tolist()
    [[[0.0, -1.0], [1.0, 0.0]]]
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([cosine, -sine, sine, cosine], axis=-1).reshape(*np.shape(angle), 2, 2)


@dataclass(frozen=True)
class Irrep:
    """A real irreducible representation by orthogonal matrices.

    Args:
        name: As the group calls it.
        dimension: Of the space it acts on, d.
        matrices: From elements ``(B, W)`` to matrices ``(B, d, d)``.
        turn: A matrix that commutes with all of them and whose square is minus one, as a quarter turn with rotations;
            None where only multiples of one commute with all of them. A third kind, the quaternionic, does not occur
            in the groups of this package.
    """

    name: str
    dimension: int
    matrices: Callable[[Floats], Floats]
    turn: Floats | None = None

    @property
    def commuting(self) -> int:
        """How many linearly independent matrices commute with all of it: 1, or 2 where there is a turn."""
        return 1 if self.turn is None else 2

    def character(self, elements: Floats) -> Floats:
        """The traces, ``(B, W)`` to ``(B,)``."""
        return np.asarray(np.trace(self.matrices(elements), axis1=1, axis2=2))


class Group(ABC):
    """A compact group: elements are rows of W numbers, whole arrays go in and come out.

    Attributes:
        width: How many numbers tell an element, W.
        order: How many elements there are; None when they are a continuum.
    """

    width: int
    order: int | None

    @property
    def identity(self) -> Floats:
        """The element that changes nothing, ``(W,)``."""
        return np.zeros(self.width)

    @abstractmethod
    def compose(self, a: Floats, b: Floats) -> Floats:
        """The products ab, which act as b first and then a: twice ``(B, W)`` to ``(B, W)``."""

    @abstractmethod
    def inverse(self, a: Floats) -> Floats:
        """What undoes each element, ``(B, W)`` to ``(B, W)``."""

    @abstractmethod
    def matrices(self, a: Floats) -> Floats:
        """A faithful representation by orthogonal matrices, ``(B, W)`` to ``(B, d, d)``."""

    @abstractmethod
    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Elements drawn uniformly, ``(count, W)``."""

    @abstractmethod
    def quadrature(self, degree: int) -> tuple[Floats, Floats]:
        """Elements ``(Q, W)`` and weights ``(Q,)`` of sum 1 with which averages over the group are exact.

        For a finite group these are all its elements. For a continuum they are enough for products of two entries of
        irreps up to ``degree``.
        """

    @abstractmethod
    def irreps(self, degree: int = 2) -> tuple[Irrep, ...]:
        """The real irreps, the trivial one first: of a finite group all, of a continuum those up to ``degree``."""

    def same(self, a: Floats, b: Floats) -> bool:
        """Whether two rows of elements are the same ones, however they are written."""
        return np.allclose(self.matrices(a), self.matrices(b), atol=1e-9)

    def power(self, a: Floats, times: int) -> Floats:
        """Each element multiplied with itself, ``(B, W)`` to ``(B, W)``; ``times`` is at least 0."""
        result = np.broadcast_to(self.identity, a.shape)
        for _ in range(times):
            result = self.compose(result, a)
        return result
