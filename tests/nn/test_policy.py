"""Gradients of policies, against enumeration."""

from __future__ import annotations

import torch

from unbraid.nn.policy import entropy, exact, reinforce, soft

torch.manual_seed(0)
LOGITS = torch.randn(3, 4, dtype=torch.float64)
REWARDS = torch.tensor([[2.0, 0.5, 1.0, 0.0], [0.1, 3.0, 0.2, 0.4], [-1.0, 2.0, -0.5, 0.3]], dtype=torch.float64)


def gradient(loss, logits=LOGITS):
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf).sum(), leaf)[0]


def enumerated(rewards):
    """The mean gradient of the sampled loss, over all actions with their probabilities."""
    p = LOGITS.softmax(dim=1)
    each = [gradient(lambda x, a=a: reinforce(x, torch.full((3,), a), rewards[:, a])) for a in range(4)]
    return sum(p[:, a : a + 1] * each[a] for a in range(4))


def test_rewards_that_are_not_negative_are_learned_from_as_by_the_gradient_of_their_expectation() -> None:
    rewards = REWARDS.abs()
    assert torch.allclose(enumerated(rewards), gradient(lambda x: exact(x, rewards)))


def test_the_mean_of_sampled_gradients_is_the_enumerated_one() -> None:
    generator = torch.Generator().manual_seed(0)
    count = 40_000
    many = LOGITS.repeat_interleave(count, dim=0)
    action = torch.multinomial(many.softmax(dim=1), 1, generator=generator)[:, 0]
    rewards = REWARDS.repeat_interleave(count, dim=0).gather(1, action[:, None])[:, 0]
    mean = gradient(lambda x: reinforce(x, action, rewards), many).reshape(3, count, 4).mean(dim=1)
    assert torch.allclose(mean, enumerated(REWARDS), atol=0.03)
    assert enumerated(REWARDS).abs().max() > 0.3


def test_a_negative_reward_pushes_its_action_down_and_all_others_up() -> None:
    down = -gradient(lambda x: reinforce(x, torch.tensor([0, 0, 0]), -torch.ones(3, dtype=torch.float64)))
    assert (down[:, 0] < 0).all()
    assert (down[:, 1:] > 0).all()
    # Of log(1 - p): p itself, and not p / (1 - p) or 1 - p, is how hard it pushes.
    assert torch.allclose(down[:, 0], -LOGITS.softmax(dim=1)[:, 0])


def test_the_exact_gradient_is_that_of_finite_differences() -> None:
    found, nudge = gradient(lambda x: exact(x, REWARDS)), 1e-6
    for i in range(3):
        for a in range(4):
            step = torch.zeros_like(LOGITS)
            step[i, a] = nudge
            slope = (exact(LOGITS + step, REWARDS) - exact(LOGITS - step, REWARDS)).sum() / (2 * nudge)
            assert abs(slope - found[i, a]) < 1e-7


def test_no_gradient_goes_through_rewards_or_errors() -> None:
    rewards = REWARDS.clone().requires_grad_()
    logits = LOGITS.clone().requires_grad_()
    q, lesson = soft(logits, rewards.square())
    taken = reinforce(logits, torch.tensor([0, 1, 2]), rewards[:, 0])
    (exact(logits, rewards).sum() + lesson.sum() + taken.sum()).backward()
    assert rewards.grad is None
    assert not q.requires_grad
    assert torch.allclose(q.sum(dim=1), torch.ones(3, dtype=torch.float64))


def test_entropy_is_greatest_for_a_uniform_policy_and_0_for_a_sure_one() -> None:
    assert torch.allclose(entropy(torch.zeros(1, 4)), torch.tensor(4.0).log())
    assert entropy(torch.tensor([[50.0, 0.0]])).item() < 1e-6


def settled(lesson) -> int:
    """The action that a policy prefers which was sure of the second one, after many lessons."""
    logits = torch.tensor([[0.0, 8.0, 0.0]], requires_grad=True)
    optimiser = torch.optim.SGD([logits], lr=0.5)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        optimiser.zero_grad()
        taken = torch.multinomial(logits.detach().softmax(dim=1), 1, generator=generator)[:, 0]
        lesson(logits, taken).sum().backward()
        optimiser.step()
    return int(logits.argmax())


def test_a_policy_sure_of_the_second_best_stays_so_by_its_rewards_and_is_mended_by_what_explains() -> None:
    errors, stay = torch.tensor([[0.5, 1.0, 4.0]]), 3.0  # The second leads nearer than to stay, the first more so.
    assert settled(lambda logits, taken: reinforce(logits, taken, stay - errors[0, taken])) == 1
    assert settled(lambda logits, taken: soft(logits, errors, variance=1 / 3)[1]) == 0


def test_responsibilities_are_the_posterior_of_a_mixture_of_gaussians() -> None:
    errors = torch.tensor([[0.2, 1.0, 3.0]], dtype=torch.float64)
    q, lesson = soft(LOGITS[:1, :3], errors, variance=0.25)
    density = torch.distributions.Normal(0.0, 0.5).log_prob(errors.sqrt()).exp()
    assert torch.allclose(q, density / density.sum())
    assert torch.allclose(lesson, -(q * LOGITS[:1, :3].log_softmax(dim=1)).sum(dim=1))
