"""FSQ: the code and the loss, derived anew."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli

from unbraid.errors import InvalidOption
from unbraid.models.ae import AE
from unbraid.models.fsq import FSQ
from unbraid.view import Batch

BATCH = Batch(torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(6), 100)


def made(levels: int) -> FSQ:
    torch.manual_seed(0)
    return FSQ((1, 32, 32), latent_dim=3, levels=levels)


@pytest.mark.parametrize("levels", [2, 5, 8])
def test_every_latent_is_the_level_nearest_to_its_tanh_and_decodes_to_the_loss(levels: int) -> None:
    model = made(levels)
    grid = [2 * level / (levels - 1) - 1 for level in range(levels)]
    expected = torch.tensor(
        [[min(grid, key=lambda v, c=c: abs(v - math.tanh(c))) for c in row] for row in model.encoder(BATCH.x).tolist()]
    )
    torch.testing.assert_close(model.represent(BATCH.x), expected)
    nll = -Bernoulli(logits=model.decoder(expected)).log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    terms = model.loss(BATCH, 0)
    assert list(terms) == ["reconstruction"]
    torch.testing.assert_close(terms["reconstruction"], nll)


def test_with_levels_fine_enough_it_is_an_autoencoder_behind_tanh() -> None:
    model, plain = made(1_000_001), AE((1, 32, 32), latent_dim=3)
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(model.represent(BATCH.x), plain.represent(BATCH.x).tanh(), rtol=0, atol=1e-5)


def test_the_encoder_feels_the_decoders_gradient_through_rounding_and_tanh() -> None:
    model = made(4)
    model.loss(BATCH, 0)["reconstruction"].backward()
    felt = model.encoder[-1].bias.grad.clone()
    code = model.encoder(BATCH.x).detach()
    values = model.represent(BATCH.x).detach().requires_grad_()
    model.nll(BATCH.x, values).backward()
    torch.testing.assert_close(felt, (values.grad * (1 - code.tanh().square())).sum(dim=0))


def test_all_levels_are_used_by_codes_that_spread() -> None:
    model = made(8)
    model.encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1024, 3))  # type: ignore[assignment]
    torch.nn.init.normal_(model.encoder[1].weight, std=0.1)
    codes = model.represent(torch.randn(500, 1, 32, 32))
    assert [len(codes[:, j].unique()) for j in range(3)] == [8, 8, 8]


def test_a_single_level_is_refused() -> None:
    with pytest.raises(InvalidOption, match="levels must be a finite number of at least 2, but is 1"):
        made(1)
