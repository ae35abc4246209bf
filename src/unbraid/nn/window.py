"""Looking at a part of an image, and drawing into a part of one: the spatial transformer, without rotation.

References:
    Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", NIPS 2015, arXiv:1506.02025.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["framed", "look", "place"]


def look(x: Tensor, window: Tensor, size: tuple[int, int]) -> Tensor:
    """What is seen through a window, at another size: ``(B, C, H, W)`` to ``(B, C, *size)``; black beyond the edges.

    Interpolation between pixels is bilinear, which for windows that are not turned is a product with two matrices.

    Args:
        x: Images.
        window: Size in parts of the image, and middle across and down in -1 .. 1, ``(B, 3)``.
        size: Height and width of what is seen.

    >>> x = torch.arange(16.0).view(1, 1, 4, 4)
    >>> look(x, torch.tensor([[0.5, -0.5, -0.5]]), (2, 2))
    tensor([[[[0., 1.],
              [4., 5.]]]])
    """
    scale, across, down = window.float().split(1, dim=1)
    rows = _weights(down + scale * _middles(size[0], x), x.shape[2])
    columns = _weights(across + scale * _middles(size[1], x), x.shape[3])
    return _through(rows, x, columns)


def place(y: Tensor, window: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture drawn into a window of a black image: ``(B, C, h, w)`` to ``(B, C, *size)``; :func:`look` undone.

    Args:
        y: Pictures.
        window: Size in parts of the image, and middle across and down in -1 .. 1, ``(B, 3)``.
        size: Height and width of the image.

    >>> place(torch.ones(1, 1, 2, 2), torch.tensor([[0.5, 0.5, 0.5]]), (4, 4))[0, 0]
    tensor([[0., 0., 0., 0.],
            [0., 0., 0., 0.],
            [0., 0., 1., 1.],
            [0., 0., 1., 1.]])
    """
    scale, across, down = window.float().split(1, dim=1)
    rows = _weights((_middles(size[0], y) - down) / scale, y.shape[2])
    columns = _weights((_middles(size[1], y) - across) / scale, y.shape[3])
    return _through(rows, y, columns)


def framed(window: Tensor) -> Tensor:
    """Windows by their corners: size and middle ``(..., 3)`` to left, top, width, height in parts of the image.

    >>> framed(torch.tensor([0.5, 0.0, 0.5]))
    tensor([0.2500, 0.5000, 0.5000, 0.5000])
    """
    size = window[..., :1]
    return torch.cat([(window[..., 1:] + 1) / 2 - size / 2, size, size], dim=-1)


def _middles(count: int, like: Tensor) -> Tensor:
    """Where the middles of so many pixels in a row lie in -1 .. 1."""
    return (2 * torch.arange(count, device=like.device) + 1) / count - 1


def _weights(at: Tensor, count: int) -> Tensor:
    """What each of ``count`` pixels in a row counts at places in -1 .. 1: ``(B, K)`` to ``(B, K, count)``."""
    pixel = ((at + 1) * count - 1) / 2
    return (1 - (pixel[:, :, None] - torch.arange(count, device=at.device)).abs()).clamp(min=0)


def _through(rows: Tensor, x: Tensor, columns: Tensor) -> Tensor:
    return torch.matmul(torch.matmul(rows[:, None], x), columns[:, None].transpose(2, 3))
