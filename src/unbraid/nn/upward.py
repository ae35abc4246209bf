"""The layer that doubles the sides of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Upward"]


class Upward(nn.ConvTranspose2d):
    """A transposed convolution, 4 x 4 in steps of 2, that doubles height and width.

    It is PyTorch's own, but for a processor whose channels come last: there the gradient of the bias, within
    PyTorch's, makes the layer's whole gradient take twice its time; so the bias is added afterwards.

    Args:
        inputs: Channels of the image, at least 1.
        outputs: Channels of the larger image, at least 1.

    >>> Upward(3, 2)(torch.zeros(1, 3, 4, 4)).shape
    torch.Size([1, 2, 8, 8])
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=4, stride=2, padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, 2H, 2W)``."""
        # In this order: of models that are computed together (torch.func.vmap) the second cannot be asked.
        last = not self.weight.is_contiguous() and self.weight.is_contiguous(memory_format=torch.channels_last)
        if self.bias is None or not last or self.weight.device.type != "cpu":
            return super().forward(x, output_size)
        image = nn.functional.conv_transpose2d(x, self.weight, None, stride=2, padding=1)
        return image.add_(self.bias[:, None, None])
