"""What layers keep: Gaussians whose information is known, and turned representations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData, UnknownName
from unbraid.info.layers import cka, class_activation, features, linear_information


def test_information_of_gaussians_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(8000, 6)) * np.arange(1, 7)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    noisy = inputs / np.arange(1, 7) + 0.5 * rng.normal(size=inputs.shape)
    found, error = linear_information(noisy @ turn, inputs, components=6)
    assert found == pytest.approx(6 * 0.5 * np.log(1 + 4), abs=4 * error)
    assert 0.01 < error < 0.1
    # The first component alone, the largest one.
    assert linear_information(noisy[:, -1:], inputs, components=1)[0] == pytest.approx(0.5 * np.log(5), abs=0.05)


def test_a_layer_wider_than_there_are_samples_still_tells() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(800, 5))
    wide = inputs @ rng.normal(size=(5, 700)) + 4 * rng.normal(size=(800, 700))
    # Of seven hundred noisy copies the mean would tell 5 / 2 log(1 + 700 / 16) = 9.5 nats, were the mixture known.
    assert 4 < linear_information(wide, inputs, projections=1000)[0] < 9.5
    assert linear_information(rng.normal(size=(800, 700)), inputs)[0] < 0.1


def test_a_unit_that_is_nearly_always_still_does_not_drown_the_others() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(800, 4))
    told = linear_information(inputs, inputs, components=4)[0]
    # Still but for rounding, and then once or twice not: a pixel at the border that few images reach.
    rare = 1e-7 * rng.normal(size=(800, 1)) + (np.arange(800) % 97 == 5)[:, None] * (rng.random((800, 1)) < 0.3)
    assert linear_information(np.hstack([inputs, rare]), inputs, components=4)[0] > 0.9 * told


def test_the_error_is_the_spread_over_samples() -> None:
    found, errors = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        inputs = rng.normal(size=(800, 4))
        value, error = linear_information(inputs + rng.normal(size=inputs.shape), inputs, components=4)
        found.append(value)
        errors.append(error)
    # Of the held-out quarter alone: the fit on the other three adds a little.
    assert 0.6 < np.mean(errors) / np.std(found) < 1.4


def test_noise_and_constants_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(4000, 5))
    assert linear_information(rng.normal(size=(4000, 20)), inputs)[0] < 0.02
    assert linear_information(np.ones((4000, 2)), inputs)[0] < 1e-6
    with pytest.raises(InvalidData, match="8 rows or more"):
        linear_information(inputs[:3], inputs[:3])


def test_similarity_ignores_turns_and_sees_difference() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(500, 4))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    assert cka(codes, 3 * codes @ turn + 1) == pytest.approx(1)
    assert cka(codes, rng.normal(size=(500, 4))) < 0.05
    assert 0.3 < cka(codes, codes[:, :2]) < 0.9
    with pytest.raises(InvalidData, match="like nothing"):
        cka(codes, np.ones((500, 1)))


def test_features_are_those_of_the_layers_and_leave_no_hook() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 2))
    x = torch.randn(7, 1, 8, 8)
    found = features(model, ["1", "3"], x, batch_size=3)
    assert torch.allclose(found["1"], model[:2](x).flatten(1))
    assert torch.allclose(found["3"], model(x), atol=1e-6)
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(UnknownName, match="unknown layer '9'"):
        features(model, ["9"], x)


def test_class_activation_is_where_the_channel_of_the_label_is_high() -> None:
    class Pool(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(2).mean(2)

    model = nn.Sequential(nn.Identity(), Pool())
    x = torch.randn(4, 3, 5, 5)
    found = class_activation(model, "0", x, torch.tensor([0, 1, 2, 0]))
    expected = torch.stack([x[i, label].clamp_min(0) / 25 for i, label in enumerate([0, 1, 2, 0])])
    assert torch.allclose(found, expected, atol=1e-6)
    with pytest.raises(UnknownName, match="unknown layer"):
        class_activation(model, "9", x, torch.zeros(4).long())
