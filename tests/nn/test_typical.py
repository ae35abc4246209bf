"""Aggregate posteriors, against samples and PyTorch's own KL."""

from __future__ import annotations

import torch
from torch.distributions import Normal, kl_divergence

from unbraid.nn.gaussian import Gaussian
from unbraid.nn.typical import Aggregates, atypicality, moments

torch.manual_seed(0)
Q = Gaussian(3 * torch.randn(50, 2), torch.randn(50, 2))


def test_moments_are_those_of_samples_from_all_posteriors() -> None:
    samples = torch.cat([Q.rsample() for _ in range(4000)])
    mean, variance = moments(Q)
    assert torch.allclose(mean, samples.mean(dim=0), atol=0.05)
    assert torch.allclose(variance, samples.var(dim=0), rtol=0.02)


def test_atypicality_is_the_kl_from_the_prior() -> None:
    mean, variance = torch.tensor([0.3, -2.0]), torch.tensor([0.5, 1.7])
    assert torch.allclose(atypicality(mean, variance), kl_divergence(Normal(mean, variance.sqrt()), Normal(0.0, 1.0)))


def test_each_environment_has_averages_of_its_own_and_begins_typical() -> None:
    aggregates = Aggregates(2, 2, keep=0.5)
    assert aggregates.typical(0.01).all()
    shifted = Gaussian(torch.tensor([[0.0, 4.0]]).expand(9, 2), torch.zeros(9, 2))
    aggregates.follow(shifted, 1)
    assert aggregates.mean.tolist() == [[0, 0], [0, 2]]
    assert aggregates.typical(0.6).tolist() == [[True, True], [True, False]]
