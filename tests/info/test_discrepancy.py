"""The maximum mean discrepancy against loops and against what it is for Gaussians."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from unbraid.info.discrepancy import KERNELS, mean_discrepancy


def drawn(size: int, latents: int = 3, seed: int = 0, shift: float = 0.0, spread: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return shift + spread * torch.randn(size, latents, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("kernel", "scale"), [("rbf", None), ("imq", None), ("rbf", 1.7), ("imq", 1.7)])
def test_the_estimate_equals_a_loop_over_pairs(kernel: Any, scale: float | None) -> None:
    x, y, s = drawn(4), drawn(6, seed=1, shift=0.5), scale or 6.0

    def k(a: Tensor, b: Tensor) -> float:
        squared = sum((p.item() - q.item()) ** 2 for p, q in zip(a, b, strict=True))
        return math.exp(-squared / s) if kernel == "rbf" else s / (s + squared)

    within_x = sum(k(x[i], x[j]) for i in range(4) for j in range(4) if i != j) / 12
    within_y = sum(k(y[i], y[j]) for i in range(6) for j in range(6) if i != j) / 30
    between = sum(k(a, b) for a in x for b in y) / 24
    found = mean_discrepancy(x, y, kernel=kernel, scale=scale).item()
    assert found == pytest.approx(within_x + within_y - 2 * between, rel=1e-10)


def closed_form(shift: float, spread: float, latents: int, s: float) -> float:
    """For N(shift, spread^2 I) and N(0, I): E exp(-|a - b|^2 / s) of two Gaussians is one of their difference."""

    def mean_kernel(m: float, variance: float) -> float:
        return float(((1 + 2 * variance / s) ** -0.5 * math.exp(-(m**2) / (s + 2 * variance))) ** latents)

    return mean_kernel(0, 2 * spread**2) + mean_kernel(0, 2) - 2 * mean_kernel(shift, 1 + spread**2)


@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.2), (0.4, 1.5)])
def test_it_converges_to_the_closed_form_of_two_gaussians(shift: float, spread: float) -> None:
    x, y = drawn(1500, shift=shift, spread=spread), drawn(1500, seed=1)
    assert mean_discrepancy(x, y).item() == pytest.approx(closed_form(shift, spread, 3, 6.0), abs=0.015)


def test_small_samples_are_right_on_average_and_may_be_below_0() -> None:
    many = torch.stack([mean_discrepancy(drawn(4, seed=2 * i), drawn(4, seed=2 * i + 1)) for i in range(1500)])
    error = many.std().item() / math.sqrt(len(many))
    assert abs(many.mean().item()) < 3 * error
    assert many.min() < 0
    assert error < 0.005, "the bias of the other estimator, which counts every sample with itself, is 0.26"


@given(seed=st.integers(0, 1000), kernel=st.sampled_from(sorted(KERNELS)))
def test_it_is_symmetric_and_does_not_feel_the_order_of_samples(seed: int, kernel: Any) -> None:
    x, y = drawn(5, seed=seed), drawn(7, seed=seed + 1)
    found = mean_discrepancy(x, y, kernel=kernel)
    torch.testing.assert_close(mean_discrepancy(y, x, kernel=kernel), found)
    torch.testing.assert_close(mean_discrepancy(x.flip(0), y, kernel=kernel), found)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_its_gradient_draws_samples_to_the_other_distribution(kernel: Any) -> None:
    x = drawn(50, shift=1.0).requires_grad_()
    (gradient,) = torch.autograd.grad(mean_discrepancy(x, drawn(50, seed=1), kernel=kernel), x)
    assert torch.isfinite(gradient).all()
    assert (gradient.mean(dim=0) > 0).all()
    torch.autograd.gradcheck(lambda z: mean_discrepancy(z, drawn(4, seed=1), kernel=kernel), drawn(3).requires_grad_())


def test_a_sample_of_one_counts_only_by_its_distance_to_the_others() -> None:
    x, y = torch.zeros(1, 2), torch.tensor([[2.0, 0.0]])
    assert mean_discrepancy(x, y).item() == pytest.approx(-2 * math.exp(-1))
