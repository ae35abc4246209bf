"""A critic that sees how much the images of a batch differ, so that drawing always the same does not pay.

References:
    Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation",
    ICLR 2018, arXiv:1710.10196 (section 3).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.image import initialise

__all__ = ["SpreadCritic"]


class SpreadCritic(nn.Module):
    r"""Features of each image, and with them the standard deviation of features over the batch; then one number.

    .. math:: D(x_i) = u^\top h_i + v\, \tfrac1F \sum_f \big(\tfrac1B \sum_j (h_{jf} - \bar h_f)^2\big)^{1/2} + b

    Images are therefore to be given real and drawn ones apart. In the paper the deviations are of maps, which go
    through two layers more.

    Args:
        encoder: From images to F features; a leaky rectifier follows.
        outputs: F.
    """

    def __init__(self, encoder: nn.Module, outputs: int) -> None:
        super().__init__()
        self.encoder, self.end = encoder, nn.Linear(outputs + 1, 1)
        initialise(self.end)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, 1)``."""
        h = F.leaky_relu(self.encoder(x), 0.2)
        spread = (h.var(dim=0, correction=0) + 1e-8).sqrt().mean()
        told: Tensor = self.end(torch.cat([h, spread.expand(len(h), 1)], dim=1))
        return told
