"""The diagonal Gaussian against torch.distributions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from unbraid.nn.gaussian import Gaussian

STANDARD = Normal(torch.zeros(()), torch.ones(()))


def drawn(seed: int, spread: float = 1.0) -> tuple[Gaussian, Normal]:
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = (spread * torch.randn(7, 3, generator=generator) for _ in range(2))
    return Gaussian(mean, log_variance), Normal(mean, (log_variance / 2).exp())


@given(seed=st.integers(0, 1000), spread=st.floats(0.1, 3))
def test_divergence_to_the_standard_normal_is_torchs(seed: int, spread: float) -> None:
    q, reference = drawn(seed, spread)
    expected = kl_divergence(reference, STANDARD)
    torch.testing.assert_close(q.divergences(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(q.kl(), expected.sum(dim=1).mean(), rtol=1e-4, atol=1e-5)


def test_the_kl_is_summed_over_latents_and_averaged_over_images() -> None:
    q, _ = drawn(0)
    twice = Gaussian(q.mean.repeat(1, 2), q.log_variance.repeat(1, 2))
    torch.testing.assert_close(twice.kl(), 2 * q.kl())
    torch.testing.assert_close(Gaussian(q.mean.repeat(3, 1), q.log_variance.repeat(3, 1)).kl(), q.kl())


@given(seed=st.integers(0, 1000))
def test_log_density_is_torchs_and_broadcasts_over_pairs(seed: int) -> None:
    q, reference = drawn(seed)
    z = torch.randn(7, 3, generator=torch.Generator().manual_seed(seed + 1))
    torch.testing.assert_close(q.log_prob(z), reference.log_prob(z), rtol=1e-4, atol=1e-4)
    pairs = q.log_prob(z[:, None])
    assert pairs.shape == (7, 7, 3)
    torch.testing.assert_close(pairs[2, 5], reference.log_prob(z[2])[5], rtol=1e-4, atol=1e-4)


def test_samples_have_the_mean_and_the_variance() -> None:
    mean, log_variance = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, -3.0]])
    z = Gaussian(mean.expand(40_000, 2), log_variance.expand(40_000, 2)).rsample()
    # Five standard errors.
    deviation = (log_variance / 2).exp()
    assert ((z.mean(dim=0) - mean).abs() < 5 * deviation / 200).all()
    assert ((z.var(dim=0) / deviation.square() - 1).abs() < 5 * (2 / 40_000) ** 0.5).all()


def test_samples_pass_gradients_to_mean_and_log_variance() -> None:
    mean, log_variance = torch.zeros(4, 2, requires_grad=True), torch.zeros(4, 2, requires_grad=True)
    Gaussian(mean, log_variance).rsample().square().sum().backward()
    assert mean.grad is not None
    assert log_variance.grad is not None
    assert log_variance.grad.all()


def test_the_prior_is_the_standard_normal_and_no_distance_from_itself() -> None:
    q, _ = drawn(0)
    z = torch.randn(7, 3)
    torch.testing.assert_close(q.prior().log_prob(z), STANDARD.log_prob(z))
    assert float(q.prior().kl()) == 0


def test_half_precision_is_widened_before_it_overflows() -> None:
    q = Gaussian(torch.full((1, 1), 300.0, dtype=torch.float16), torch.full((1, 1), 20.0, dtype=torch.float16))
    assert torch.isfinite(q.kl())


def test_log_variances_whose_exponential_overflows_are_bounded_and_find_their_way_back() -> None:
    for extreme in (-1e6, 1e6):
        v = torch.full((2, 3), extreme, requires_grad=True)
        q = Gaussian(torch.full((2, 3), 5.0), v)
        z = q.rsample()
        terms = q.kl(), q.log_prob(z).mean(), q.log_prob(torch.zeros(2, 3)).mean(), z.square().mean()
        assert all(torch.isfinite(term) for term in terms)
        (gradient,) = torch.autograd.grad(q.kl(), v)
        assert torch.isfinite(gradient).all()
        assert (gradient.sign() == (1 if extreme > 0 else -1)).all(), "descent leads away from the bound"


def test_log_variances_within_the_bound_are_left_as_they_are() -> None:
    v = torch.linspace(-29, 19, 60).reshape(20, 3)
    assert torch.equal(Gaussian(torch.zeros(20, 3), v).log_variance, v)


def test_the_kl_to_a_laplace_distribution_is_its_integral() -> None:
    rate = 6.0
    mean, log_variance = torch.meshgrid(torch.linspace(-3, 3, 7), torch.linspace(-4, 1, 6), indexing="ij")
    q = Gaussian(mean.double(), log_variance.double())
    centre = torch.full_like(mean, 0.4)
    z = torch.linspace(-30, 30, 200_001, dtype=torch.float64)
    for i in range(7):
        for j in range(6):
            ours = Normal(mean[i, j].double(), (log_variance[i, j].double() / 2).exp())
            theirs = torch.distributions.Laplace(torch.tensor(0.4, dtype=torch.float64), 1 / rate)
            integral = torch.trapezoid(ours.log_prob(z).exp() * (ours.log_prob(z) - theirs.log_prob(z)), z)
            found = q.divergences_from_laplace(centre, rate)[i, j]
            assert found.item() == pytest.approx(integral.item(), rel=1e-4, abs=1e-4)
