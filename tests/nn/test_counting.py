"""Counts in steps: their probabilities, and what is learned of them, against enumeration."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from unbraid.nn.counting import Baseline, chosen, doubted, geometric, log_counts, reinforced

LOGITS = torch.tensor([[0.3, -1.2, 0.8], [2.0, 0.1, -0.4]], dtype=torch.float64)
STEPS = LOGITS.shape[1]
COST = torch.tensor([[5.0, 2.0, 1.0, 4.0], [0.5, 3.0, -2.0, 1.0]], dtype=torch.float64)
"""Of 0 .. 3 objects."""


def gradient(loss, logits=LOGITS):
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf).sum(), leaf)[0]


def enumerated(logits, *, costs):
    """The expected cost, over all sequences of decisions, of which those after the first stop change nothing."""
    total = torch.zeros(len(logits), dtype=logits.dtype)
    for decisions in product((0, 1), repeat=STEPS):
        signs = 2 * torch.tensor(decisions) - 1
        p = torch.sigmoid(signs * logits).prod(dim=1)
        total = total + p * costs[:, (*decisions, 0).index(0)]
    return total


def test_a_doubted_posterior_is_partly_uniform_and_its_logits_still_learn() -> None:
    certain = torch.tensor([[40.0, -300.0, 0.0]])
    assert torch.allclose(doubted(log_counts(certain), 0.2).exp(), torch.tensor([[0.05, 0.85, 0.05, 0.05]]))
    assert torch.equal(doubted(log_counts(LOGITS), 0.0), log_counts(LOGITS))
    sure, doubtful = (gradient(lambda z, d=d: doubted(log_counts(z), d).exp() * COST) for d in (0.0, 0.2))
    assert torch.allclose(doubtful, 0.8 * sure)


def test_counts_have_the_probabilities_of_all_sequences_of_decisions() -> None:
    for count in range(STEPS + 1):
        once = torch.zeros_like(COST)
        once[:, count] = 1
        assert torch.allclose(log_counts(LOGITS)[:, count].exp().double(), enumerated(LOGITS, costs=once), atol=1e-6)


def test_the_gradient_of_the_sum_over_counts_is_that_of_full_enumeration() -> None:
    marginal = gradient(lambda z: (log_counts(z).exp() * COST).sum(dim=1))
    assert torch.allclose(marginal, gradient(lambda z: enumerated(z, costs=COST)), atol=1e-6)
    assert marginal.abs().max() > 0.1


@pytest.mark.parametrize("guess", [0.0, 1.5])
def test_the_mean_of_sampled_gradients_is_the_enumerated_one_whatever_the_baseline_guesses(guess: float) -> None:
    mean = torch.zeros_like(LOGITS)
    for count in range(STEPS + 1):
        n = torch.full((2,), count)
        cost = chosen(COST, n)[:, None].expand(-1, STEPS)
        lesson = gradient(lambda z, n=n, cost=cost: reinforced(z, n, cost, torch.full_like(cost, guess))[0])
        mean += log_counts(LOGITS)[:, count, None].exp() * lesson
    assert torch.allclose(mean, gradient(lambda z: enumerated(z, costs=COST)), atol=1e-6)


def test_the_baseline_is_judged_at_the_steps_that_were_decided() -> None:
    cost, guess = torch.ones(2, STEPS), torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.5, 9.0]])
    _, error = reinforced(LOGITS, torch.tensor([3, 1]), cost, guess)
    assert error.tolist() == [3.0, 0.25]


def test_the_prior_falls_by_the_same_factor_with_each_object_and_sums_to_one() -> None:
    prior = geometric(0.01, 3)
    assert torch.allclose(prior[1:] - prior[:-1], torch.tensor(math.log(0.01)))
    assert float(prior.exp().sum()) == pytest.approx(1)


def test_a_baseline_sees_only_what_was_found_before_each_decision() -> None:
    torch.manual_seed(0)
    baseline, x, found = Baseline(16, 4, width=8), torch.rand(2, 16), torch.rand(2, 3, 4)
    changed = found.clone()
    changed[:, 1] += 1
    before, after = baseline(x, found), baseline(x, changed)
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.equal(before[:, 2], after[:, 2])
