"""The identifiable VAE: its posterior by hand, and sources that are found with the class and not without it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData
from unbraid.models.ivae import IVAE
from unbraid.models.vae import VAE
from unbraid.scores.mcc import mcc
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


@pytest.mark.slow
def test_sources_are_found_with_their_segment_and_not_without() -> None:
    sources, segment, seen = mixed()
    told, alone = (recovered(segments, sources, segment, seen) for segments in (40, 1))
    assert told >= 0.9
    assert alone <= 0.8


def mixed(sources: int = 2, segments: int = 40, each: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal sources whose means and variances depend on the segment, mixed by rotations and leaky rectifiers."""
    generator = np.random.default_rng(0)
    deviation, mean = generator.uniform(0.5, 3, (segments, sources)), generator.uniform(-3, 3, (segments, sources))
    segment = np.repeat(np.arange(segments), each)
    drawn = mean[segment] + deviation[segment] * generator.standard_normal((len(segment), sources))
    seen = drawn / drawn.std(axis=0)
    for layer in range(3):
        seen = seen @ np.linalg.qr(generator.standard_normal((sources, sources)))[0]
        seen = seen if layer == 2 else np.where(seen > 0, seen, 0.2 * seen)
    seen = (seen - seen.mean(axis=0)) / seen.std(axis=0)
    return drawn, segment, seen + 0.05 * generator.standard_normal(seen.shape)


def recovered(segments: int, sources: np.ndarray, segment: np.ndarray, seen: np.ndarray, steps: int = 2000) -> float:
    """The mean correlation with the sources of the codes of a model with this many segments and small networks."""
    torch.manual_seed(0)
    model = IVAE((1, 1, 2), latent_dim=2, segments=segments, likelihood="learned", network="dense")
    model.encoder, model.decoder = (
        nn.Sequential(nn.Flatten(), *small(2, 4)),  # type: ignore[assignment]
        nn.Sequential(*small(2, 2), nn.Unflatten(1, (1, 1, 2))),  # type: ignore[assignment]
    )
    optimiser = torch.optim.Adam(model.parameters(), 3e-3, fused=True)
    x, label = torch.from_numpy(seen).float().reshape(-1, 1, 1, 1, 2), torch.from_numpy(segment)
    for step in range(steps):
        rows = torch.randint(0, len(x), (256,))
        optimiser.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        optimiser.zero_grad()
        model.loss(GroupBatch(x[rows], rows[:, None], label[rows], len(x)), step).total().backward()
        optimiser.step()
    with torch.no_grad():
        codes = model.represent(x[:, 0]).numpy()
    return float(mcc(codes, (1000 * (sources - sources.min())).astype(np.int64)))


def small(inputs: int, outputs: int, width: int = 64) -> list[nn.Module]:
    layers = [nn.Linear(inputs, width), nn.LeakyReLU(0.1), nn.Linear(width, width), nn.LeakyReLU(0.1)]
    return [*layers, nn.Linear(width, outputs)]
