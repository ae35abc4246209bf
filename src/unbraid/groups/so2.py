"""The rotations of the plane."""

from __future__ import annotations

import numpy as np

from unbraid.groups.group import QUARTER, Group, Irrep, rotation
from unbraid.types import Floats

__all__ = ["SO2"]


class SO2(Group):
    r"""The rotations of the plane by any angle, in radians.

    Its real irreps are the trivial one and, for every k above 0, the rotation by k times the angle.

    >>> SO2().irreps(2)[2].matrices(np.array([[np.pi / 4]])).round(3).tolist()
    [[[0.0, -1.0], [1.0, 0.0]]]
    """

    width, order = 1, None

    def compose(self, a: Floats, b: Floats) -> Floats:
        """The sums, within a turn."""
        return (a + b) % (2 * np.pi)

    def inverse(self, a: Floats) -> Floats:
        """As far back."""
        return -a % (2 * np.pi)

    def matrices(self, a: Floats) -> Floats:
        """Rotations of the plane, ``(B, 2, 2)``."""
        return rotation(a[:, 0])

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Angles drawn uniformly, ``(count, 1)``."""
        return generator.uniform(0, 2 * np.pi, (count, 1))

    def quadrature(self, degree: int) -> tuple[Floats, Floats]:
        """Angles at equal distances."""
        count = 2 * degree + 1
        return 2 * np.pi * np.arange(count)[:, None] / count, np.full(count, 1 / count)

    def irreps(self, degree: int = 2) -> tuple[Irrep, ...]:
        """Those of the frequencies 0 .. degree."""
        trivial = Irrep("0", 1, lambda a: np.ones((len(a), 1, 1)))
        return trivial, *(self._irrep(k) for k in range(1, degree + 1))

    def _irrep(self, k: int) -> Irrep:
        return Irrep(str(k), 2, lambda a: rotation(k * a[:, 0]), QUARTER)

    def __repr__(self) -> str:
        return "SO2()"
