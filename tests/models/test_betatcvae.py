"""The beta-TCVAE's terms, derived anew with loops over the batch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData, InvalidOption
from unbraid.model import Terms
from unbraid.models.betatcvae import BetaTCVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch

SIZE, LATENTS, POPULATION = 5, 3, 1000
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(SIZE), POPULATION)
ESTIMATORS = ["weighted", "stratified"]


def made(cls: Any = BetaTCVAE, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=LATENTS, **options)


def loss(model: Any, batch: Batch = BATCH) -> Terms:
    torch.manual_seed(5)
    terms: Terms = model.loss(batch, 0)
    return terms


def posterior_and_sample(model: BetaTCVAE) -> tuple[Normal, Tensor]:
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    torch.manual_seed(5)
    scale = (log_variance / 2).exp()
    return Normal(mean, scale), mean + scale * torch.randn(SIZE, LATENTS)


def weight(estimator: str, i: int, k: int) -> float:
    """What posterior k counts for in the aggregate at sample i."""
    if estimator == "weighted":
        return 1 / SIZE
    return 1 / POPULATION if i == k else (POPULATION - 1) / POPULATION / (SIZE - 1)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_terms_equal_a_loop_over_pairs_of_the_batch(estimator: str) -> None:
    model = made(beta=2.5, estimator=estimator)
    q, z = posterior_and_sample(model)
    correlation = 0.0
    for i in range(SIZE):
        joint, single = 0.0, [0.0] * LATENTS
        for k in range(SIZE):
            densities = [Normal(q.mean[k, j], q.stddev[k, j]).log_prob(z[i, j]).exp().item() for j in range(LATENTS)]
            joint += weight(estimator, i, k) * math.prod(densities)
            single = [s + weight(estimator, i, k) * d for s, d in zip(single, densities, strict=True)]
        correlation += math.log(joint) - sum(map(math.log, single))
    terms = loss(model)
    assert terms["total_correlation"].item() == pytest.approx(1.5 * correlation / SIZE, rel=1e-4)
    kl = kl_divergence(q, Normal(torch.zeros(()), torch.ones(()))).sum(dim=1).mean()
    torch.testing.assert_close(terms["kl"], kl)


def test_with_beta_1_it_is_a_vae() -> None:
    torch.testing.assert_close(loss(made(beta=1.0)).total(), loss(made(VAE)).total())


def test_reconstruction_is_that_of_the_vae() -> None:
    torch.testing.assert_close(loss(made())["reconstruction"], loss(made(VAE))["reconstruction"])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_only_the_total_correlation_feels_beta_and_linearly(estimator: str) -> None:
    two, four = (loss(made(beta=beta, estimator=estimator)) for beta in (2.0, 4.0))
    for term in two:
        torch.testing.assert_close(four[term], (3 if term == "total_correlation" else 1) * two[term])
    assert two["total_correlation"].item() != 0


@pytest.mark.parametrize(("step", "weight"), [(0, 20.0), (5, 10.5), (10, 1.0), (99, 1.0)])
def test_the_kl_starts_heavy_and_is_lowered_linearly(step: int, weight: float) -> None:
    model = made(start=20.0, anneal=10)
    torch.manual_seed(5)
    terms = model.loss(BATCH, step)
    torch.testing.assert_close(terms["kl"], weight * loss(made())["kl"])
    torch.testing.assert_close(terms["total_correlation"], loss(made())["total_correlation"])


@pytest.mark.parametrize("beta", [-1.0, float("nan")])
def test_a_beta_that_weighs_nothing_is_refused(beta: float) -> None:
    with pytest.raises(InvalidOption, match="beta must be a finite number of at least 0, but is"):
        made(beta=beta)


@pytest.mark.parametrize(("size", "population"), [(1, 1000), (5, 1)])
def test_the_stratified_estimator_needs_two_images(size: int, population: int) -> None:
    batch = Batch(BATCH.x[:size], BATCH.index[:size], population)
    with pytest.raises(InvalidData, match=r"needs at least 2 images .* take estimator='weighted'"):
        loss(made(estimator="stratified"), batch)
