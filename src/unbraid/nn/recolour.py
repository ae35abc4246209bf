"""Images in other colours and another light."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["recoloured"]


def recoloured(x: Tensor, contrast: float = 0.3, angle: float = math.pi) -> Tensor:
    r"""Every image with its hues turned about the axis of greys by an angle of its own, and with more or less contrast.

    What stands out stays where it is, while a colour tells nothing any more, or the less the greater the angle may be.
    Of images without three channels only the contrast changes.

    Args:
        x: ``(B, C, H, W)`` in 0 .. 1; what comes out may leave that range a little.
        contrast: By how much it changes at most, as a part, either way.
        angle: By how much hues are turned at most, in radians, either way.

    >>> recoloured(torch.full((2, 3, 4, 4), 0.5)).sub(0.5).abs().max() < 1e-6
    tensor(True)
    """
    gain = 1 + contrast * (2 * torch.rand(len(x), 1, 1, 1, device=x.device) - 1)
    if x.shape[1] == 3:
        turn = angle * (2 * torch.rand(len(x), 1, 1, device=x.device) - 1)
        grey = torch.full((3, 3), 1 / 3, device=x.device)
        # Rodrigues' formula: the part across the axis is turned, with the axis's vector product.
        across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=x.device) / math.sqrt(3)
        turned = grey + turn.cos() * (torch.eye(3, device=x.device) - grey) + turn.sin() * across
        # In half precision there would be fewer shades than images have.
        with torch.autocast(x.device.type, enabled=False):
            x = torch.einsum("bij,bjhw->bihw", turned, x.float())
    return 0.5 + gain * (x - 0.5)
