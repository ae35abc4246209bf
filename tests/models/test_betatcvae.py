"""The beta-TCVAE's four terms, derived anew with loops over the batch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

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
    mutual, correlation, dimension = 0.0, 0.0, 0.0
    for i in range(SIZE):
        joint, single = 0.0, [0.0] * LATENTS
        for k in range(SIZE):
            densities = [Normal(q.mean[k, j], q.stddev[k, j]).log_prob(z[i, j]).exp().item() for j in range(LATENTS)]
            joint += weight(estimator, i, k) * math.prod(densities)
            single = [s + weight(estimator, i, k) * d for s, d in zip(single, densities, strict=True)]
        log_product = sum(map(math.log, single))
        mutual += q.log_prob(z)[i].sum().item() - math.log(joint)
        correlation += math.log(joint) - log_product
        dimension += log_product - Normal(0.0, 1.0).log_prob(z[i]).sum().item()
    terms = loss(model)
    assert terms["mutual_information"].item() == pytest.approx(mutual / SIZE, rel=1e-4)
    assert terms["total_correlation"].item() == pytest.approx(2.5 * correlation / SIZE, rel=1e-4)
    assert terms["dimension_kl"].item() == pytest.approx(dimension / SIZE, rel=1e-4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_with_beta_1_the_estimate_of_the_aggregate_cancels(estimator: str) -> None:
    model = made(beta=1.0, estimator=estimator)
    q, z = posterior_and_sample(model)
    terms = loss(model)
    kl = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(dim=1).mean()
    torch.testing.assert_close(terms.total(), terms["reconstruction"] + kl)


def test_reconstruction_is_that_of_the_vae() -> None:
    torch.testing.assert_close(loss(made())["reconstruction"], loss(made(VAE))["reconstruction"])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_only_the_total_correlation_feels_beta_and_linearly(estimator: str) -> None:
    one, four = (loss(made(beta=beta, estimator=estimator)) for beta in (1.0, 4.0))
    for term in one:
        torch.testing.assert_close(four[term], (4 if term == "total_correlation" else 1) * one[term])
    assert one["total_correlation"].item() != 0


def test_mutual_information_is_at_most_the_logarithm_of_the_batch() -> None:
    model = made()
    with torch.no_grad():
        model.encoder[-1].bias[LATENTS:] = -8.0  # posteriors so narrow that every image is known from its code
    assert loss(model)["mutual_information"].item() == pytest.approx(math.log(SIZE), rel=1e-3)


@pytest.mark.parametrize("beta", [-1.0, float("nan")])
def test_a_beta_that_weighs_nothing_is_refused(beta: float) -> None:
    with pytest.raises(InvalidOption, match="beta must be a finite number of at least 0, but is"):
        made(beta=beta)


@pytest.mark.parametrize(("size", "population"), [(1, 1000), (5, 1)])
def test_the_stratified_estimator_needs_two_images(size: int, population: int) -> None:
    batch = Batch(BATCH.x[:size], BATCH.index[:size], population)
    with pytest.raises(InvalidData, match=r"needs at least 2 images .* take estimator='weighted'"):
        loss(made(estimator="stratified"), batch)
