"""Curvature of networks whose Hessians are known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.nn.hessian import hidden, mixed_curvature


class Quadratic(nn.Module):
    """What the second layer is given is z' A z, for each A."""

    def __init__(self, *matrices: list[list[float]]) -> None:
        super().__init__()
        self.matrices = torch.tensor(matrices)
        self.last = nn.Linear(len(matrices), 1)

    def forward(self, z: Tensor) -> Tensor:
        answer: Tensor = self.last(torch.einsum("bi,kij,bj->bk", z, self.matrices, z))
        return answer


def curvature(network: nn.Module, scale: Tensor | None = None, epsilon: float = 0.1, directions: int = 4000) -> float:
    torch.manual_seed(0)
    z = torch.randn(3, 2)
    scale = torch.ones(2) if scale is None else scale
    return mixed_curvature(network, z, scale, epsilon=epsilon, directions=directions).item()


def test_latents_that_act_each_by_itself_pay_nothing() -> None:
    assert curvature(Quadratic([[1.0, 0.0], [0.0, -3.0]])) < 1e-3


def test_latents_that_only_act_together_pay_one_and_others_the_share_of_squares_off_the_diagonal() -> None:
    assert abs(curvature(Quadratic([[0.0, 1.0], [1.0, 0.0]])) - 1) < 0.1
    assert abs(curvature(Quadratic([[2.0, 1.0], [1.0, 0.0]])) - 2 / 6) < 0.05
    together = Quadratic([[2.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [2.0, 0.0]])
    assert abs(curvature(together) - (2 + 8) / (6 + 8)) < 0.1


def test_smaller_activations_do_not_pay_less() -> None:
    large, small = (curvature(Quadratic([[2.0 * s, s], [s, 0.0]])) for s in (1.0, 0.1))
    assert abs(large - small) < 1e-3


def test_the_share_is_measured_in_the_scale_of_each_latent() -> None:
    matrix = Quadratic([[2.0, 1.0], [1.0, 0.0]])
    stretched = Quadratic([[2.0, 2.0], [2.0, 0.0]])
    assert abs(curvature(matrix, torch.tensor([1.0, 2.0])) - curvature(stretched)) < 1e-3


def test_what_layers_of_weights_are_given_is_found_at_any_depth_once_and_in_order() -> None:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), inner, nn.Unflatten(1, (3, 1, 1)), nn.ConvTranspose2d(3, 1, 4))
    z = torch.randn(5, 2)
    first, second = hidden(network, z)
    assert torch.equal(first, network[0](z).relu())
    assert torch.equal(second, inner(first)[..., None, None])
    assert not any(module._forward_pre_hooks for module in network.modules())
