"""The SlowVAE: everyone is compared with its partner, both ways."""

from __future__ import annotations

import pytest
import torch

from unbraid.errors import InvalidOption
from unbraid.models.slowvae import SlowVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch, PairBatch

SIZE = 5


def made(cls: type = SlowVAE, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=3, network="dense", **options)


def pairs() -> PairBatch:
    x, other = torch.rand(2, SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    return PairBatch(x, other, torch.arange(SIZE), torch.arange(SIZE), 100, None)


def test_every_image_is_compared_with_the_other_of_its_pair() -> None:
    model, batch = made(gamma=2.5, rate=3.0), pairs()
    first, second = model.encode(batch.x), model.encode(batch.other)
    forth, back = (a.divergences_from_laplace(b.mean, 3.0).sum() for a, b in ((first, second), (second, first)))
    torch.testing.assert_close(model.loss(batch, 0)["moved"], 2.5 * (forth + back) / (2 * SIZE))


def test_the_normal_prior_counts_for_the_first_of_two() -> None:
    batch = pairs()
    alone = made(VAE).loss(Batch(torch.cat([batch.x, batch.other]), torch.arange(2 * SIZE), 100), 0)
    torch.testing.assert_close(made(beta=3.0).loss(batch, 0)["kl"], 1.5 * alone["kl"])


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidOption, match="rate must be above 0"):
        made(rate=0.0)
