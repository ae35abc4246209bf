"""The LSBD-VAE: points on circles, turned as they are told, and its loss derived anew."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.lsbdvae import LSBDVAE
from unbraid.view import OrbitBatch

FRAMES = torch.rand(5, 3, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round()
ACTIONS = torch.tensor([[0, 1], [2, 3], [1, 1], [3, 0], [2, 2]])
BATCH = OrbitBatch(FRAMES, torch.zeros(5, 3, dtype=torch.int64), ACTIONS, 1000)


def made(**options: Any) -> LSBDVAE:
    torch.manual_seed(0)
    return LSBDVAE((1, 32, 32), network="dense", periods=(5, 7), **options)


def test_points_turned_back_agree_on_a_mean_and_images_are_decoded_from_there() -> None:
    model = made(latent_dim=5, gamma=3.0)
    torch.manual_seed(5)
    terms = model.loss(BATCH, 0)
    mean, spread = model.encoder(FRAMES.flatten(0, 1)).chunk(2, dim=1)
    torch.manual_seed(5)
    log_t = -7.5 + 2.5 * torch.tanh((spread[:, [0, 2]] + spread[:, [1, 3]]) / 2)
    noise, other = torch.randn(15, 2), torch.randn(15, 1)
    z = torch.complex(mean[:, [0, 2]], mean[:, [1, 3]])
    z = z / z.abs() * torch.exp(1j * (log_t / 2).exp() * noise)
    signed = {0: (2 * math.pi / 5, 0), 1: (-2 * math.pi / 5, 0), 2: (0, 2 * math.pi / 7), 3: (0, -2 * math.pi / 7)}
    agreed, distance = [], 0.0
    for b in range(5):
        turn, turns = torch.zeros(2), [torch.zeros(2)]
        for action in ACTIONS[b].tolist():
            turn = turn + torch.tensor(signed[action])
            turns.append(turn)
        back = torch.stack([z[3 * b + t] * torch.exp(-1j * turns[t]) for t in range(3)]).mean(0)
        for t in range(3):
            agreed.append(back / back.abs() * torch.exp(1j * turns[t]))
            distance += 2 * (1 - (agreed[-1] * z[3 * b + t].conj()).real).sum().item()
    points = torch.stack(agreed)
    code = torch.stack((points[:, 0].real, points[:, 0].imag, points[:, 1].real, points[:, 1].imag), dim=1)
    rest = mean[:, 4:] + (spread[:, 4:] / 2).exp() * other
    whole = torch.cat((code, rest), dim=1)
    nll = torch.nn.functional.binary_cross_entropy_with_logits(
        model.decoder(whole), FRAMES.flatten(0, 1), reduction="sum"
    )
    kl = (math.log(2 * math.pi) - 0.5 * (math.log(2 * math.pi * math.e) + log_t)).sum() / 15
    kl = kl + 0.5 * (mean[:, 4:].square() + spread[:, 4:].exp() - spread[:, 4:] - 1).sum() / 15
    assert terms["reconstruction"].item() == pytest.approx(nll.item() / 15, rel=1e-4)
    assert terms["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
    assert terms["agreement"].item() == pytest.approx(3.0 * distance / 15, rel=1e-3)


def test_codes_lie_on_circles_and_its_matrices_are_the_turns_it_is_told() -> None:
    model = made(latent_dim=5)
    assert torch.allclose(model.represent(FRAMES[:, 0])[:, :4].unflatten(1, (2, 2)).norm(dim=2), torch.ones(5, 2))
    matrices = model.matrices()
    assert torch.allclose(torch.linalg.matrix_power(matrices[0], 5), torch.eye(5), atol=1e-5)
    assert torch.allclose(torch.linalg.matrix_power(matrices[3], 7), torch.eye(5), atol=1e-5)
    assert torch.allclose(matrices[0] @ matrices[1], torch.eye(5), atol=1e-6)
    assert not torch.allclose(matrices[0], matrices[1], atol=0.1)


def test_the_first_and_the_last_frame_are_turned_by_all_actions_in_between() -> None:
    model = made()
    ends = OrbitBatch(FRAMES[:, [0, 2]], BATCH.index[:, :2], ACTIONS, 1000)
    assert torch.equal(model._turns(ends), model._turns(BATCH)[:, [0, 2]])


def test_what_it_needs_to_be_told_is_asked_for() -> None:
    with pytest.raises(InvalidData, match="must be told the actions"):
        made().loss(OrbitBatch(BATCH.x, BATCH.index, None, 1000), 0)
    with pytest.raises(InvalidData, match="give a period for each factor that moves"):
        LSBDVAE((1, 32, 32), periods=(5,)).loss(BATCH, 0)
    for periods, latent_dim in (((), 4), ((5, 5, 5), 4)):
        with pytest.raises(InvalidOption, match="needs a circle of two latents"):
            LSBDVAE((1, 32, 32), periods=periods, latent_dim=latent_dim)
    with pytest.raises(InvalidOption, match="periods must be"):
        LSBDVAE((1, 32, 32), periods=(1, 5))
