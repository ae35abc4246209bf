"""Dihedral groups."""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.groups.group import Group, Irrep, rotation
from unbraid.types import Floats

__all__ = ["Dihedral"]


class Dihedral(Group):
    r"""The steps and mirrorings of a circle of n places, :math:`D_n`: a mirroring, or none, then r steps.

    An element is the row (r, s): with s = 1 the circle is mirrored first. :math:`D_3` is also the group of all
    permutations of three things. For n above 2 the order in which two elements act matters.

    Args:
        n: How many places, at least 1; there are 2n elements.

    >>> step, mirror = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> group = Dihedral(5)
    >>> group.compose(step, mirror).tolist(), group.compose(mirror, step).tolist()
    ([[1.0, 1.0]], [[4.0, 1.0]])
    >>> [irrep.dimension for irrep in group.irreps()]
    [1, 1, 2, 2]
    """

    width = 2

    def __init__(self, n: int) -> None:
        require_at_least(1, n=n)
        self.n, self.order = n, 2 * n

    def compose(self, a: Floats, b: Floats) -> Floats:
        """A mirroring turns the steps before it round."""
        steps = a[:, 0] + np.where(a[:, 1] == 1, -b[:, 0], b[:, 0])
        return np.column_stack([steps % self.n, (a[:, 1] + b[:, 1]) % 2])

    def inverse(self, a: Floats) -> Floats:
        """As many steps back; what mirrors is its own inverse."""
        return np.column_stack([np.where(a[:, 1] == 1, a[:, 0], -a[:, 0]) % self.n, a[:, 1]])

    def matrices(self, a: Floats) -> Floats:
        """Rotations of the plane and its mirrorings, ``(B, 2, 2)``."""
        return self._plane(1, a)

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Elements drawn uniformly, ``(count, 2)``."""
        return generator.integers(0, (self.n, 2), (count, 2)).astype(np.float64)

    def quadrature(self, degree: int = 0) -> tuple[Floats, Floats]:
        """All elements, of equal weight."""
        steps, mirrored = np.divmod(np.arange(2 * self.n), 2)
        return np.column_stack([steps, mirrored]).astype(np.float64), np.full(2 * self.n, 1 / (2 * self.n))

    def irreps(self, degree: int = 0) -> tuple[Irrep, ...]:
        """All of them: two signs, for even n two more, and a plane for each frequency below n / 2."""
        signs = [(1, 1), (1, -1), *([(-1, 1), (-1, -1)] if self.n % 2 == 0 else [])]
        planes = range(1, (self.n + 1) // 2)
        return tuple(self._sign(*sign) for sign in signs) + tuple(self._irrep(k) for k in planes)

    def _sign(self, step: int, mirror: int) -> Irrep:
        name = f"{step:+d}{mirror:+d}"
        return Irrep(name, 1, lambda a: (np.power(step, a[:, 0]) * np.power(mirror, a[:, 1]))[:, None, None])

    def _irrep(self, k: int) -> Irrep:
        return Irrep(str(k), 2, lambda a: self._plane(k, a))

    def _plane(self, k: int, a: Floats) -> Floats:
        mirrored = np.ones((len(a), 1, 2))
        mirrored[:, 0, 1] = 1 - 2 * a[:, 1]
        return rotation(2 * np.pi * k * a[:, 0] / self.n) * mirrored

    def __repr__(self) -> str:
        return f"Dihedral({self.n})"
