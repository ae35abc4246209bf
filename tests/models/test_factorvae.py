"""The FactorVAE's two losses, derived anew, and how they are kept apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.fit import Trial
from unbraid.model import Terms
from unbraid.models.factorvae import FactorVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch

SIZE, LATENTS = 6, 3
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)


def made(cls: Any = FactorVAE, **options: Any) -> Any:
    torch.manual_seed(0)
    small = {"critic_width": 7, "critic_depth": 2} if cls is FactorVAE else {}
    return cls((1, 32, 32), latent_dim=LATENTS, **small, **options)


def loss(model: Any, *player: str) -> Terms:
    torch.manual_seed(5)
    terms: Terms = model.loss(BATCH, 0, *player)
    return terms


def posterior(model: FactorVAE) -> Normal:
    mean, log_variance = model.encoder(BATCH.x).chunk(2, dim=1)
    return Normal(mean, (log_variance / 2).exp())


def judged(model: FactorVAE, z: Tensor) -> Tensor:
    """The critic's log probabilities of "from the codes" and "permuted", layer by layer."""
    for i in (0, 2, 4):
        z = z @ model.critic[i].weight.T + model.critic[i].bias  # type: ignore[operator, union-attr]
        z = torch.where(z > 0, z, 0.2 * z) if i < 4 else z
    return z - z.exp().sum(dim=1, keepdim=True).log()


def test_the_models_loss_equals_its_derivation() -> None:
    model = made(gamma=7.0)
    q = posterior(model)
    torch.manual_seed(5)
    z = q.mean + q.stddev * torch.randn(SIZE, LATENTS)
    odds = judged(model, z).exp()
    terms = loss(model)
    assert set(terms) == {"reconstruction", "kl", "total_correlation"}
    p: Any = Bernoulli(logits=model.decoder(z))
    torch.testing.assert_close(terms["reconstruction"], -p.log_prob(BATCH.x).flatten(1).sum(dim=1).mean())
    torch.testing.assert_close(terms["kl"], kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1).mean())
    torch.testing.assert_close(terms["total_correlation"], 7 * (odds[:, 0] / (1 - odds[:, 0])).log().mean())


def test_the_critics_loss_equals_its_derivation() -> None:
    model = made()
    q = posterior(model)
    torch.manual_seed(5)
    z, other = (q.mean + q.stddev * torch.randn(SIZE, LATENTS) for _ in range(2))
    orders = torch.rand(SIZE, LATENTS).argsort(dim=0)
    mixed = torch.stack([other[orders[:, j], j] for j in range(LATENTS)], dim=1)
    expected = -0.5 * (judged(model, z)[:, 0].mean() + judged(model, mixed)[:, 1].mean())
    assert list(loss(model, "critic")) == ["critic"]
    torch.testing.assert_close(loss(model, "critic")["critic"], expected)


def test_with_gamma_0_it_is_a_vae() -> None:
    torch.testing.assert_close(loss(made(gamma=0.0)).total(), loss(made(VAE)).total())


def test_only_the_total_correlation_feels_gamma_and_linearly() -> None:
    one, three = (loss(made(gamma=gamma)) for gamma in (1.0, 3.0))
    for term in one:
        torch.testing.assert_close(three[term], (3 if term == "total_correlation" else 1) * one[term])
    assert one["total_correlation"].item() != 0


def test_the_critics_loss_leaves_no_gradient_in_encoder_and_decoder() -> None:
    model = made()
    loss(model, "critic").total().backward()
    assert all(p.grad is None for part in (model.encoder, model.decoder) for p in part.parameters())
    assert all(p.grad is not None and p.grad.any() for p in model.critic.parameters())


def test_the_models_loss_leaves_no_gradient_in_the_critic_and_the_critic_moves_the_encoder() -> None:
    model = made()
    loss(model)["total_correlation"].backward()
    assert all(p.grad is None for part in (model.critic, model.decoder) for p in part.parameters())
    assert all(p.grad is not None and p.grad.any() for p in model.encoder.parameters())


def test_in_a_trial_both_move_and_the_critic_by_its_own_settings() -> None:
    model = made(critic_rate=2e-3)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trial = Trial(model, lambda group: torch.optim.Adam(group, lr=1e-3))
    trial.fit([BATCH], steps=1)
    one, critic = (player.optimizer.param_groups[0] for player in trial.engine.players)
    assert (one["lr"], one["betas"]) == (1e-3, (0.9, 0.999))
    assert (critic["lr"], critic["betas"]) == (2e-3, (0.5, 0.9))
    assert all(not torch.equal(before[name], p) for name, p in model.named_parameters())


def test_the_critic_is_the_papers_unless_said_otherwise() -> None:
    layers = [layer for layer in FactorVAE((1, 32, 32)).critic if isinstance(layer, torch.nn.Linear)]
    assert [layer.in_features for layer in layers] == [10, *[1000] * 6]
    assert layers[-1].out_features == 2


@pytest.mark.parametrize("option", ["gamma", "critic_rate", "critic_width", "critic_depth"])
def test_options_out_of_range_are_refused(option: str) -> None:
    with pytest.raises(InvalidOption, match=f"{option} must be a finite number of at least"):
        FactorVAE((1, 32, 32), **{option: -1})  # type: ignore[arg-type]
