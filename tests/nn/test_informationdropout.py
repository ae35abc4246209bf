"""Information dropout: divergences against those of distributions, and noise where it belongs."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.distributions import LogNormal, kl_divergence

from unbraid.errors import InvalidData, InvalidOption
from unbraid.nn.informationdropout import InformationConv2d, InformationLinear, NoisePrior, divergence, noise


def alpha(layer: InformationLinear, x: torch.Tensor) -> torch.Tensor:
    return 0.001 + layer.max_noise * layer.strength(x).sigmoid()


def test_the_log_normal_divergence_is_that_of_the_distributions() -> None:
    layer, x = InformationLinear(4, 6, prior="log-normal"), torch.randn(5, 4)
    with torch.no_grad():
        layer.centre.normal_()
        layer.log_spread.normal_()
    layer(x)
    signal = nn.functional.softplus(layer.signal(x))
    code = LogNormal(signal.log(), alpha(layer, x))
    expected = kl_divergence(code, LogNormal(layer.centre, layer.log_spread.exp()))
    assert torch.allclose(layer.information, expected, atol=1e-4)  # type: ignore[arg-type]
    assert torch.allclose(layer.map(), expected.sum(dim=1), atol=1e-4)


def test_under_the_log_uniform_prior_halving_the_noise_tells_log_2_more_and_silence_tells_nothing() -> None:
    layer, x = InformationLinear(4, 200, max_noise=0.5), torch.randn(5, 4)
    answer = layer.eval()(x)
    expected = torch.where(answer > 0, (0.501 / alpha(layer, x)).log(), 0.0)
    assert torch.allclose(layer.information, expected, atol=1e-5)  # type: ignore[arg-type]
    # The entropy of log z is that of a Gaussian: half the spread is log 2 less of it, and the prior is flat in log z.
    half, whole = (torch.distributions.Normal(0.0, s).entropy() for s in (0.1, 0.2))
    assert (whole - half).item() == pytest.approx(math.log(2), abs=1e-6)
    assert layer.information is not None
    assert (layer.information >= 0).all()


@pytest.mark.parametrize("prior", ["log-uniform", "log-normal"])
def test_noise_multiplies_in_training_and_is_away_in_evaluation(prior: NoisePrior) -> None:
    layer, x = InformationConv2d(2, 5, stride=2, prior=prior), torch.randn(400, 2, 4, 4)
    layer.eval()
    plain = layer(x)
    assert torch.equal(plain, layer(x))
    layer.train()
    with torch.no_grad():
        layer.strength.weight.zero_()
        layer.strength.bias.zero_()  # type: ignore[union-attr]
    ratio = (layer(x) / plain)[plain > 0].log()
    assert ratio.mean().item() == pytest.approx(0, abs=0.02)
    assert ratio.std().item() == pytest.approx(0.351, abs=0.02)
    with noise(layer, on=False):
        assert torch.equal(layer(x), plain)
    layer.eval()
    with noise(layer, on=True):
        assert not torch.equal(layer(x), plain)
    assert torch.equal(layer(x), plain)


def test_a_map_says_where_the_information_is() -> None:
    layer = InformationConv2d(1, 4, kernel=1, padding=0)
    with torch.no_grad():
        layer.signal.weight.fill_(1)
        layer.signal.bias.zero_()  # type: ignore[union-attr]
        layer.strength.weight.fill_(-3)
        layer.strength.bias.zero_()  # type: ignore[union-attr]
    x = torch.zeros(1, 1, 6, 6)
    x[0, 0, 2, 3] = 1
    layer(x)
    told = layer.map()[0]
    assert told.argmax() == 2 * 6 + 3
    assert (told > 0).sum() == 1


def test_a_higher_price_of_information_leaves_less_of_it() -> None:
    x = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long()
    told, right = [], []
    for beta in (1e-3, 0.3):
        torch.manual_seed(0)
        model = nn.Sequential(InformationLinear(6, 16), nn.Linear(16, 2))
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(150):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y) + beta * divergence(model).mean()
            loss.backward()
            optimiser.step()
        told.append(divergence(model).mean().item())
        right.append((model.eval()(x).argmax(dim=1) == y).float().mean().item())
    assert told[1] < told[0] / 3
    assert min(right) > 0.9


def test_a_network_can_be_copied_and_one_without_such_layers_is_refused() -> None:
    model = nn.Sequential(InformationConv2d(1, 3, norm=True), nn.Flatten(), nn.Linear(3 * 16, 2))
    x = torch.randn(4, 1, 4, 4)
    model(x)
    copied = copy.deepcopy(model)
    assert torch.equal(copied.eval()(x), model.eval()(x))
    assert divergence(copied).shape == (4,)
    with pytest.raises(InvalidData, match="no information layer"):
        divergence(nn.Linear(1, 1))
    with pytest.raises(InvalidData, match="call the network first"):
        divergence(InformationLinear(2, 3))
    with pytest.raises(InvalidOption, match="prior must be one of"):
        InformationLinear(2, 3, prior="nonesuch")  # type: ignore[arg-type]
