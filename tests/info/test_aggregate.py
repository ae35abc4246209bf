"""Estimates of the aggregate posterior, for a linear-Gaussian encoder of a small population: its aggregate is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from unbraid.info.aggregate import minibatch_stratified, minibatch_weighted

POPULATION, LATENTS = 7, 3


def encoder() -> tuple[Tensor, Tensor, Tensor]:
    """Means and deviations of q(z|x) = N(A x + b, diag s^2) over a population x ~ N(0, I), and a sample z of each."""
    generator = torch.Generator().manual_seed(0)
    x, matrix = (
        torch.randn(*size, dtype=torch.float64, generator=generator) for size in ((POPULATION, 2), (2, LATENTS))
    )
    mean = x @ matrix + 0.5
    deviation = torch.tensor([0.3, 0.6, 1.0], dtype=torch.float64).expand_as(mean)
    return mean, deviation, mean + deviation * torch.randn(mean.shape, dtype=torch.float64, generator=generator)


def pairwise(z: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return Normal(mean, deviation).log_prob(z[:, None, :])


def exact() -> tuple[Tensor, Tensor]:
    """log q(z_i) and log q(z_ij) of the mixture over the whole population, term by term."""
    mean, deviation, z = encoder()
    joint = [[Normal(m, s).log_prob(point).sum().exp() for m, s in zip(mean, deviation, strict=True)] for point in z]
    each = [[Normal(m, s).log_prob(point).exp() for m, s in zip(mean, deviation, strict=True)] for point in z]
    return (
        torch.stack([torch.stack(row).mean().log() for row in joint]),
        torch.stack([torch.stack(row).mean(dim=0).log() for row in each]),
    )


def test_the_whole_population_as_minibatch_gives_the_aggregate_itself() -> None:
    mean, deviation, z = encoder()
    density = pairwise(z, mean, deviation)
    for found in (minibatch_stratified(density, POPULATION), minibatch_weighted(density)):
        for part, truth in zip(found, exact(), strict=True):
            torch.testing.assert_close(part, truth, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch", [2, 4])
def test_stratified_estimates_are_right_on_average_over_every_minibatch(batch: int) -> None:
    mean, deviation, z = encoder()
    joint, each = [], []
    for others in combinations(range(1, POPULATION), batch - 1):
        rows = [0, *others]
        q, q_each = minibatch_stratified(pairwise(z[rows], mean[rows], deviation[rows]), POPULATION)
        joint.append(q[0].exp())
        each.append(q_each[0].exp())
    truth, truth_each = exact()
    torch.testing.assert_close(torch.stack(joint).mean(), truth[0].exp(), rtol=1e-12, atol=0.0)
    torch.testing.assert_close(torch.stack(each).mean(dim=0), truth_each[0].exp(), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize(("batch", "population"), [(2, 7), (5, 1000), (64, 64)])
def test_stratified_weights_sum_to_1_and_a_samples_own_posterior_has_1_in_n(batch: int, population: int) -> None:
    # Copied code fills two columns where it means the diagonal, and its rows sum to more than 1.
    row, own = torch.zeros(batch, batch, 1, dtype=torch.float64), torch.full((batch, batch, 1), -torch.inf)
    for part in minibatch_stratified(row, population):
        torch.testing.assert_close(part, torch.zeros_like(part), rtol=0.0, atol=1e-12)
    own[range(batch), range(batch)] = 0
    for part in minibatch_stratified(own.double(), population):
        torch.testing.assert_close(part.exp(), torch.full_like(part, 1 / population), rtol=1e-12, atol=0.0)


ESTIMATORS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "weighted": minibatch_weighted,
    "stratified": lambda density: minibatch_stratified(density, len(density)),
}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_total_correlation_and_mutual_information_of_a_gaussian_are_its_closed_forms(estimator: str) -> None:
    # x ~ N(0, I) and z|x ~ N(A x, diag s^2), so z ~ N(0, A A' + diag s^2). Without its constants the total correlation
    # would be off by (D - 1) log N, some 15 nats, and below 0.
    generator = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.0], [0.8, 0.5], [0.0, 1.0]], dtype=torch.float64)
    deviation = torch.tensor([0.5, 0.8, 1.0], dtype=torch.float64)
    mean = torch.randn(2000, 2, dtype=torch.float64, generator=generator) @ mixing.T
    z = mean + deviation * torch.randn(2000, 3, dtype=torch.float64, generator=generator)
    log_qz, log_qz_j = ESTIMATORS[estimator](pairwise(z, mean, deviation))

    covariance = mixing @ mixing.T + deviation.square().diag()
    correlation = (covariance.diag().log().sum() - covariance.logdet()) / 2
    information = (covariance.logdet() - deviation.square().log().sum()) / 2
    found = Normal(mean, deviation).log_prob(z).sum(dim=1)
    assert (log_qz - log_qz_j.sum(dim=1)).mean().item() == pytest.approx(correlation.item(), abs=0.05)
    assert (found - log_qz).mean().item() == pytest.approx(information.item(), abs=0.05)
    assert correlation > 0.25


def test_there_is_no_total_correlation_when_every_posterior_is_the_prior() -> None:
    z = torch.randn(32, LATENTS, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    density = pairwise(z, torch.zeros_like(z), torch.ones_like(z))
    for joint, each in (minibatch_weighted(density), minibatch_stratified(density, 1000)):
        torch.testing.assert_close(joint, each.sum(dim=1), rtol=0.0, atol=1e-12)
