"""The KL taken apart: three parts that sum to it, in closed form for linear-Gaussian encoders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.decomposition import Decomposition, decompose
from unbraid.seed import torch_generator

DEVIATION = torch.tensor([0.6, 0.8, 1.0], dtype=torch.float64)
MATRIX = torch.tensor([[0.8, 0.7], [0.6, -0.2], [0.0, 0.0]], dtype=torch.float64)


def linear(count: int, matrix: Tensor = MATRIX, deviation: Tensor = DEVIATION) -> tuple[Tensor, Tensor]:
    """Means and log variances of q(z|x) = N(W x, diag s^2) for x ~ N(0, I)."""
    x = torch.randn(count, matrix.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return x @ matrix.T, (2 * deviation.log()).expand(count, -1)


def exact(matrix: Tensor = MATRIX, deviation: Tensor = DEVIATION) -> tuple[float, float, Tensor]:
    """The three parts for q(z) = N(0, W W' + diag s^2)."""
    covariance = matrix @ matrix.T + deviation.square().diag()
    variance, whole = covariance.diag(), float(covariance.logdet())
    information = 0.5 * (whole - float(2 * deviation.log().sum()))
    return information, 0.5 * (float(variance.log().sum()) - whole), 0.5 * (variance - 1 - variance.log())


def near(found: Decomposition, truth: tuple[float, float, Tensor]) -> bool:
    errors, (information, correlation, each) = found.errors, truth
    return (
        max(errors.values()) < 0.05
        and abs(found.mutual_information - information) < 3 * errors["mutual_information"]
        and abs(found.total_correlation - correlation) < 3 * errors["total_correlation"]
        and bool(np.abs(found.dimension_wise - each.numpy()).max() < 3 * errors["dimension_wise"])
    )


def test_the_parts_of_a_linear_gaussian_encoder_are_those_of_its_closed_form() -> None:
    truth = exact()
    assert truth[0] > 0.5
    assert truth[1] > 0.03
    assert near(decompose(*linear(3000)), truth)


def test_correlation_comes_with_a_rotation_and_information_does_not() -> None:
    straight = torch.diag(torch.tensor([1.6, 0.3], dtype=torch.float64))
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
    even = torch.full((2,), 0.5, dtype=torch.float64)
    before, after = decompose(*linear(3000, straight, even)), decompose(*linear(3000, turn @ straight, even))
    assert near(before, exact(straight, even))
    assert near(after, exact(turn @ straight, even))
    assert before.total_correlation < 0.02
    assert after.total_correlation > 0.3
    assert abs(after.mutual_information - before.mutual_information) < 3 * before.errors["mutual_information"]


def test_the_parts_are_those_of_mixtures_written_out() -> None:
    mean, log_variance = linear(50)
    z = mean + (0.5 * log_variance).exp() * torch.randn(
        mean.shape, dtype=torch.float64, generator=torch_generator(5, "decomposition")
    )
    posterior = Normal(mean, (0.5 * log_variance).exp())
    every = Categorical(torch.ones(50, dtype=torch.float64))
    joint = MixtureSameFamily(every, Independent(posterior, 1)).log_prob(z)
    each = torch.stack(
        [
            MixtureSameFamily(every, Normal(posterior.loc[:, j], posterior.scale[:, j])).log_prob(z[:, j])
            for j in (0, 1, 2)
        ]
    ).T
    prior, own = Normal(torch.zeros(3), torch.ones(3)).log_prob(z), posterior.log_prob(z)
    found = decompose(mean, log_variance, seed=5)
    wanted = (own.sum(dim=1) - joint).mean(), (joint - each.sum(dim=1)).mean(), (own - prior).sum(dim=1).mean()
    assert (found.mutual_information, found.total_correlation, found.kl) == pytest.approx(
        tuple(map(float, wanted)), abs=1e-9
    )
    assert found.dimension_wise == pytest.approx((each - prior).mean(dim=0).numpy(), abs=1e-9)
    assert found.latent_information == pytest.approx((own - each).mean(dim=0).numpy(), abs=1e-9)
    assert found.errors["kl"] == pytest.approx(float((own - prior).sum(dim=1).std()) / math.sqrt(50))


@pytest.mark.parametrize("draws", [1, 4])
def test_the_sum_is_the_kl_within_its_error(draws: int) -> None:
    mean, log_variance = linear(400)
    found = decompose(mean, log_variance, draws=draws)
    exactly = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1).mean()
    assert found.closed_form == pytest.approx(float(exactly))
    assert 0 < abs(found.kl - found.closed_form) < 3 * found.errors["kl"]
    assert found.kl == pytest.approx(
        found.mutual_information + found.total_correlation + found.dimension_wise.sum(), abs=1e-12
    )
    assert found.kl == pytest.approx((found.latent_information + found.dimension_wise).sum(), abs=1e-12)


def test_information_ends_at_the_logarithm_of_the_number_of_images() -> None:
    mean, _ = linear(200)
    apart = decompose(mean, np.full(mean.shape, -30.0))
    assert apart.mutual_information == pytest.approx(math.log(200), abs=1e-6)
    assert apart.mutual_information <= apart.ceiling + 1e-12
    assert apart.ceiling == math.log(200)


def test_posteriors_that_are_the_prior_have_no_parts() -> None:
    alike = decompose(np.zeros((300, 4)), np.zeros((300, 4)))
    parts = [alike.mutual_information, alike.total_correlation, alike.kl, *alike.dimension_wise]
    assert np.allclose([*parts, *alike.latent_information, *alike.errors.values()], 0, atol=1e-12)


def test_latents_of_a_grid_are_independent_and_share_nothing() -> None:
    grid = np.stack(np.meshgrid(np.linspace(-2, 2, 20), np.linspace(-2, 2, 20)), axis=-1).reshape(-1, 2)
    found = decompose(grid, np.full(grid.shape, -4.0))
    assert abs(found.total_correlation) < 1e-12
    assert found.mutual_information == pytest.approx(found.latent_information.sum(), abs=1e-12)
    assert found.mutual_information > 3


def test_narrow_posteriors_far_apart_keep_their_digits() -> None:
    found = decompose(np.arange(20.0)[:, None] * 1e4, np.full((20, 1), -32.0))
    assert found.mutual_information == pytest.approx(math.log(20), abs=1e-12)


def test_more_draws_are_nearer() -> None:
    arrays = linear(200)
    off = [[found.kl - found.closed_form for found in several(arrays, draws)] for draws in (1, 50)]
    assert np.square(off[1]).mean() < 0.1 * np.square(off[0]).mean()


def several(arrays: tuple[Tensor, Tensor], draws: int) -> list[Decomposition]:
    return [decompose(*arrays, draws=draws, seed=seed) for seed in range(8)]


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    arrays = linear(50)
    assert decompose(*arrays).to_dict() == decompose(*arrays).to_dict()
    assert decompose(*arrays).kl != decompose(*arrays, seed=1).kl


@pytest.mark.parametrize(
    ("mean", "log_variance", "message"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3)), "images, latents"),
        (np.zeros((1, 2)), np.zeros((1, 2)), "images, latents"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), "finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(mean: Any, log_variance: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        decompose(mean, log_variance)


def test_no_draws_are_refused() -> None:
    with pytest.raises(InvalidOption, match="draws"):
        decompose(np.zeros((5, 2)), np.zeros((5, 2)), draws=0)
