"""Bounds that are fitted: right values of known scores, closed forms of Gaussians, and where they saturate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.estimators import bounds
from unbraid.info.estimators.critic import Bound, critic_information
from unbraid.info.estimators.densities import barber_agakov, difference_of_entropies
from unbraid.info.estimators.usable import usable_information
from unbraid.types import Floats


def correlated(rho: float, columns: int, count: int) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(0)
    x, noise = generator.normal(size=(2, count, columns))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def ratios(rho: float, size: int) -> torch.Tensor:
    """The scores of the best critic: the logarithm of the ratio of densities."""
    x, y = (torch.from_numpy(v[:, 0]) for v in correlated(rho, 1, size))
    apart = (y - rho * x[:, None]).square() / (1 - rho**2) - y.square()
    return -0.5 * apart - 0.5 * math.log(1 - rho**2)


def test_the_best_critic_gives_every_bound_its_value() -> None:
    scores, true = ratios(0.8, 1500), -0.5 * math.log(1 - 0.64)
    assert bounds.donsker_varadhan(scores).item() == pytest.approx(true, abs=0.06)
    assert bounds.nwj(scores + 1).item() == pytest.approx(true, abs=0.06)
    assert bounds.smile(scores).item() == pytest.approx(true, abs=0.06)
    assert bounds.infonce(scores).item() == pytest.approx(true, abs=0.06)
    for shift in (-0.5, 0.5):
        assert bounds.nwj(scores + 1 + shift) < bounds.nwj(scores + 1)
        assert bounds.donsker_varadhan(scores + shift).item() == pytest.approx(
            bounds.donsker_varadhan(scores).item(), abs=1e-9
        )
    best = bounds.jensen_shannon(scores)
    assert all(bounds.jensen_shannon(worse) < best for worse in (scores + 0.5, 0.5 * scores, 2 * scores))


def test_clipped_exponentials_overstate_and_contrast_stops_at_the_batch() -> None:
    scores = 40 * torch.eye(16) - 20
    assert bounds.infonce(scores).item() == pytest.approx(math.log(16), abs=1e-5)
    assert bounds.smile(scores, clip=5).item() == pytest.approx(25, abs=1e-4)
    assert bounds.donsker_varadhan(scores).item() == pytest.approx(40, abs=1e-4)


@pytest.mark.parametrize("bound", ["infonce", "nwj", "mine", "smile"])
def test_fitted_critics_find_most_of_what_gaussians_share(bound: Bound) -> None:
    x, y = correlated(0.8, 2, 3000)
    true = -math.log(1 - 0.64)
    found = critic_information(x, y, bound=bound, batch_size=64, steps=400, width=64)
    assert 0.7 * true < found.value < 1.2 * true
    assert found.kind == ("estimate" if bound == "smile" else "lower bound")
    assert found.low < found.value < found.high


@pytest.mark.parametrize("bound", ["infonce", "mine"])
def test_critics_find_nothing_where_there_is_nothing(bound: Bound) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 1000, 2))
    assert critic_information(x, y, bound=bound, batch_size=32, steps=100).value < 0.1


def test_a_critic_of_both_sides_learns_as_well_and_the_batch_is_warned_of() -> None:
    x, y = correlated(0.999, 2, 400)
    found = critic_information(x, y, critic="joint", batch_size=16, steps=300, width=64)
    assert found.saturated
    assert found.value <= found.ceiling == math.log(16)
    assert "take larger ones" in found.warning


def test_critics_refuse_what_they_cannot_do() -> None:
    x, y = correlated(0.5, 1, 100)
    with pytest.raises(InvalidData, match="192 samples or more"):
        critic_information(x, y, batch_size=16)
    with pytest.raises(InvalidOption, match="bound must be one of"):
        critic_information(x, y, bound="nonesuch", batch_size=8)  # type: ignore[arg-type]


def test_densities_find_what_gaussians_share_beyond_any_batch() -> None:
    x, y = correlated(0.99, 3, 1500)
    true = -1.5 * math.log(1 - 0.99**2)
    apart = difference_of_entropies(x, y, steps=300)
    assert apart.value == pytest.approx(true, abs=0.7)
    assert apart.kind == "estimate"
    known = barber_agakov(x, y, entropy=1.5 * math.log(2 * math.pi * math.e), steps=300)
    assert true - 0.8 < known.value < true + 0.2
    assert known.kind == "lower bound"
    brief = [difference_of_entropies(x, scale * y + 5, steps=5).value for scale in (1, 1000)]
    assert brief[0] == pytest.approx(brief[1], abs=1e-2)


def test_mixtures_see_that_a_number_has_two_sides() -> None:
    generator = np.random.default_rng(0)
    sign = generator.choice([-1.0, 1.0], 1500)
    y = 3 * sign + 0.3 * generator.normal(size=1500)
    assert difference_of_entropies(sign, y, components=2, steps=150).value == pytest.approx(math.log(2), abs=0.1)
    with pytest.raises(InvalidData, match="no density"):
        difference_of_entropies(sign, np.ones(1500))


def test_readers_find_what_their_capacity_lets_them() -> None:
    generator = np.random.default_rng(0)
    z = generator.normal(size=(2400, 2))
    labels = ((z[:, 0] > 0) ^ (z[:, 1] > 0)).astype(np.int64)
    straight = usable_information(z, labels, reader="linear", epochs=10)
    bent = usable_information(z, labels, reader="mlp", epochs=30)
    assert straight.value < 0.05
    assert bent.value > 0.5
    assert bent.value <= bent.ceiling + 1e-9
    assert bent.settings["parameters"] > straight.settings["parameters"] == 6
    assert bent.settings["error"] < 0.1


def test_a_reader_of_ones_own_sees_codes_in_their_shape() -> None:
    def network(shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(shape[0], 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, classes))

    labels = torch.arange(400) % 2
    z = torch.randn(400, 1, 6, 6, generator=torch.Generator().manual_seed(0)) + labels[:, None, None, None]
    found = usable_information(z[:300], labels[:300], test=(z[300:], labels[300:]), reader=network)
    assert found.value > 0.6
    assert found.samples == 100


def test_labels_that_codes_do_not_tell_of_give_nothing() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 1500)
    found = usable_information(generator.normal(size=(1500, 5)), labels, reader="linear")
    assert abs(found.value) < 0.05
    wrong: Any
    for wrong in (labels[:-1], labels * 1.0, labels - 1):
        with pytest.raises(InvalidData):
            usable_information(generator.normal(size=(1500, 5)), wrong)
    with pytest.raises(InvalidData, match="flatten them"):
        usable_information(generator.normal(size=(1500, 5, 2)), labels)
