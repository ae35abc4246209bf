"""Windows, against PyTorch's own sampling of grids."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unbraid.nn.window import look, place

GENERATOR = torch.Generator().manual_seed(0)
WINDOW = torch.tensor([[0.4, 0.3, -0.2], [0.9, -0.7, 0.1], [0.15, 0.0, 0.95]])


def sampled(x, scale, across, down, size):
    """Of each image what is at scale * grid + middle."""
    zero = torch.zeros_like(scale)
    theta = torch.stack([torch.stack([scale, zero, across], 1), torch.stack([zero, scale, down], 1)], 1)
    grid = F.affine_grid(theta, [len(x), x.shape[1], *size], align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def test_what_is_seen_through_a_window_is_the_image_sampled_there() -> None:
    x = torch.rand(3, 2, 20, 30, generator=GENERATOR)
    assert torch.allclose(look(x, WINDOW, (7, 9)), sampled(x, *WINDOW.T, (7, 9)), atol=1e-5)


def test_what_is_placed_in_a_window_is_sampled_the_other_way_round() -> None:
    y = torch.rand(3, 2, 7, 9, generator=GENERATOR)
    scale, across, down = WINDOW.T
    expected = sampled(y, 1 / scale, -across / scale, -down / scale, (20, 30))
    assert torch.allclose(place(y, WINDOW, (20, 30)), expected, atol=1e-4)


def test_what_was_placed_is_seen_again() -> None:
    y = torch.rand(1, 1, 8, 8, generator=GENERATOR)
    window = torch.tensor([[0.5, 0.25, -0.25]])
    assert torch.allclose(look(place(y, window, (16, 16)), window, (8, 8)), y, atol=1e-5)
