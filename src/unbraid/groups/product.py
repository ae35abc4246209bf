"""Direct products of groups.

References:
    Serre, "Linear representations of finite groups", Springer 1977, chapter 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from unbraid.errors import InvalidOption
from unbraid.groups.group import Group, Irrep
from unbraid.types import Floats

__all__ = ["Product"]


class Product(Group):
    r"""Several groups, none of which knows of the others: :math:`G_1 \times G_2 \times \dots`.

    An element is a row with an element of each. The irreps are tensor products of the parts' irreps; where two parts
    turn, their product is the sum of two, which turn with the sum and the difference of the angles.

    Args:
        parts: The groups, at least one.

    Raises:
        InvalidOption: When there are none.

    >>> from unbraid.groups.cyclic import Cyclic
    >>> torus = Product(Cyclic(3), Cyclic(5))
    >>> torus.order, sorted(irrep.name for irrep in torus.irreps())
    (15, ['0 0', '0 1', '0 2', '1 0', '1 1+', '1 1-', '1 2+', '1 2-'])
    """

    def __init__(self, *parts: Group) -> None:
        if not parts:
            raise InvalidOption("a product needs at least one group, but none is given")
        self.parts = parts
        self.width = sum(part.width for part in parts)
        orders = [part.order for part in parts]
        self.order = None if None in orders else int(np.prod([order for order in orders if order]))
        self._ends = np.cumsum([0, *(part.width for part in parts)])

    def split(self, a: Floats) -> list[Floats]:
        """The elements of each part, ``(B, W)`` to one array a part."""
        return [a[:, start:end] for start, end in pairwise(self._ends)]

    @property
    def identity(self) -> Floats:
        """The element that changes nothing, ``(W,)``."""
        return np.concatenate([part.identity for part in self.parts])

    def compose(self, a: Floats, b: Floats) -> Floats:
        """Part by part."""
        rows = zip(self.parts, self.split(a), self.split(b), strict=True)
        return np.column_stack([part.compose(x, y) for part, x, y in rows])

    def inverse(self, a: Floats) -> Floats:
        """Part by part."""
        return np.column_stack([part.inverse(x) for part, x in zip(self.parts, self.split(a), strict=True)])

    def matrices(self, a: Floats) -> Floats:
        """One block for each part, ``(B, d, d)``."""
        return _blocks([part.matrices(x) for part, x in zip(self.parts, self.split(a), strict=True)])

    def sample(self, count: int, generator: np.random.Generator) -> Floats:
        """Elements drawn uniformly, ``(count, W)``."""
        return np.column_stack([part.sample(count, generator) for part in self.parts])

    def quadrature(self, degree: int = 2) -> tuple[Floats, Floats]:
        """All combinations of the parts' elements."""
        rules = [part.quadrature(degree) for part in self.parts]
        place = np.indices([len(weights) for _, weights in rules]).reshape(len(rules), -1)
        elements = np.column_stack([found[at] for (found, _), at in zip(rules, place, strict=True)])
        return elements, np.prod([weights[at] for (_, weights), at in zip(rules, place, strict=True)], axis=0)

    def irreps(self, degree: int = 2) -> tuple[Irrep, ...]:
        """All products of the parts' irreps, the trivial one first."""
        found: list[Irrep] = [self._lifted(0, irrep) for irrep in self.parts[0].irreps(degree)]
        for place, part in enumerate(self.parts[1:], 1):
            later = [self._lifted(place, irrep) for irrep in part.irreps(degree)]
            found = [made for first in found for second in later for made in _tensor(first, second)]
        return tuple(found)

    def _lifted(self, place: int, irrep: Irrep) -> Irrep:
        """An irrep of one part, as one of the whole."""
        return Irrep(irrep.name, irrep.dimension, lambda a: irrep.matrices(self.split(a)[place]), irrep.turn)

    def __repr__(self) -> str:
        return f"Product({', '.join(map(repr, self.parts))})"


def _blocks(parts: list[Floats]) -> Floats:
    """Square matrices ``(B, d, d)`` along the diagonal of larger ones."""
    sizes = [part.shape[-1] for part in parts]
    whole = np.zeros((len(parts[0]), sum(sizes), sum(sizes)))
    for part, end, size in zip(parts, np.cumsum(sizes), sizes, strict=True):
        whole[:, end - size : end, end - size : end] = part
    return whole


def _tensor(first: Irrep, second: Irrep) -> list[Irrep]:
    name, dimension = f"{first.name} {second.name}", first.dimension * second.dimension

    def matrices(a: Floats) -> Floats:
        one, two = first.matrices(a), second.matrices(a)
        return np.asarray(np.einsum("bij,bkl->bikjl", one, two).reshape(len(a), dimension, dimension))

    eyes = np.eye(first.dimension), np.eye(second.dimension)
    if first.turn is None or second.turn is None:
        both = first.turn is None and second.turn is None
        turn = np.kron(eyes[0] if first.turn is None else first.turn, eyes[1] if second.turn is None else second.turn)
        return [Irrep(name, dimension, matrices, None if both else np.asarray(turn, dtype=np.float64))]
    # Both turns commute with everything, and so does their product; it is symmetric with square one, and its two
    # eigenspaces are the irreps.
    sign, basis = np.linalg.eigh(np.kron(first.turn, second.turn))
    made, about = [], np.kron(first.turn, eyes[1])
    for mark, chosen in (("+", sign < 0), ("-", sign > 0)):
        half = basis[:, chosen]
        made.append(_restricted(f"{name}{mark}", matrices, half, half.T @ about @ half))
    return made


def _restricted(name: str, matrices: Callable[[Floats], Floats], half: Floats, turn: Floats) -> Irrep:
    return Irrep(name, half.shape[1], lambda a: half.T @ matrices(a) @ half, turn)
