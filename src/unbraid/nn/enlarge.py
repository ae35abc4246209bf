"""A map is enlarged twice and convolved, at a third of what that costs.

References:
    Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016, doi:10.23915/distill.00003.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Enlarge"]

TAPS = torch.tensor(
    [[[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]], [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]],
    dtype=torch.float32,
)
"""Of an even and of an odd place in the large map: on which of three small pixels each of five weights falls."""


class Enlarge(nn.Module):
    """Every pixel becomes four alike, then comes a convolution 5x5: ``(B, in, H, W)`` to ``(B, out, 2 H, 2 W)``.

    Of the 25 pixels that it weighs many are copies, so that it is a convolution 3x3 of the small map for each of
    the four places in a large pixel: 36 multiplications where there were 100. Beyond the edge pixels go on as they are.

    Args:
        inputs: Channels before.
        outputs: Channels after.

    >>> Enlarge(2, 3)(torch.zeros(1, 2, 4, 5)).shape
    torch.Size([1, 3, 8, 10])
    """

    taps: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 5)
        self.register_buffer("taps", TAPS, persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """``(B, in, H, W)`` to ``(B, out, 2 H, 2 W)``."""
        weight, bias = self.convolution.weight, self.convolution.bias
        assert bias is not None  # made with one above
        small = torch.einsum("oihw,pyh,qxw->opqiyx", weight, self.taps, self.taps).flatten(0, 2)
        padded = F.pad(h, (1, 1, 1, 1), mode="replicate")
        return F.pixel_shuffle(F.conv2d(padded, small, bias.repeat_interleave(4)), 2)
