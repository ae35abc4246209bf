"""The critic of codes, and codes made independent."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unbraid.nn.critic import Critic, permuted


def correlated(size: int, rho: float) -> Tensor:
    first, second = torch.randn(2, size)
    return torch.stack((first, rho * first + math.sqrt(1 - rho**2) * second), dim=1)


def test_permuting_keeps_every_column_and_breaks_the_rows() -> None:
    torch.manual_seed(0)
    z = torch.arange(50.0)[:, None] + torch.tensor([0.0, 100.0, 200.0])
    moved = permuted(z)
    assert torch.equal(moved.sort(dim=0).values, z)
    orders = {tuple(column.argsort().tolist()) for column in moved.T}
    assert len(orders) == 3, "columns moved together"
    torch.manual_seed(0)
    wide = permuted(torch.stack((z, -z), dim=2))
    assert torch.equal(wide, torch.stack((moved, -moved), dim=2)), "what is one latent was torn apart"


def test_a_trained_critic_knows_the_total_correlation_of_a_gaussian() -> None:
    torch.manual_seed(0)
    critic, rho = Critic(2, width=32, depth=2), 0.8
    optimiser = torch.optim.Adam(critic.parameters(), lr=3e-3)
    for _ in range(300):
        optimiser.zero_grad()
        critic.loss(correlated(512, rho), permuted(correlated(512, rho))).backward()
        optimiser.step()
    estimate = critic.log_ratio(correlated(20_000, rho)).mean().item()
    assert abs(estimate + 0.5 * math.log(1 - rho**2)) < 0.1
    independent = critic.log_ratio(permuted(correlated(20_000, rho))).mean().item()
    assert independent < -0.3, "the ratio is one of p over r: under r its mean log is -KL(r || p)"


def test_a_critic_that_guesses_loses_log_2() -> None:
    critic = Critic(3, width=4, depth=1)
    torch.nn.init.zeros_(critic[-1].weight)  # type: ignore[arg-type]
    assert math.isclose(critic.loss(torch.randn(5, 3), torch.randn(5, 3)).item(), math.log(2), rel_tol=1e-6)


def test_the_ratio_moves_codes_and_the_loss_moves_the_critic_and_neither_the_other() -> None:
    torch.manual_seed(0)
    critic, z = Critic(3, width=4, depth=2), torch.randn(5, 3, requires_grad=True)
    critic.log_ratio(z).sum().backward()
    assert z.grad is not None
    assert z.grad.any()
    assert all(p.grad is None for p in critic.parameters())
    z.grad = None
    critic.loss(z, permuted(z)).backward()
    assert z.grad is None
    assert all(p.grad is not None and p.grad.any() for p in critic.parameters())
