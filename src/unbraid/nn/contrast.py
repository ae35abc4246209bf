"""A contrast for each kind of image, which may be inverted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Contrast"]

BEGIN = 2.0
"""Where the tanh begins: near its end, and not so near that no gradient comes through."""
SPEED = 300.0
"""How many times as fast as other parameters a contrast is learned."""


class Contrast(nn.Module):
    r"""Brings what a decoder draws nearer to the middle, or beyond it: :math:`c + \tanh(2 + 300\,w_k)\,(o - c)`.

    Each kind of image k has a weight for each channel, which begins at 0: a contrast of 0.96. Adam moves every weight
    by about the learning rate, so that a contrast changes its sign within some ten steps, before a decoder can learn
    to draw the inverted; and it cannot come to more than 1, or kinds that are learned later would be drawn the harder.

    Args:
        kinds: How many kinds of image there are, at least 1.
        channels: Of the images.
        centre: c, the middle of what the decoder puts out: 0 for logits, 0.5 for grey.

    >>> round(Contrast(2, 1)(torch.full((1, 1, 2, 2), 3.0), 0)[0, 0, 0, 0].item(), 3)
    2.892
    """

    def __init__(self, kinds: int, channels: int, *, centre: float = 0.0) -> None:
        super().__init__()
        self.centre = centre
        self.weight = nn.Parameter(torch.zeros(kinds, channels))

    def values(self) -> Tensor:
        """The contrasts, ``(kinds, channels)``, in -1 .. 1."""
        return torch.tanh(BEGIN + SPEED * self.weight)

    def forward(self, output: Tensor, kind: int | Tensor) -> Tensor:
        """``(B, C, H, W)``, and a kind for all or ``(B,)`` for each, to ``(B, C, H, W)``."""
        chosen = self.values()[torch.as_tensor(kind, device=output.device).expand(len(output))]
        return self.centre + chosen[:, :, None, None] * (output - self.centre)
