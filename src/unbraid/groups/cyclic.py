"""Cyclic groups."""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.groups.group import QUARTER, Group, Irrep, rotation
from unbraid.types import Floats

__all__ = ["Cyclic"]


class Cyclic(Group):
    r"""The steps of a circle of n places, :math:`C_n`: 0 .. n - 1, added modulo n.

    Its real irreps are the trivial one, rotations by :math:`2\pi k / n` for :math:`0 < k < n / 2`, and for even n the
    alternating sign.

    Args:
        n: How many places, at least 1.

    >>> [irrep.name for irrep in Cyclic(6).irreps()]
    ['0', '1', '2', '3']
    >>> Cyclic(7).compose(np.array([[5.0]]), np.array([[4.0]]))
    array([[2.]])
    """

    width = 1

    def __init__(self, n: int) -> None:
        require_at_least(1, n=n)
        self.n = self.order = n

    def compose(self, a: Floats, b: Floats) -> Floats:
        """The sums modulo n."""
        return (a + b) % self.n

    def inverse(self, a: Floats) -> Floats:
        """As many steps back."""
        return -a % self.n

    def matrices(self, a: Floats) -> Floats:
        """Rotations of the plane, ``(B, 2, 2)``."""
        return rotation(2 * np.pi * a[:, 0] / self.n)

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Elements drawn uniformly, ``(count, 1)``."""
        return generator.integers(0, self.n, (count, 1)).astype(np.float64)

    def quadrature(self, degree: int = 0) -> tuple[Floats, Floats]:
        """All elements, of equal weight."""
        return np.arange(self.n, dtype=np.float64)[:, None], np.full(self.n, 1 / self.n)

    def irreps(self, degree: int = 0) -> tuple[Irrep, ...]:
        """All of them, by their frequency k."""
        return tuple(self._irrep(k) for k in range(self.n // 2 + 1))

    def _irrep(self, k: int) -> Irrep:
        if 0 < 2 * k < self.n:
            return Irrep(str(k), 2, lambda a: rotation(2 * np.pi * k * a[:, 0] / self.n), QUARTER)
        return Irrep(str(k), 1, lambda a: np.cos(2 * np.pi * k * a[:, 0] / self.n)[:, None, None])

    def __repr__(self) -> str:
        return f"Cyclic({self.n})"
