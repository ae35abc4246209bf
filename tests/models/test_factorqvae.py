"""The FactorQVAE's two losses, derived anew, and how they are kept apart."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli

from unbraid.errors import InvalidOption
from unbraid.model import Terms
from unbraid.models.factorqvae import FactorQVAE
from unbraid.view import Batch

SIZE, LATENTS, VALUES, PIXELS = 6, 3, 5, 32 * 32
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)


def made(**options: Any) -> FactorQVAE:
    torch.manual_seed(0)
    small = {"latent_dim": LATENTS, "values": VALUES, "critic_width": 7, "critic_depth": 2}
    return FactorQVAE((1, 32, 32), **{**small, **options})


def loss(model: FactorQVAE, player: str = "model") -> Terms:
    torch.manual_seed(5)
    return model.loss(BATCH, 0, player)


def posterior(model: FactorQVAE) -> Tensor:
    code, values = model.encoder(BATCH.x).tolist(), model.codebook.tolist()
    weights = torch.tensor([[[math.exp(-((c - v) ** 2)) for v in values] for c in row] for row in code])
    return weights / weights.sum(dim=2, keepdim=True)


def mixtures(model: FactorQVAE, temperature: float = 1.0) -> Tensor:
    """Relaxed samples: the posterior's weights times exponential noise, normalised."""
    noise = torch.empty(SIZE, LATENTS, VALUES).exponential_()
    raised = (posterior(model) / noise) ** (1 / temperature)
    return raised / raised.sum(dim=2, keepdim=True)


def log_odds(model: FactorQVAE, k: Tensor) -> Tensor:
    """The difference of the critic's logits, layer by layer."""
    h = k.reshape(len(k), -1)
    for i in (0, 2, 4):
        h = h @ model.critic[i].weight.T + model.critic[i].bias  # type: ignore[operator, union-attr]
        h = torch.where(h > 0, h, 0.2 * h) if i < 4 else h
    return h[:, 0] - h[:, 1]


def test_the_models_loss_equals_its_derivation() -> None:
    model = made(beta=0.02, gamma=0.03, temperature=0.7)
    torch.manual_seed(5)
    k = mixtures(model, 0.7)
    z = sum(k[:, :, v] * model.codebook[v] for v in range(VALUES))
    q = posterior(model)
    kl = sum((q[:, :, v] * (q[:, :, v] * VALUES).log()).mean() for v in range(VALUES))
    terms = loss(model)
    nll = -Bernoulli(logits=model.decoder(z)).log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(terms["reconstruction"], nll, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms["kl"], 0.02 * PIXELS / 2 * kl, rtol=1e-4, atol=0)  # type: ignore[arg-type]
    correlation = 0.03 * PIXELS / 2 * log_odds(model, k).mean()
    torch.testing.assert_close(terms["total_correlation"], correlation, rtol=1e-3, atol=1e-5)


def test_the_critics_loss_equals_its_derivation() -> None:
    model = made()
    torch.manual_seed(5)
    p, other = mixtures(model), mixtures(model)
    order = torch.rand(SIZE, LATENTS).argsort(dim=0)
    r = torch.stack([torch.stack([other[order[i, j], j] for j in range(LATENTS)]) for i in range(SIZE)])
    told = (log_odds(model, p).sigmoid().log().mean() + (-log_odds(model, r)).sigmoid().log().mean()) / 2
    torch.testing.assert_close(loss(model, "critic")["critic"], -told, rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("player", "term", "parts"),
    [
        ("model", "reconstruction", {"encoder", "decoder", "codebook"}),
        ("model", "kl", {"encoder", "codebook"}),
        ("model", "total_correlation", {"encoder", "codebook"}),
        ("critic", "critic", {"critic"}),
    ],
)
def test_each_term_moves_what_it_should_and_nothing_else(player: str, term: str, parts: set[str]) -> None:
    model = made()
    loss(model, player)[term].backward()
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()} == parts


def test_codes_are_the_nearest_values_of_the_one_codebook() -> None:
    model = made()
    code, values = model.encoder(BATCH.x).tolist(), model.codebook.tolist()
    expected = [[min(values, key=lambda v, c=c: abs(v - c)) for c in row] for row in code]
    torch.testing.assert_close(model.represent(BATCH.x), torch.tensor(expected))
    codes = model.quantise(3 * torch.randn(500, LATENTS))
    assert all(set(codes[:, j].tolist()) == set(values) for j in range(LATENTS)), "a value is out of use"


def test_a_latent_carries_nothing_midway_and_the_log_of_its_values_when_certain() -> None:
    model = made(values=2)
    with torch.no_grad():
        model.codebook.copy_(torch.tensor([-10.0, 10.0]))
    model.encode = lambda x: torch.tensor([[0.0, 10.0, -1e4]]).expand(SIZE, -1)  # type: ignore[method-assign]
    nats = model.divergence(BATCH.x)[0]
    torch.testing.assert_close(nats, torch.tensor([0.0, math.log(2), math.log(2)]))
    assert all(torch.isfinite(term) for term in loss(model).values())


def test_cold_samples_are_single_values() -> None:
    model = made(temperature=0.001)
    seen = []
    model.nll = lambda x, z: seen.append(z) or z.sum()  # type: ignore[method-assign, func-returns-value]
    loss(model)
    assert (seen[0][:, :, None] - model.codebook).abs().min(dim=2).values.max() < 1e-3


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(InvalidOption, match=r"temperature must be a finite number of at least 0\.001, but is 0"):
        made(temperature=0.0)
