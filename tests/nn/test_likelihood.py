"""Likelihoods against torch.distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from unbraid.nn.likelihood import LIKELIHOODS

REFERENCES: dict[str, Callable[[Tensor], Any]] = {
    "bernoulli": lambda output: Bernoulli(logits=output),
    "gaussian": lambda output: Normal(output, 1.0),
}


def drawn() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 3, 8, 8, generator=generator).round(), 3 * torch.randn(4, 3, 8, 8, generator=generator)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_negative_log_likelihood_is_torchs_summed_over_pixels(name: str) -> None:
    x, output = drawn()
    p = REFERENCES[name](output)
    torch.testing.assert_close(LIKELIHOODS[name].nll(x, output), -p.log_prob(x).flatten(1).sum(dim=1).mean())


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_mean_image_is_the_distributions_mean_within_0_and_1(name: str) -> None:
    _, output = drawn()
    p = REFERENCES[name](output)
    torch.testing.assert_close(LIKELIHOODS[name].mean(output), p.mean.clamp(0, 1))


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_sums_are_taken_in_float32(name: str) -> None:
    x, output = drawn()
    half = LIKELIHOODS[name].nll(x, output.bfloat16())
    assert half.dtype == torch.float32
    assert float(half) == pytest.approx(float(LIKELIHOODS[name].nll(x, output)), rel=0.01)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_extreme_outputs_stay_finite(name: str) -> None:
    for x in (torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)):
        for output in (-1e4, 1e4):
            assert torch.isfinite(LIKELIHOODS[name].nll(x, torch.full_like(x, output)))
