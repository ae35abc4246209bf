"""Kernel densities against torch.distributions, point by point."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from unbraid.info.kernel import kernel_multi_information


def test_it_equals_a_loop_over_samples_and_kernels() -> None:
    z, spread = torch.randn(7, 3), torch.tensor([0.5, 1.0, 2.0])
    bandwidth = spread * (4 / (3 + 2)) ** (1 / 7) * 7 ** (-1 / 7)
    expected = 0.0
    for here in z:
        joint = torch.stack([Normal(k, bandwidth).log_prob(here).sum().exp() for k in z]).mean()
        single = torch.stack([Normal(k, spread).log_prob(here).exp() for k in z]).mean(dim=0)
        expected += (joint.log() - single.log().sum()).item() / 7
    assert kernel_multi_information(z, spread).item() == pytest.approx(expected, rel=1e-5)


def test_it_does_not_depend_on_the_scale_of_a_latent() -> None:
    z, factor = torch.randn(20, 3), torch.tensor([0.1, 1.0, 7.0])
    torch.testing.assert_close(
        kernel_multi_information(factor * z, factor * z.std(0)), kernel_multi_information(z, z.std(0))
    )


def test_its_gradient_parts_latents_that_agree() -> None:
    shared = torch.randn(200, 1)
    z = (torch.cat((shared, shared), 1) + 0.1 * torch.randn(200, 2)).requires_grad_()
    for _ in range(30):
        (gradient,) = torch.autograd.grad(kernel_multi_information(z, z.std(0)), z)
        z = (z - 10 * gradient).detach().requires_grad_()
    assert torch.corrcoef(z.detach().T)[0, 1] < 0.9


def test_samples_that_are_all_alike_have_a_finite_value_and_gradient() -> None:
    z = torch.ones(4, 2, requires_grad=True)
    value = kernel_multi_information(z, torch.full((2,), 1e-6))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(z.grad).all()  # type: ignore[arg-type]
