"""Clipping, penalties and frozen parameters: what they do, on every batch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks.freeze import Freeze
from unbraid.fit.callbacks.gradients import ClipGradients
from unbraid.fit.callbacks.penalty import L1, L2, Penalty
from unbraid.fit.decorators import on_backward, on_criterion, on_step
from unbraid.fit.state import LOSS, MODEL, PLAYER, X

DATA = Tensors(torch.arange(48.0).reshape(16, 3) / 10, batch_size=4, seed=1)  # four steps an epoch


class Two(nn.Module):
    """Two players that never meet."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 1), nn.Linear(3, 1)

    def players(self):
        return {"a": self.a.parameters(), "b": self.b.parameters()}

    def loss(self, batch, step, player):
        return 10 * (self.a if player == "a" else self.b)(batch).square().mean()


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def fitted(*callbacks, model=None, optimizer=torch.optim.SGD, epochs=2, accumulate=1, **options):
    model = model or linear()
    trial = Trial(
        model,
        optimizer(model.parameters(), lr=0.01, **options),
        closure=lambda state: (model(state[X]) - 1).square().mean(),
        callbacks=callbacks,
        accumulate=accumulate,
    )
    trial.fit(DATA, epochs=epochs)
    return model


def norm(model):
    return float(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm())


def same(first, second):
    return all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))


def test_d4_gradients_are_clipped_on_every_batch():
    norms = []
    fitted(ClipGradients(1e-3), on_backward(lambda state: norms.append(norm(state[MODEL]))))
    assert norms == pytest.approx([1e-3] * 8, rel=1e-3)


def test_clipping_is_that_of_torch():
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(2):
        for batch in DATA.batches(epoch, 0):
            optimizer.zero_grad()
            (model(batch) - 1).square().mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
    assert same(model, fitted(ClipGradients(0.5)))


def test_clipping_reports_the_norm_before():
    clip = ClipGradients(1e-3)
    fitted(clip)
    assert float(clip.norm) > 1e-2


def test_clipping_by_value_bounds_every_entry():
    largest = []
    seen = on_backward(lambda state: largest.append(max(float(p.grad.abs().max()) for p in state[MODEL].parameters())))
    fitted(ClipGradients(value=1e-3), seen)
    assert largest == pytest.approx([1e-3] * 8)


def test_clipping_can_leave_other_players_alone():
    norms = {"a": [], "b": []}

    @on_backward
    def look(state):
        norms[state[PLAYER]].append(norm(getattr(state[MODEL], state[PLAYER])))

    torch.manual_seed(0)
    Trial(Two(), callbacks=[ClipGradients(1e-3, player="a"), look]).fit(DATA, epochs=1)
    assert max(norms["a"]) < 1.1e-3
    assert min(norms["b"]) > 1e-2


@pytest.mark.parametrize("wrong", [{}, {"max_norm": 1.0, "value": 1.0}, {"max_norm": 0.0}, {"value": -1.0}])
def test_clipping_wants_one_bound_above_0(wrong):
    with pytest.raises(InvalidOption):
        ClipGradients(**wrong)


def test_d3_weight_decay_acts_on_every_batch():
    added = []
    before = on_criterion(lambda state: added.append(-state[LOSS].item()))

    @on_criterion
    def after(state):
        added[-1] += state[LOSS].item()

    fitted(before, L2(0.1), after)
    assert len(added) == 8
    assert min(added) > 0


@pytest.mark.parametrize("accumulate", [1, 4])
def test_l2_is_the_weight_decay_of_sgd(accumulate):
    ours, theirs = fitted(L2(0.3), accumulate=accumulate), fitted(weight_decay=0.3, accumulate=accumulate)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q)
    assert not same(theirs, fitted())


def test_l1_pulls_by_the_sign():
    model, plain = linear(), linear()
    signs = [p.detach().sign() for p in model.parameters()]
    one = Tensors(torch.ones(4, 3), batch_size=4)
    for each, callbacks in ((model, [L1(0.5)]), (plain, [])):
        Trial(
            each,
            torch.optim.SGD(each.parameters(), lr=0.01),
            closure=lambda state, each=each: each(state[X]).mean(),
            callbacks=callbacks,
        ).fit(one, steps=1)
    for p, q, sign in zip(model.parameters(), plain.parameters(), signs, strict=True):
        torch.testing.assert_close(p, q - 0.01 * 0.5 * sign)


def test_a_penalty_is_any_function_of_chosen_parameters():
    seen = []

    def far(w):
        seen.append(tuple(w.shape))
        return (w - 7).square().sum()

    model = fitted(Penalty(far, 10.0, only=lambda name, w: name == "bias"), epochs=20)
    assert set(seen) == {(2,)}
    torch.testing.assert_close(model.bias, torch.full((2,), 7.0), atol=0.6, rtol=0)


def test_a_penalty_counts_what_the_player_moves():
    torch.manual_seed(0)
    losses = {}
    look = on_criterion(lambda state: losses.setdefault(state[PLAYER], state[LOSS].item()))
    model = Two()
    size = sum(p.abs().sum().item() for p in model.b.parameters())
    Trial(model, lambda p: torch.optim.SGD(p, lr=0.0), callbacks=[look, L1(1.0, player="b"), look]).fit(DATA, steps=1)
    plain = dict(losses)
    losses.clear()
    Trial(model, lambda p: torch.optim.SGD(p, lr=0.0), callbacks=[L1(1.0, player="b"), look]).fit(DATA, steps=1)
    assert losses["a"] == plain["a"]
    assert losses["b"] == pytest.approx(plain["b"] + size, rel=1e-5)


def test_an_evaluation_is_not_penalised():
    model = linear()
    closure = lambda state: model(state[X]).square().mean()  # noqa: E731
    plain = Trial(model, closure=closure).evaluate(DATA)["loss"]
    assert Trial(model, closure=closure, callbacks=[L2(100.0)]).evaluate(DATA)["loss"] == plain


def test_what_is_frozen_holds_still_until_its_step_and_is_free_after_the_trial():
    moved = []
    model = linear()
    weight = model.weight.detach().clone()
    look = on_step(lambda state: moved.append(not torch.equal(state[MODEL].weight, weight)))
    fitted(Freeze("weight", until=3), look, model=model)
    assert moved == [False, False, False, True, True, True, True, True]
    still = linear()
    fitted(Freeze("weig*"), model=still, optimizer=torch.optim.AdamW)
    assert torch.equal(still.weight, weight)
    assert not torch.equal(still.bias, linear().bias)
    assert all(p.requires_grad for p in still.parameters())


def test_freezing_takes_a_whole_module_and_leaves_what_was_frozen_before():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    model[0].bias.requires_grad_(False)
    before = model[0].weight.detach().clone()
    fitted(Freeze("0"), model=model)
    assert torch.equal(model[0].weight, before)
    assert model[0].weight.requires_grad
    assert not model[0].bias.requires_grad


def test_freezing_knows_what_a_misspelt_name_should_have_been():
    with pytest.raises(UnknownName, match="did you mean weight"):
        fitted(Freeze("wieght"))
