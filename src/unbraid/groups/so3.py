"""The rotations of space."""

from __future__ import annotations

from functools import cache

import numpy as np

from unbraid.groups.group import Group, Irrep
from unbraid.types import Floats

__all__ = ["SO3"]


class SO3(Group):
    r"""The rotations of space, each as a vector along its axis, as long as its angle in radians.

    There is one real irrep of every odd dimension :math:`2l + 1`, on the spherical harmonics of degree l.

    >>> quarter = np.array([[0.0, 0.0, np.pi / 2]])
    >>> SO3().matrices(quarter).round(3).tolist()
    [[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    >>> [irrep.dimension for irrep in SO3().irreps(2)]
    [1, 3, 5]
    """

    width, order = 3, None

    def compose(self, a: Floats, b: Floats) -> Floats:
        """The rotation by b, then by a."""
        (p, u), (q, v) = _quaternion(a), _quaternion(b)
        scalar = p * q - (u * v).sum(axis=1)
        return _vector(scalar, p[:, None] * v + q[:, None] * u + np.cross(u, v))

    def inverse(self, a: Floats) -> Floats:
        """As far about the same axis, backwards."""
        return -a

    def matrices(self, a: Floats) -> Floats:
        """Rotations of space, ``(B, 3, 3)``."""
        return _exponential(a, np.cross(np.eye(3)[:, None], np.eye(3)[None]).swapaxes(1, 2))

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Rotations drawn uniformly, ``(count, 3)``."""
        drawn = generator.normal(size=(count, 4))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        return _vector(drawn[:, 0], drawn[:, 1:])

    def quadrature(self, degree: int) -> tuple[Floats, Floats]:
        """A grid of Euler angles about the third, the second and again the third axis."""
        cosine, weight = np.polynomial.legendre.leggauss(degree + 1)
        turn = 2 * np.pi * np.arange(2 * degree + 1) / (2 * degree + 1)
        first, second, third = (part.ravel() for part in np.meshgrid(turn, np.arccos(cosine), turn, indexing="ij"))
        zero = np.zeros_like(first)
        about = [np.column_stack(parts) for parts in ((zero, zero, first), (zero, second, zero), (zero, zero, third))]
        weights = np.tile(np.repeat(weight / 2, len(turn)), len(turn)) / len(turn) ** 2
        return self.compose(self.compose(about[0], about[1]), about[2]), weights

    def irreps(self, degree: int = 2) -> tuple[Irrep, ...]:
        """Those of the degrees 0 .. degree."""
        return tuple(self._irrep(degree) for degree in range(degree + 1))

    def _irrep(self, degree: int) -> Irrep:
        return Irrep(str(degree), 2 * degree + 1, lambda a: _exponential(a, _generators(degree)))

    def __repr__(self) -> str:
        return "SO3()"


def _quaternion(a: Floats) -> tuple[Floats, Floats]:
    angle = np.linalg.norm(a, axis=1)
    # sinc is smooth where the angle, and with it the axis, vanishes.
    return np.cos(angle / 2), a * (np.sinc(angle / (2 * np.pi)) / 2)[:, None]


def _vector(scalar: Floats, vector: Floats) -> Floats:
    """The vector of a unit quaternion; the angle is at most half a turn."""
    sign = np.where(scalar < 0, -1.0, 1.0)
    length = np.linalg.norm(vector, axis=1)
    angle = 2 * np.arctan2(length, sign * scalar)
    times = np.divide(angle, length, out=np.full_like(length, 2.0), where=length > 0)
    return np.asarray(vector * (sign * times)[:, None])


def _exponential(a: Floats, generators: Floats) -> Floats:
    """The exponential of the sum of ``a`` times skew generators ``(3, d, d)``: ``(B, 3)`` to ``(B, d, d)``."""
    value, vector = np.linalg.eigh(1j * np.einsum("bi,ijk->bjk", a, generators))
    return np.asarray(np.einsum("bij,bj,bkj->bik", vector, np.exp(-1j * value), vector.conj()).real)


@cache
def _generators(degree: int) -> Floats:
    """Of turns about the three axes, on real spherical harmonics: skew, ``(3, d, d)``."""
    m = np.arange(-degree, degree + 1)
    up = np.diag(np.sqrt((degree - m[:-1]) * (degree + m[:-1] + 1.0)), -1)
    spin = np.stack([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m).astype(complex)])
    # From harmonics of definite m to real ones: cos and sin of each |m|, with the usual signs.
    real = np.zeros((len(m), len(m)), dtype=complex)
    for row in m:
        sign = (-1.0) ** row
        if row == 0:
            real[degree, degree] = 1
        elif row > 0:
            real[degree + row, degree + row], real[degree + row, degree - row] = sign / np.sqrt(2), 1 / np.sqrt(2)
        else:
            real[degree + row, degree + row], real[degree + row, degree - row] = (
                1j / np.sqrt(2),
                -1j * sign / np.sqrt(2),
            )
    return np.real(real @ (-1j * spin) @ real.conj().T)
