"""A network that bends a normal distribution into one whose directions mean something.

References:
    Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks", CVPR 2019,
    arXiv:1812.04948.
"""

from __future__ import annotations

from torch import Tensor, nn

from unbraid.nn.image import initialise

__all__ = ["Mapping"]


class Mapping(nn.Sequential):
    r"""Linear layers, each followed by a leaky rectifier: ``(B, D)`` to ``(B, D)``.

    Only the direction of what goes in counts, for it is brought to a mean square of 1 first:

    .. math:: w = f(z / \sqrt{\tfrac1D \textstyle\sum_j z_j^2})

    Args:
        dimension: D.
        depth: How many layers there are, at least 1.
    """

    def __init__(self, dimension: int, depth: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [nn.Linear(dimension, dimension), nn.LeakyReLU(0.2)]
        super().__init__(*layers)
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        """``(B, D)`` to ``(B, D)``."""
        h = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for layer in self:
            h = layer(h)
        return h.float()
