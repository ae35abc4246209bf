"""The evidence lower bound of VAE and beta-VAE, derived anew from torch.distributions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Laplace, Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.model import Terms, VariationalModel
from unbraid.models.betavae import BetaVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch

BATCH = Batch(torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(6), 1000)


def made(cls: Any, seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    return cls((1, 32, 32), latent_dim=4, **options)


def loss(model: VariationalModel, noise: int = 5) -> Terms:
    torch.manual_seed(noise)
    return model.loss(BATCH, 0)


def derived(model: VariationalModel, noise: int = 5) -> tuple[Tensor, Tensor]:
    """Reconstruction and KL in nats per image, from the networks' outputs and the same noise."""
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    scale = (log_variance / 2).exp()
    torch.manual_seed(noise)
    output = model.decoder(mean + scale * torch.randn(6, 4))
    p: Any = {
        "bernoulli": Bernoulli(logits=output),
        "gaussian": Normal(output, 1.0),
        "learned": Normal(output, (1 / 12) ** 0.5),
        "laplace": Laplace(output, 1.0),
    }[model.likelihood]
    kl = kl_divergence(Normal(mean, scale), Normal(torch.zeros(()), torch.ones(())))
    return -p.log_prob(BATCH.x).flatten(1).sum(dim=1).mean(), kl.sum(dim=1).mean()


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "learned", "laplace"])
@pytest.mark.parametrize(("cls", "options", "beta"), [(VAE, {}, 1.0), (BetaVAE, {"beta": 3.5}, 3.5)])
def test_loss_equals_its_derivation(cls: Any, options: dict[str, Any], beta: float, likelihood: str) -> None:
    model = made(cls, likelihood=likelihood, **options)
    terms = loss(model)
    reconstruction, kl = derived(model)
    assert set(terms) == {"reconstruction", "kl"}
    # The variance that is learned begins a little above 1/12, for it is bounded softly.
    torch.testing.assert_close(
        terms["reconstruction"], reconstruction, rtol=1e-3 if likelihood == "learned" else 1e-5, atol=0
    )
    torch.testing.assert_close(terms["kl"], beta * kl)
    torch.testing.assert_close(terms.total(), terms["reconstruction"] + beta * kl)


@pytest.mark.parametrize("cls", [VAE, BetaVAE])
def test_the_weight_of_the_kl_depends_on_neither_batch_size_nor_population(cls: Any) -> None:
    # Weighted by the batch's share of the population, as copied code has it, a VAE is a beta-VAE of a tiny beta.
    model, once = made(cls), loss(made(cls))
    for times, population in ((1, 6), (1, 10**6), (4, 1000)):
        torch.manual_seed(5)
        batch = Batch(BATCH.x.repeat(times, 1, 1, 1), BATCH.index.repeat(times), population)
        torch.testing.assert_close(model.loss(batch, 0)["kl"], once["kl"])


def test_beta_vae_with_beta_1_is_the_vae() -> None:
    one, other = loss(made(BetaVAE, beta=1.0)), loss(made(VAE))
    assert {key: term.item() for key, term in one.items()} == {key: term.item() for key, term in other.items()}


def test_beta_vae_with_beta_0_does_not_feel_the_prior() -> None:
    assert loss(made(BetaVAE, beta=0.0))["kl"].item() == 0


def test_divergence_of_the_latents_sums_to_the_kl() -> None:
    model = made(VAE)
    torch.testing.assert_close(model.divergence(BATCH.x).sum(dim=1).mean(), loss(model)["kl"])


def test_the_code_is_the_posterior_mean() -> None:
    model = made(VAE)
    assert torch.equal(model.represent(BATCH.x), model.encoder(BATCH.x).chunk(2, dim=1)[0])


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf")])
def test_a_beta_that_weighs_nothing_is_refused(beta: float) -> None:
    with pytest.raises(InvalidOption, match=f"beta must be a finite number of at least 0, but is {beta}"):
        made(BetaVAE, beta=beta)


@pytest.mark.parametrize(("step", "weight"), [(0, 30.0), (5, 15.75), (10, 1.5), (99, 1.5)])
def test_the_kl_of_a_beta_vae_starts_heavy_and_is_lowered_linearly(step: int, weight: float) -> None:
    model = made(BetaVAE, beta=1.5, start=20.0, anneal=10)
    torch.manual_seed(5)
    terms = model.loss(BATCH, step)
    torch.testing.assert_close(terms["kl"], weight * loss(made(VAE))["kl"])
