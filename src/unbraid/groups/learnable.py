"""Matrices that learn to act: one for every action, of a form that is known to suit.

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020 (rotations of given planes).
    Caselles-Dupré, Garcia Ortiz and Filliat, "Symmetry-based disentangled representation learning requires interaction
    with environments", NeurIPS 2019 (blocks).
    Quessard, Barrett and Clements, "Learning disentangled representations and group structure of dynamical
    environments", NeurIPS 2020 (rotations of any plane).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least

__all__ = ["REPRESENTATIONS", "Blocks", "Exponentials", "Free", "Learnable", "RepresentationName", "Rotations"]

RepresentationName = Literal["rotations", "blocks", "free", "exponentials"]


class Learnable(nn.Module, ABC):
    """A matrix for every action.

    Args:
        actions: How many, A, at least 1.
        dimension: Of the space they act on, D, at least 1.
    """

    def __init__(self, actions: int, dimension: int) -> None:
        super().__init__()
        require_at_least(1, actions=actions, dimension=dimension)
        self.actions, self.dimension = actions, dimension

    @abstractmethod
    def forward(self) -> Tensor:
        """The matrices, ``(A, D, D)``."""


class _Planes(Learnable):
    """The actions 2i and 2i + 1 move the coordinates 2i and 2i + 1; no action moves what is left over of these."""

    def __init__(self, actions: int, dimension: int) -> None:
        super().__init__(actions, dimension)
        if (actions + 1) // 2 * 2 > dimension:
            raise InvalidOption(
                f"two actions share a plane of two latents, so {actions} actions need at least "
                f"{(actions + 1) // 2 * 2} latents, but there are {dimension}: give fewer actions, more latents, or "
                "matrices that are not bound to planes"
            )
        place = torch.arange(actions)[:, None] // 2 * 2 + torch.arange(2)
        self.register_buffer("frame", torch.eye(dimension)[place], persistent=False)

    def _placed(self, block: Tensor) -> Tensor:
        """Blocks ``(A, 2, 2)`` in their planes, the identity elsewhere."""
        frame = self.get_buffer("frame")
        change = block - torch.eye(2, device=block.device)
        return torch.eye(self.dimension, device=block.device) + torch.einsum("aid,aij,aje->ade", frame, change, frame)


class Rotations(_Planes):
    r"""Each action rotates a plane of its own by an angle that is learned; actions of a plane begin with either sign.

    .. math:: A_a = R(\theta_a) \oplus 1, \qquad \theta_a = \pm u, \quad u \sim U(\text{least}, \text{most})

    Angles do not begin near 0, to which they are drawn: until it is known which action is which, one and its inverse
    are mixed, and their mean angle is 0.

    Args:
        actions: How many.
        dimension: Of the space, at least as many.
        least: The smallest angle at first, in radians.
        most: The largest.

    >>> Rotations(4, 4)().shape
    torch.Size([4, 4, 4])
    """

    def __init__(self, actions: int, dimension: int, *, least: float = 0.5, most: float = 1.0) -> None:
        super().__init__(actions, dimension)
        sign = 1 - 2.0 * (torch.arange(actions) % 2)
        self.angle = nn.Parameter(sign * torch.empty(actions).uniform_(least, most))

    def forward(self) -> Tensor:
        """The matrices, ``(A, D, D)``."""
        cosine, sine = self.angle.cos(), self.angle.sin()
        return self._placed(torch.stack([cosine, -sine, sine, cosine], dim=-1).reshape(-1, 2, 2))


class Blocks(_Planes):
    """Each action is any matrix in a plane of its own, and moves nothing else; it begins near the identity.

    Args:
        actions: How many.
        dimension: Of the space, at least as many.
    """

    def __init__(self, actions: int, dimension: int) -> None:
        super().__init__(actions, dimension)
        self.block = nn.Parameter(torch.eye(2) + 0.1 * torch.randn(actions, 2, 2))

    def forward(self) -> Tensor:
        """The matrices, ``(A, D, D)``."""
        return self._placed(self.block)


class Free(Learnable):
    """Each action is any matrix; it begins near the identity.

    Args:
        actions: How many.
        dimension: Of the space.
    """

    def __init__(self, actions: int, dimension: int) -> None:
        super().__init__(actions, dimension)
        self.matrix = nn.Parameter(torch.eye(dimension) + 0.1 * torch.randn(actions, dimension, dimension))

    def forward(self) -> Tensor:
        """The matrices, ``(A, D, D)``."""
        return self.matrix


class Exponentials(Learnable):
    r"""Each action is a rotation of the whole space, :math:`A_a = \exp(S_a - S_a^\top)`, with S learned.

    Args:
        actions: How many.
        dimension: Of the space.

    >>> made = Exponentials(2, 3)()
    >>> torch.allclose(made @ made.mT, torch.eye(3), atol=1e-6)
    True
    """

    def __init__(self, actions: int, dimension: int) -> None:
        super().__init__(actions, dimension)
        self.generator = nn.Parameter(0.3 * torch.randn(actions, dimension * (dimension - 1) // 2))

    def forward(self) -> Tensor:
        """The matrices, ``(A, D, D)``."""
        upper = self.generator.new_zeros(self.actions, self.dimension, self.dimension)
        row, column = torch.triu_indices(self.dimension, self.dimension, 1, device=upper.device)
        upper = upper.index_put((torch.arange(self.actions)[:, None], row, column), self.generator)
        made: Tensor = torch.linalg.matrix_exp(upper - upper.mT)
        return made


REPRESENTATIONS: Mapping[str, type[Learnable]] = {
    "rotations": Rotations,
    "blocks": Blocks,
    "free": Free,
    "exponentials": Exponentials,
}
