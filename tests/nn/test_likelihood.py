"""Likelihoods against torch.distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Laplace, Normal

from unbraid.errors import InvalidOption
from unbraid.models.vae import VAE
from unbraid.nn.likelihood import LIKELIHOODS, LearnedGaussian, Likelihood

REFERENCES: dict[str, Callable[[Tensor, Likelihood], Any]] = {
    "bernoulli": lambda output, _: Bernoulli(logits=output),
    "gaussian": lambda output, _: Normal(output, 1.0),
    "learned": lambda output, learned: Normal(output, (learned.log_variance / 2).exp()),  # type: ignore[arg-type,operator]
    "laplace": lambda output, _: Laplace(output, 1.0),
}

every_likelihood = pytest.mark.parametrize("name", LIKELIHOODS)


def drawn() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 3, 8, 8, generator=generator).round(), 3 * torch.randn(4, 3, 8, 8, generator=generator)


def made(name: str, drift: float = -0.2) -> Likelihood:
    likelihood = LIKELIHOODS[name]()
    for p in likelihood.parameters():
        p.data.fill_(drift)
    return likelihood


@every_likelihood
def test_negative_log_likelihood_is_torchs_summed_over_pixels(name: str) -> None:
    x, output = drawn()
    likelihood = made(name)
    p = REFERENCES[name](output, likelihood)
    torch.testing.assert_close(likelihood.nll(x, output), -p.log_prob(x).flatten(1).sum(dim=1).mean())


@every_likelihood
def test_pixels_and_channels_are_summed_and_images_averaged(name: str) -> None:
    # Where they are averaged instead, the KL weighs thousands of times more than published weights mean it to.
    x, output = drawn()
    likelihood = made(name)
    once = likelihood.nll(x, output)
    torch.testing.assert_close(likelihood.nll(x.repeat(1, 1, 2, 2), output.repeat(1, 1, 2, 2)), 4 * once)
    torch.testing.assert_close(likelihood.nll(x.repeat(1, 2, 1, 1), output.repeat(1, 2, 1, 1)), 2 * once)
    torch.testing.assert_close(likelihood.nll(x.repeat(3, 1, 1, 1), output.repeat(3, 1, 1, 1)), once)


@every_likelihood
def test_the_mean_image_is_the_distributions_mean_within_0_and_1(name: str) -> None:
    _, output = drawn()
    p = REFERENCES[name](output, made(name))
    torch.testing.assert_close(made(name).mean(output), p.mean.clamp(0, 1))


@every_likelihood
def test_sums_are_taken_in_float32(name: str) -> None:
    x, output = drawn()
    exact = made(name).nll(x, output)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(made(name).nll(x, output), exact)
        half = made(name).nll(x.bfloat16(), output.bfloat16())
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=0.01)
    assert made(name).mean(output.bfloat16()).dtype == torch.float32


@every_likelihood
@pytest.mark.parametrize("drift", [-1e3, 0.0, 1e3])
def test_extreme_outputs_stay_finite_with_their_gradients(name: str, drift: float) -> None:
    for x in (torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)):
        for value in (-1e8, 0.0, 1e8):
            output, likelihood = torch.full_like(x, value, requires_grad=True), made(name, drift)
            nll = likelihood.nll(x, output)
            nll.backward()
            assert torch.isfinite(nll)
            assert output.grad is not None
            assert torch.isfinite(output.grad).all()
            assert all(p.grad is not None and torch.isfinite(p.grad) for p in likelihood.parameters())


def test_only_the_learned_gaussian_adds_a_parameter_so_that_weights_saved_before_it_still_load() -> None:
    counts = {name: len(made(name).state_dict()) for name in LIKELIHOODS}
    assert counts == {"bernoulli": 0, "gaussian": 0, "learned": 1, "laplace": 0}
    plain = VAE((1, 32, 32), likelihood="gaussian").state_dict()
    assert {key.partition(".")[0] for key in plain} == {"encoder", "decoder"}
    assert set(VAE((1, 32, 32), likelihood="learned").state_dict()) - set(plain) == {"observation.drift"}


def test_the_learned_variance_finds_its_closed_form_within_hundreds_of_steps_of_adam() -> None:
    # On a fixed error the best variance is its mean square.
    x = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    for deviation in (0.02, 0.7):
        noise = deviation * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        likelihood = LearnedGaussian()
        optimiser = torch.optim.Adam(likelihood.parameters(), 1e-3)
        for _ in range(800):
            optimiser.zero_grad()
            likelihood.nll(x, x + noise).backward()
            optimiser.step()
        assert likelihood.log_variance.exp().item() == pytest.approx(noise.square().mean().item(), rel=0.02)


def test_the_learned_variance_does_not_collapse_where_nothing_is_left_to_explain() -> None:
    x = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    likelihood = LearnedGaussian()
    optimiser = torch.optim.SGD(likelihood.parameters(), 1.0)
    for _ in range(50):
        optimiser.zero_grad()
        nll = likelihood.nll(x, x)
        nll.backward()
        optimiser.step()
    grey = Normal(0.0, 1 / 255).log_prob(torch.zeros(64)).sum()
    assert likelihood.log_variance.item() == pytest.approx(2 * math.log(1 / 255), abs=1e-4)
    torch.testing.assert_close(nll, -grey, rtol=1e-4, atol=0)


def test_the_learned_variance_of_an_image_does_not_depend_on_its_neighbours() -> None:
    x, output = drawn()
    likelihood = made("learned")
    alone = [likelihood.nll(x[i : i + 1], output[i : i + 1]).item() for i in range(4)]
    assert likelihood.nll(x, output).item() == pytest.approx(sum(alone) / 4, rel=1e-5)


def test_a_likelihood_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(InvalidOption, match="must be one of bernoulli, gaussian, learned, laplace, but is 'poisson'"):
        VAE((1, 32, 32), likelihood="poisson")  # type: ignore[arg-type]
