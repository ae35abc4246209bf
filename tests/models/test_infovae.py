"""InfoVAE and WAE, derived anew; what they become at the ends of their range."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.model import Terms
from unbraid.models.ae import AE
from unbraid.models.betavae import BetaVAE
from unbraid.models.infovae import InfoVAE
from unbraid.models.vae import VAE
from unbraid.models.wae import WAE
from unbraid.view import Batch

SIZE, LATENTS = 5, 3
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)
KERNELS = ["rbf", "imq"]


def made(cls: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=LATENTS, **options)


def loss(model: Any) -> Terms:
    torch.manual_seed(5)
    terms: Terms = model.loss(BATCH, 0)
    return terms


def reconstruction(model: Any, z: Tensor) -> Tensor:
    p: Any = Bernoulli(logits=model.decoder(z))
    return -p.log_prob(BATCH.x).flatten(1).sum(dim=1).mean()


def discrepancy(z: Tensor, prior: Tensor, kernel: str) -> float:
    """Pair by pair; the kernels' scale is the mean squared distance of two samples of the prior."""
    scale = 2 * LATENTS

    def k(a: Tensor, b: Tensor) -> float:
        squared = (a - b).square().sum().item()
        return math.exp(-squared / scale) if kernel == "rbf" else scale / (scale + squared)

    pairs = [(i, j) for i in range(SIZE) for j in range(SIZE)]
    within = sum(k(z[i], z[j]) + k(prior[i], prior[j]) for i, j in pairs if i != j) / (SIZE * (SIZE - 1))
    return within - 2 * sum(k(z[i], prior[j]) for i, j in pairs) / SIZE**2


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_infovaes_loss_equals_its_derivation(kernel: str) -> None:
    model = made(InfoVAE, alpha=0.25, discrepancy=20.0, kernel=kernel)
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    q = Normal(mean, (log_variance / 2).exp())
    torch.manual_seed(5)
    z, prior = q.mean + q.stddev * torch.randn(SIZE, LATENTS), torch.randn(SIZE, LATENTS)
    terms = loss(model)
    assert set(terms) == {"reconstruction", "kl", "discrepancy"}
    torch.testing.assert_close(terms["reconstruction"], reconstruction(model, z))
    torch.testing.assert_close(terms["kl"], 0.75 * kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1).mean())
    assert terms["discrepancy"].item() == pytest.approx(19.25 * discrepancy(z, prior, kernel), rel=1e-4)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_waes_loss_equals_its_derivation(kernel: str) -> None:
    model = made(WAE, discrepancy=20.0, kernel=kernel)
    z = model.encoder(BATCH.x)
    torch.manual_seed(5)
    prior = torch.randn(SIZE, LATENTS)
    terms = loss(model)
    assert set(terms) == {"reconstruction", "discrepancy"}
    torch.testing.assert_close(terms["reconstruction"], reconstruction(model, z))
    assert terms["discrepancy"].item() == pytest.approx(20 * discrepancy(z, prior, kernel), rel=1e-4)


def test_an_infovae_that_forgives_nothing_and_asks_no_more_is_a_vae() -> None:
    torch.testing.assert_close(loss(made(InfoVAE, alpha=0.0, discrepancy=1.0)).total(), loss(made(VAE)).total())


def test_an_infovae_of_negative_alpha_without_discrepancy_is_a_beta_vae() -> None:
    model = made(InfoVAE, alpha=-3.0, discrepancy=4.0)
    torch.testing.assert_close(loss(model).total(), loss(made(BetaVAE, beta=4.0)).total())


def test_an_infovae_with_alpha_1_pays_nothing_for_what_a_code_says_of_its_image() -> None:
    assert loss(made(InfoVAE, alpha=1.0))["kl"].item() == 0


def test_a_wae_without_discrepancy_is_an_autoencoder() -> None:
    torch.testing.assert_close(loss(made(WAE, discrepancy=0.0)).total(), loss(made(AE)).total())


def test_training_brings_the_codes_of_a_wae_to_the_prior() -> None:
    model = made(WAE, discrepancy=3000.0, network="dense")
    x = torch.rand(32, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    batch, optimiser = Batch(x, torch.arange(32), 32), torch.optim.Adam(model.parameters(), lr=1e-3)
    before = model.represent(x)
    torch.manual_seed(1)
    for step in range(40):
        optimiser.zero_grad()
        model.loss(batch, step).total().backward()
        optimiser.step()
    after = model.represent(x)
    assert before.std(dim=0).max() < 0.5
    assert (after.std(dim=0) - 1).abs().max() < 0.35
    assert after.mean(dim=0).abs().max() < before.mean(dim=0).abs().max() / 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.5}, "alpha must be a finite number of at most 1, but is 1.5"),
        ({"alpha": -3.0, "discrepancy": 2.0}, "discrepancy must be a finite number of at least 4.0, but is 2.0"),
    ],
)
def test_weights_below_0_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        made(InfoVAE, **options)
