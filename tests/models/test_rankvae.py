"""The VAE of ranked pairs: order is what it is told, and what it learns."""

from __future__ import annotations

import math

import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.models.rankvae import RankVAE
from unbraid.view import RankedBatch

SIZE = 8


def made(latent_dim: int = 3) -> RankVAE:
    torch.manual_seed(0)
    return RankVAE((1, 32, 32), latent_dim=latent_dim, gamma=2.0, network="dense")


def ranked(order: list[int]) -> RankedBatch:
    x, other = torch.rand(2, SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    rows = torch.tensor([order] * SIZE, dtype=torch.int8)
    return RankedBatch(x, other, torch.arange(SIZE), torch.arange(SIZE), rows, 100)


def test_the_order_costs_what_a_logistic_regression_would_pay() -> None:
    model, batch = made(), ranked([1, -1])
    difference = (model.represent(batch.x) - model.represent(batch.other))[:, :2] * torch.tensor([1.0, -1.0])
    by_hand = sum(math.log1p(math.exp(-d)) for d in difference.flatten().tolist())
    assert model.loss(batch, 0)["order"].item() == pytest.approx(2 * by_hand / SIZE, rel=1e-4)


def test_of_equal_images_no_order_is_asked() -> None:
    assert made().loss(ranked([0, 0]), 0)["order"].item() == 0


def test_turned_pairs_cost_the_same() -> None:
    batch = ranked([1, -1])
    turned = RankedBatch(batch.other, batch.x, batch.other_index, batch.index, -batch.order, 100)
    torch.testing.assert_close(made().loss(batch, 0)["order"], made().loss(turned, 0)["order"])


def test_more_ranked_factors_than_latents_are_refused() -> None:
    with pytest.raises(InvalidData, match="ranked by 4 factors, but the model has 3 latents"):
        made().loss(ranked([1, 1, 1, 1]), 0)
