"""The annealed VAE's loss, derived anew image by image."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.model import Terms
from unbraid.models.annealedvae import AnnealedVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch

SIZE, LATENTS = 5, 3
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)


def made(cls: Any = AnnealedVAE, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=LATENTS, **options)


def loss(model: Any, step: int = 0) -> Terms:
    torch.manual_seed(5)
    terms: Terms = model.loss(BATCH, step)
    return terms


def nats(model: AnnealedVAE) -> list[float]:
    """The KL of every image."""
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    q = Normal(mean, (log_variance / 2).exp())
    return [kl_divergence(Normal(q.mean[i], q.stddev[i]), Normal(0.0, 1.0)).sum().item() for i in range(SIZE)]


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (5, 4.0), (10, 8.0), (99, 8.0)])
def test_the_loss_equals_its_derivation_while_the_capacity_rises_linearly(step: int, capacity: float) -> None:
    model = made(gamma=30.0, capacity=8.0, anneal=10)
    terms = loss(model, step)
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    torch.manual_seed(5)
    z = mean + (log_variance / 2).exp() * torch.randn(SIZE, LATENTS)
    likelihood: Any = Bernoulli(logits=model.decoder(z))
    expected = -likelihood.log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    assert set(terms) == {"reconstruction", "capacity"}
    torch.testing.assert_close(terms["reconstruction"], expected)
    assert terms["capacity"].item() == pytest.approx(30 * abs(sum(nats(model)) / SIZE - capacity), rel=1e-4)


def test_images_may_differ_if_their_mean_is_at_the_capacity() -> None:
    model = made(gamma=1.0)
    each = nats(model)
    held = made(gamma=1.0, capacity=sum(each) / SIZE, anneal=0)
    assert loss(held)["capacity"].item() < 1e-4
    assert sum(abs(one - held.capacity) for one in each) / SIZE > 0.02, "the mean of distances is not 0"


def test_with_gamma_1_and_no_capacity_it_is_a_vae() -> None:
    torch.testing.assert_close(loss(made(gamma=1.0, capacity=0.0), 7).total(), loss(made(VAE)).total())


@pytest.mark.parametrize(("capacity", "sign"), [(0.0, 1), (1000.0, -1)])
def test_the_kl_is_pushed_down_above_the_capacity_and_up_below_it(capacity: float, sign: int) -> None:
    model = made(gamma=2.0, capacity=capacity, anneal=0)
    weights = list(model.encoder.parameters())
    held = torch.autograd.grad(loss(model)["capacity"], weights)
    kl = torch.autograd.grad(model.encode(BATCH.x).kl(), weights)
    for one, other in zip(held, kl, strict=True):
        torch.testing.assert_close(one, sign * 2 * other)


def test_training_brings_the_kl_to_the_capacity() -> None:
    model = made(gamma=100.0, capacity=10.0, anneal=0)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-4)
    assert model.encode(BATCH.x).kl() < 1
    for step in range(60):
        optimiser.zero_grad()
        model.loss(BATCH, step).total().backward()
        optimiser.step()
    assert model.encode(BATCH.x).kl().item() == pytest.approx(10.0, abs=1.0)


@pytest.mark.parametrize("option", ["gamma", "capacity", "anneal"])
def test_options_below_0_are_refused(option: str) -> None:
    with pytest.raises(InvalidOption, match=f"{option} must be a finite number of at least 0, but is -1"):
        made(**{option: -1})
