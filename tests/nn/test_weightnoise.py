"""Noisy weights: sums as drawn weights would give, information as distributions have it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData, InvalidOption
from unbraid.nn.weightnoise import NoisyLinear, WeightNoise, weight_information


@pytest.mark.parametrize("prior", ["zero", "start"])
def test_gaussian_weights_hold_the_divergence_from_their_prior(prior: str) -> None:
    layer = NoisyLinear(5, 3, prior=prior)  # type: ignore[arg-type]
    began = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight.add_(torch.randn(5, 3))
        layer.log_spread.copy_(torch.randn(5, 3))
    centre = began if prior == "start" else torch.zeros(5, 3)
    expected = kl_divergence(
        Normal(layer.weight, layer.log_spread.exp()), Normal(centre, layer.log_prior.exp().expand(5, 3))
    ).sum()
    assert layer.information().item() == pytest.approx(expected.item(), rel=1e-5)


def test_halving_log_normal_noise_costs_half_of_log_2_a_weight_and_the_greatest_nothing() -> None:
    layer = NoisyLinear(5, 3, noise="log-normal")
    for alpha in (0.25, 0.5):
        with torch.no_grad():
            layer.log_odds.fill_(torch.logit(torch.tensor(alpha)))
        assert layer.information().item() == pytest.approx(-15 / 2 * torch.tensor(alpha).log().item(), rel=1e-5)
    with torch.no_grad():
        layer.log_odds.fill_(30.0)
    assert layer.information().item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("noise", ["gaussian", "log-normal"])
def test_sums_have_mean_and_spread_of_drawn_weights(noise: WeightNoise) -> None:
    torch.manual_seed(0)
    layer, x = NoisyLinear(6, 4, noise=noise, start=0.5), torch.randn(1, 6)
    drawn = layer(x.expand(20000, -1))
    if noise == "gaussian":
        weights = Normal(layer.weight, layer.log_spread.exp()).sample((20000,))
    else:
        alpha = layer.log_odds.sigmoid()
        weights = layer.weight * Normal(-alpha / 2, alpha.sqrt()).sample((20000,)).exp()
    expected = (x @ weights).squeeze(1) + layer.bias
    assert torch.allclose(drawn.mean(dim=0), expected.mean(dim=0), atol=0.05)
    assert torch.allclose(drawn.std(dim=0), expected.std(dim=0), rtol=0.05)
    assert torch.equal(layer.eval()(x), x @ layer.weight + layer.bias)


def test_the_price_makes_weights_forget() -> None:
    x = torch.randn(100, 8, generator=torch.Generator().manual_seed(0))
    y = torch.randint(0, 2, (100,), generator=torch.Generator().manual_seed(1))
    held = []
    for price in (1e-3, 1.0):
        torch.manual_seed(0)
        model = nn.Sequential(NoisyLinear(8, 16), nn.ReLU(), NoisyLinear(16, 2))
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(150):
            optimiser.zero_grad()
            (nn.functional.cross_entropy(model(x), y) + price * weight_information(model) / 100).backward()
            optimiser.step()
        held.append(weight_information(model).item())
    assert held[1] < held[0] / 3


def test_networks_without_noisy_layers_and_unknown_noises_are_refused() -> None:
    with pytest.raises(InvalidData, match="no noisy layer"):
        weight_information(nn.Linear(1, 1))
    with pytest.raises(InvalidOption, match="noise must be one of"):
        NoisyLinear(2, 3, noise="nonesuch")  # type: ignore[arg-type]
