"""Models on whose codes actions act: their losses derived anew, what they are told, and what they are not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.forwardvae import ForwardVAE
from unbraid.models.rgrvae import RGrVAE
from unbraid.models.slowfeaturevae import SlowFeatureVAE
from unbraid.view import OrbitBatch

FRAMES = torch.rand(6, 3, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round()
ACTIONS = torch.tensor([[0, 1], [2, 3], [1, 1], [3, 0], [2, 2], [0, 3]])
BATCH = OrbitBatch(FRAMES, torch.zeros(6, 3, dtype=torch.int64), ACTIONS, 1000)
ENDS = OrbitBatch(FRAMES[:, [0, 2]], torch.zeros(6, 2, dtype=torch.int64), ACTIONS, 1000)


def made(cls: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    own = {"policy_network": "dense"} if cls is RGrVAE else {}
    return cls((1, 32, 32), network="dense", **own, **options)


def loss(model: Any, batch: OrbitBatch = BATCH) -> dict[str, float]:
    torch.manual_seed(5)
    return {name: term.item() for name, term in model.loss(batch, 0).items()}


def posterior(model: Any, frames: Tensor) -> Normal:
    mean, spread = model.encoder(frames).chunk(2, dim=1)
    lowest = -1.0507009873554805 * 1.6732632423543772
    log_variance = torch.where(spread > 0, 1.0507009873554805 * spread, lowest * (1 - spread.exp()))
    return Normal(mean, (log_variance / 2).exp())


@pytest.mark.parametrize("cls", [ForwardVAE, SlowFeatureVAE])
def test_reconstruction_and_kl_are_of_all_frames_and_the_floor_holds_their_variance(cls) -> None:
    model = made(cls, beta=2.0)
    frames = FRAMES.flatten(0, 1)
    q = posterior(model, frames)
    terms = loss(model)
    torch.manual_seed(5)
    z = q.mean + q.stddev * torch.randn_like(q.mean)
    nll = -Bernoulli(logits=model.decoder(z)).log_prob(frames).flatten(1).sum(1).mean()
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
    assert terms["reconstruction"] == pytest.approx(nll.item(), rel=1e-5)
    assert terms["kl"] == pytest.approx(2.0 * 0.25 * kl.item(), rel=1e-5), "a quarter of 4096 numbers"
    with torch.no_grad():
        model.encoder[-1].bias[4:] = -50.0
    assert model.encode(frames).log_variance.min() > -1.7581


@pytest.mark.parametrize("representation", ["rotations", "blocks", "free", "exponentials"])
def test_codes_are_predicted_by_the_matrices_of_the_actions_told(representation) -> None:
    model = made(ForwardVAE, gamma=3.0, representation=representation)
    mean = posterior(model, FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))
    A = model.matrices()
    one = sum((A[ACTIONS[b, t]] @ z[b, t] - mean[b, t + 1]).square().sum() for b in range(6) for t in range(2)) / 12
    assert loss(model)["prediction"] == pytest.approx(3.0 * 0.25 * one.item(), rel=1e-4)
    torch.manual_seed(5)
    z = model.encode(ENDS.x.flatten(0, 1)).rsample().unflatten(0, (6, 2))
    both = sum((A[ACTIONS[b, 1]] @ A[ACTIONS[b, 0]] @ z[b, 0] - mean[b, 2]).square().sum() for b in range(6)) / 6
    assert loss(model, ENDS)["prediction"] == pytest.approx(3.0 * 0.25 * both.item(), rel=1e-4)


def test_slow_codes_pay_for_every_change() -> None:
    model = made(SlowFeatureVAE, gamma=3.0)
    mean = posterior(model, FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))
    change = (z[:, :2] - mean[:, 1:]).square().sum(dim=2).mean()
    assert loss(model)["slowness"] == pytest.approx(3.0 * 0.25 * change.item(), rel=1e-5)


def sampled(model: RGrVAE, batch: OrbitBatch, pick: list[Tensor], monkeypatch) -> dict[str, float]:
    """The loss where the policy takes the given actions."""
    picks = iter(pick)
    monkeypatch.setattr(torch, "multinomial", lambda *_args, **_more: next(picks)[:, None])
    return loss(model, batch)


def test_a_policy_learns_from_the_reward_of_the_action_it_took(monkeypatch) -> None:
    model = made(RGrVAE, gamma=3.0, entropy=0.5)
    taken = torch.arange(12) % 4
    mean = model.encode(FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))
    terms = sampled(model, BATCH, [taken], monkeypatch)
    error, policy = 0.0, 0.0
    for i in range(12):
        b, t = divmod(i, 2)
        p = model.policy(torch.cat((FRAMES[b : b + 1, t], FRAMES[b : b + 1, t + 1]), 1)).softmax(1)[0]
        stay = (z[b, t] - mean[b, t + 1]).square().sum()
        moved = (model.matrices()[taken[i]] @ z[b, t] - mean[b, t + 1]).square().sum()
        reward = (stay - moved).item()
        chosen = p[taken[i]].item()
        policy -= abs(reward) * math.log(chosen if reward >= 0 else 1 - chosen)
        policy -= 0.5 * -(p * p.log()).sum().item()
        error += moved.item()
    assert terms["prediction"] == pytest.approx(3.0 * 0.25 * error / 12, rel=1e-4)
    assert terms["policy"] == pytest.approx(policy / 12, rel=1e-4)


def test_several_actions_are_taken_through_decoded_images_to_one_end(monkeypatch) -> None:
    model = made(RGrVAE, horizon=2, gamma=3.0)
    picks = [torch.tensor([0, 1, 2, 3, 0, 1]), torch.tensor([3, 3, 1, 0, 2, 2])]
    terms = sampled(model, ENDS, picks, monkeypatch)
    torch.manual_seed(5)
    z = model.encode(ENDS.x.flatten(0, 1)).rsample().unflatten(0, (6, 2))
    mean = model.encode(ENDS.x.flatten(0, 1)).mean.unflatten(0, (6, 2))
    A = model.matrices()
    ends = torch.stack([A[picks[1][b]] @ A[picks[0][b]] @ z[b, 0] for b in range(6)])
    expected = 3.0 * 0.25 * (ends - mean[:, 1]).square().sum(1).mean()
    assert terms["prediction"] == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("estimator", ["exact", "soft"])
def test_all_actions_can_count_by_the_policy_or_by_what_they_explain(estimator) -> None:
    model = made(RGrVAE, estimator=estimator, entropy=0.0, gamma=3.0)
    mean = model.encode(FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))
    before, after = z[:, :2].flatten(0, 1), mean[:, 1:].flatten(0, 1)
    errors = torch.stack([(before @ matrix.T - after).square().sum(1) for matrix in model.matrices()], dim=1)
    p = model.judge(FRAMES[:, :2].flatten(0, 1), FRAMES[:, 1:].flatten(0, 1)).softmax(1)
    stay = (before - after).square().sum(1, keepdim=True)
    q = p if estimator == "exact" else (-errors / 2).softmax(1)
    lesson = -(p * (stay - errors)).sum(1) if estimator == "exact" else -(q * p.log()).sum(1)
    terms = loss(model)
    assert terms["prediction"] == pytest.approx(3.0 * 0.25 * (q * errors).sum(1).mean().item(), rel=1e-4)
    assert terms["policy"] == pytest.approx(lesson.mean().item(), rel=1e-4)


def test_a_policy_settles_from_its_step_on_by_what_explains_and_before_it_does_not() -> None:
    paper, mended = made(RGrVAE, entropy=0.0), made(RGrVAE, entropy=0.0, settle=1)
    assert loss(mended) == loss(paper)
    with torch.no_grad():
        for model in (paper, mended):
            model.policy[-1].bias[2] = 20.0  # sure of one action, wherever
    lessons = {}
    for name, model in {"paper": paper, "mended": mended}.items():
        torch.manual_seed(5)
        terms = model.loss(BATCH, 1)
        lessons[name] = torch.autograd.grad(terms["policy"], model.policy[-1].bias)[0]
    torch.manual_seed(5)
    z = mended.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))[:, :2].flatten(0, 1)
    mean = mended.encode(FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))[:, 1:].flatten(0, 1)
    q = (-1.5 * mended.errors(z, mean)).softmax(dim=1)
    sure = torch.tensor([0.0, 0.0, 1.0, 0.0])
    assert torch.allclose(lessons["mended"], sure - q.mean(0), atol=1e-5)
    assert lessons["paper"].abs().max() < 1e-3 < lessons["mended"].abs().max()


def test_the_policys_loss_moves_the_policy_alone_and_predictions_do_not_move_it() -> None:
    model = made(RGrVAE)
    terms = model.loss(BATCH, 0)
    others = [p for name, p in model.named_parameters() if not name.startswith("policy")]
    gradients = torch.autograd.grad(terms["policy"], others, allow_unused=True, retain_graph=True)
    assert all(g is None or not g.any() for g in gradients)
    moved = torch.autograd.grad(terms["prediction"], list(model.policy.parameters()), allow_unused=True)
    assert all(g is None for g in moved)


def test_what_a_view_tells_of_actions_is_not_looked_at_by_who_infers_them() -> None:
    model = made(RGrVAE)
    hidden = OrbitBatch(BATCH.x, BATCH.index, None, 1000)
    assert loss(model) == loss(model, hidden)
    with pytest.raises(InvalidData, match="must be told the actions"):
        made(ForwardVAE).loss(hidden, 0)
    with pytest.raises(InvalidData, match=r"has an action 3, but the model has 2 \(0 .. 1\)"):
        made(ForwardVAE, actions=2).loss(BATCH, 0)


def test_an_action_is_inferred_by_the_matrix_that_explains_it_or_by_the_policy() -> None:
    model = made(ForwardVAE)
    x, y = FRAMES[:, 0], FRAMES[:, 1]
    z, target = model.represent(x), model.represent(y)
    errors = torch.stack([(z @ matrix.T - target).norm(dim=1) for matrix in model.matrices()])
    assert torch.equal(model.infer(x, y), errors.argmin(0))
    model = made(RGrVAE)
    assert torch.equal(model.infer(x, y), model.policy(torch.cat((x, y), 1)).argmax(1))


def test_a_policy_of_one_action_and_matrices_that_turn_nothing_are_called_collapsed() -> None:
    model = made(RGrVAE)
    healthy = model.symptoms(BATCH)
    assert healthy["actions_used"] > 3.5
    assert 0.5 <= healthy["greatest_angle"] <= 1.0
    assert model.diagnosis(healthy) == []
    with torch.no_grad():
        model.policy[-1].bias[2] = 50.0
        model.acting.angle.mul_(0.01)
    ill = model.symptoms(BATCH)
    assert ill["actions_used"] == pytest.approx(1.0, abs=1e-3)
    assert ill["policy_sure"] == pytest.approx(1.0, abs=1e-3)
    sentences = " ".join(model.diagnosis(ill))
    assert "of 4 actions it uses 1.0" in sentences
    assert "no action turns a code by more than 0.01 radians" in sentences


@pytest.mark.parametrize(("cls", "options", "sentence"), [
    (RGrVAE, {"horizon": 0}, "horizon must be"),
    (RGrVAE, {"settle": -1}, "settle must be"),
    (RGrVAE, {"actions": 1}, "actions must be a finite number of at least 2"),
    (RGrVAE, {"actions": 5}, "5 actions need at least 6 latents, but there are 4"),
    (ForwardVAE, {"rate": -1.0}, "rate must be"),
    (ForwardVAE, {"representation": "dense"}, "representation must be one of rotations, blocks"),
])  # fmt: skip
def test_options_out_of_range_are_refused(cls, options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        made(cls, **options)
