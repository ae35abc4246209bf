"""What a group does to the factors of a world."""

from __future__ import annotations

from typing import Literal

import numpy as np

from unbraid.errors import InvalidOption
from unbraid.groups.cyclic import Cyclic
from unbraid.groups.dihedral import Dihedral
from unbraid.groups.product import Product
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["FactorAction"]


class FactorAction:
    r"""A product of one group a factor that moves the values of factors, each around its own circle.

    Any cyclic or ordinal factor of n values becomes a circle, with the last value next to the first: :math:`C_n` takes
    steps on it, and :math:`D_n` also mirrors it, v to -v modulo n.

    Args:
        space: The factors of a world.
        factors: Which of them move; by default all that are cyclic or ordinal and have more than one value.
        kind: ``"cyclic"`` for steps alone, ``"dihedral"`` for mirrorings too.

    Attributes:
        columns: The columns of the factors that move, ``(F',)``.
        group: The group.

    Raises:
        InvalidOption: When no factor can move, or one that is named cannot.
        UnknownName: When there is no such factor.

    >>> from unbraid.types import Factor
    >>> action = FactorAction(FactorSpace([Factor("shape", 3, "categorical"), Factor("x", 5)]))
    >>> action.group, action.act(np.array([[2, 4]]), np.array([[2.0]]))
    (Product(Cyclic(5)), array([[2, 1]]))
    """

    def __init__(
        self, space: FactorSpace, factors: tuple[str, ...] = (), *, kind: Literal["cyclic", "dihedral"] = "cyclic"
    ) -> None:
        if kind not in ("cyclic", "dihedral"):
            raise InvalidOption(f"kind must be one of cyclic, dihedral, but is {kind!r}")
        able = [c for c, factor in enumerate(space) if factor.kind != "categorical" and factor.size > 1]
        chosen = [space.position(name) for name in factors] if factors else able
        fixed = [space.names[column] for column in chosen if column not in able]
        if fixed or not chosen:
            given = f"{', '.join(fixed)} cannot" if fixed else "none is given that could"
            raise InvalidOption(
                f"an action moves cyclic or ordinal factors of more than one value, but {given}: choose among "
                f"{', '.join(space.names[column] for column in able) or 'those of another world'}"
            )
        self.space, self.kind, self.columns = space, kind, np.array(chosen, dtype=np.int64)
        self.sizes: Integers = np.array([space.sizes[column] for column in chosen], dtype=np.int64)
        circle = Cyclic if kind == "cyclic" else Dihedral
        self.group = Product(*(circle(int(size)) for size in self.sizes))

    def act(self, values: Integers, elements: Floats) -> Integers:
        """The factors after an element each: ``(B, F)`` and ``(B, W)`` to ``(B, F)``."""
        moved = values.copy()
        parts = np.asarray(elements).reshape(len(elements), len(self.columns), -1)
        before = values[:, self.columns]
        if self.kind == "dihedral":
            before = np.where(parts[:, :, 1] == 1, -before, before)
        moved[:, self.columns] = (before + np.rint(parts[:, :, 0]).astype(np.int64)) % self.sizes
        return moved

    def steps(self) -> Floats:
        """The elements that take one step of one factor, in the order of the factors, ``(F', W)``."""
        return self._single(0)

    def mirrorings(self) -> Floats:
        """The elements that mirror one factor, ``(F', W)``; of a dihedral action alone."""
        if self.kind != "dihedral":
            raise InvalidOption("a cyclic action mirrors nothing: make it with kind='dihedral'")
        return self._single(1)

    def _single(self, place: int) -> Floats:
        count = len(self.columns)
        elements = np.zeros((count, count, self.group.width // count))
        elements[np.arange(count), np.arange(count), place] = 1
        return elements.reshape(count, -1)

    def ideal(self, elements: Floats) -> Floats:
        """The linear disentangled representation: each factor turns a plane of its own, ``(B, 2F', 2F')``."""
        return self.group.matrices(elements)
