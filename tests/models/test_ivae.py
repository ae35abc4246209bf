"""The identifiable VAE: its posterior by hand, and sources that are found with the class and not without it."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData
from unbraid.models.ivae import IVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch, GroupBatch

SIZE = 6


def made(cls: type = IVAE, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=3, network="dense", **options)


def classes() -> GroupBatch:
    x = torch.rand(SIZE, 2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    return GroupBatch(x, torch.arange(2 * SIZE).reshape(SIZE, 2), torch.arange(SIZE) % 4, 100)


def test_the_kl_is_that_of_bayes_rule_to_the_prior_of_the_class() -> None:
    model, batch = made(segments=4), classes()
    with torch.no_grad():
        model.prior_mean.normal_()
        model.prior_log_variance.normal_()
    total = 0.0
    for images, label in zip(batch.x, batch.label.tolist(), strict=True):
        g = model.encode(images)
        prior = Normal(model.prior_mean[label], (model.prior_log_variance[label] / 2).exp())
        precision = (-g.log_variance).exp() + 1 / prior.variance
        mean = (g.mean * (-g.log_variance).exp() + prior.mean / prior.variance) / precision
        total += kl_divergence(Normal(mean, precision.rsqrt()), prior).sum().item()
    assert model.loss(batch, 0)["kl"].item() == pytest.approx(total / (2 * SIZE), rel=1e-4)


def test_with_one_segment_the_model_is_told_nothing() -> None:
    batch = classes()
    other = GroupBatch(batch.x, batch.index, batch.label.flip(0), 100)
    torch.manual_seed(5)
    one = made(segments=1).loss(batch, 0)
    torch.manual_seed(5)
    torch.testing.assert_close(made(segments=1).loss(other, 0).total(), one.total())
    torch.manual_seed(5)
    plain = made(VAE).loss(Batch(batch.x.flatten(0, 1), batch.index.flatten(), 100), 0)
    assert set(one) == set(plain)


def test_a_class_beyond_the_segments_is_refused() -> None:
    with pytest.raises(InvalidData, match="the world has a class 3, but segments is 3"):
        made(segments=3).loss(classes(), 0)
