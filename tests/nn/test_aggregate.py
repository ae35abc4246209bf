"""Posteriors that become one: equal ones, densities multiplied by hand, and the published rule for what is shared."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData
from unbraid.nn.aggregate import alike, averaged, blended, multiplied, told
from unbraid.nn.gaussian import Gaussian

BATCH, LATENTS = 50, 6


def posteriors(size: int) -> Gaussian:
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, BATCH, size, LATENTS, generator=generator)
    return Gaussian(mean, log_variance)


def equal(size: int) -> tuple[Gaussian, Gaussian]:
    """One posterior, and the same several times."""
    q = posteriors(1)
    return Gaussian(q.mean[:, 0], q.log_variance[:, 0]), Gaussian(
        q.mean.expand(-1, size, -1), q.log_variance.expand(-1, size, -1)
    )


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("aggregate", [averaged, lambda q: multiplied(q, harmonic=True)])
def test_the_mean_and_the_harmonic_product_of_equal_posteriors_are_that_posterior(aggregate, size) -> None:
    one, several = equal(size)
    joint = aggregate(several)
    torch.testing.assert_close(joint.mean, one.mean)
    torch.testing.assert_close(joint.log_variance, one.log_variance)


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_product_of_equal_posteriors_has_their_variance_divided_by_their_number(size) -> None:
    one, several = equal(size)
    joint = multiplied(several, harmonic=False)
    torch.testing.assert_close(joint.mean, one.mean)
    torch.testing.assert_close(joint.log_variance.exp(), one.log_variance.exp() / size)


def test_the_product_is_the_product_of_the_densities_up_to_a_constant() -> None:
    q = posteriors(3)
    z = torch.linspace(-2, 2, 9)[:, None, None]
    by_hand = Normal(q.mean, (q.log_variance / 2).exp()).log_prob(z[..., None]).sum(dim=2)
    joint = multiplied(q, harmonic=False)
    difference = Normal(joint.mean, (joint.log_variance / 2).exp()).log_prob(z) - by_hand
    torch.testing.assert_close(difference, difference[:1].expand(9, -1, -1), atol=1e-3, rtol=1e-4)


def test_the_mean_averages_variances_and_not_deviations() -> None:
    q = Gaussian(torch.tensor([[[1.0], [3.0]]]), torch.tensor([[[1.0], [9.0]]]).log())
    assert averaged(q).mean.item() == pytest.approx(2)
    assert averaged(q).log_variance.exp().item() == pytest.approx(5)


def test_the_kl_of_two_gaussians_is_that_of_torch() -> None:
    q = posteriors(2)
    first, second = (Gaussian(q.mean[:, n], q.log_variance[:, n]) for n in (0, 1))
    ours, theirs = (Normal(one.mean, (one.log_variance / 2).exp()) for one in (first, second))
    torch.testing.assert_close(first.divergences_from(second), kl_divergence(ours, theirs))
    torch.testing.assert_close(first.divergences_from(first.prior()), first.divergences())


@pytest.mark.parametrize("symmetric", [False, True])
def test_without_a_number_latents_in_the_lower_of_two_bins_are_shared_as_published(symmetric) -> None:
    q = posteriors(2)
    first, second = (Normal(q.mean[:, n], (q.log_variance[:, n] / 2).exp()) for n in (0, 1))
    delta = kl_divergence(first, second)
    if symmetric:
        delta = (delta + kl_divergence(second, first)) / 2
    for row, ours in zip(delta.numpy(), alike(q, symmetric=symmetric).numpy(), strict=True):
        edges = np.linspace(row.min(), row.max(), 3)
        assert np.array_equal(ours, np.digitize(row, edges[1:2]) == 0)


def test_a_symmetric_comparison_does_not_mind_which_image_is_first() -> None:
    q = posteriors(2)
    turned = Gaussian(q.mean.flip(1), q.log_variance.flip(1))
    assert torch.equal(alike(q, symmetric=True), alike(turned, symmetric=True))
    assert not torch.equal(alike(q), alike(turned))


@pytest.mark.parametrize("k", range(1, LATENTS + 1))
def test_with_a_number_all_but_the_k_least_alike_are_shared(k) -> None:
    q = posteriors(2)
    first, second = (Gaussian(q.mean[:, n], q.log_variance[:, n]) for n in (0, 1))
    delta, shared = first.divergences_from(second), alike(q, k=k)
    assert (~shared).sum(dim=1).tolist() == [k] * BATCH
    for row, same in zip(delta, shared, strict=True):
        assert not same.any() or row[same].max() <= row[~same].min()


def test_latents_beyond_the_factors_never_differ() -> None:
    differ = torch.tensor([[True, False, True], [False, False, False]])
    assert told(differ, 5).tolist() == [[True, False, True, False, False], [False] * 5]
    with pytest.raises(InvalidData, match="tell of 3 factors, but the model has 2 latents"):
        told(differ, 2)


def test_shared_latents_have_one_posterior_and_others_keep_their_own() -> None:
    q = posteriors(2)
    joint, shared = averaged(q), alike(q)
    mixed = blended(q, joint, shared).unflatten(2)
    for n in (0, 1):
        assert torch.equal(mixed.mean[:, n][shared], joint.mean[shared])
        assert torch.equal(mixed.log_variance[:, n][shared], joint.log_variance[shared])
        assert torch.equal(mixed.mean[:, n][~shared], q.mean[:, n][~shared])
