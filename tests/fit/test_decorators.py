"""A hook for every moment, and modifiers that remember."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit import Callback, Tensors, Trial, decorators
from unbraid.fit.callback import HOOKS
from unbraid.fit.callbacks.guard import EverySeconds
from unbraid.fit.decorators import (
    add_to_loss,
    bind,
    every,
    on_criterion,
    on_end,
    on_end_epoch,
    on_sample,
    on_start,
    on_step,
    once,
    once_per_epoch,
    only_if,
)
from unbraid.fit.state import EPOCH, LOSS, STEP, State, X


def trial(*callbacks, closure=None, **options):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    closure = closure or (lambda state: model(state[X]).square().mean())
    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.01), closure=closure, callbacks=callbacks, **options)


DATA = Tensors(torch.ones(12, 2), batch_size=4)  # three steps an epoch


def steps(seen):
    return lambda state: seen.append(state[STEP])


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_decorator_of_its_name(name):
    calls = []
    made = getattr(decorators, name)(calls.append)
    getattr(made, name)(State())
    assert made.hooks == (name,)
    assert len(calls) == 1
    assert name in decorators.__all__
    assert name in getattr(decorators, name).__doc__


def test_decorators_of_hooks_stack():
    seen = []
    trial(on_start(on_end(steps(seen)))).fit(DATA, steps=2)
    assert seen == [0, 2]


def test_bind_takes_hooks_by_name_and_as_methods():
    seen = []
    trial(bind(Callback.on_start, "on_end_epoch")(steps(seen))).fit(DATA, epochs=2)
    assert seen == [0, 3, 6]


def test_bind_knows_what_a_misspelt_hook_should_have_been():
    with pytest.raises(UnknownName, match="did you mean on_step"):
        bind("on_stepp")


@pytest.mark.parametrize("order", [lambda f: on_step(once(f)), lambda f: once(on_step(f))])
def test_once_runs_once_in_a_trial(order):
    seen = []
    again = trial(order(steps(seen)))
    again.fit(DATA, epochs=2)
    again.fit(DATA, epochs=3)
    assert seen == [1]


def test_once_per_epoch_runs_at_the_first_occasion_of_each():
    seen = []
    trial(on_sample(once_per_epoch(steps(seen)))).fit(DATA, epochs=3)
    assert seen == [0, 3, 6]


def test_only_if_follows_its_condition():
    seen = []
    trial(on_step(only_if(lambda state: state[STEP] % 4 == 1)(steps(seen)))).fit(DATA, epochs=3)
    assert seen == [1, 5, 9]


def test_every_counts_steps():
    seen = []
    trial(on_step(every(4)(steps(seen)))).fit(DATA, epochs=3)
    assert seen == [4, 8]


def test_every_runs_at_the_first_occasion_after_a_multiple():
    seen = []
    trial(on_end_epoch(every(4)(steps(seen)))).fit(DATA, epochs=6)
    assert seen == [6, 9, 12, 18]


def test_every_takes_all_batches_of_a_due_step():
    seen = []
    trial(on_sample(every(2)(steps(seen))), accumulate=2).fit(Tensors(torch.ones(24, 2), batch_size=4), steps=3)
    assert seen == [2, 2]


def test_every_counts_epochs():
    seen = []
    trial(on_end_epoch(every(epochs=2)(lambda state: seen.append(state[EPOCH])))).fit(DATA, epochs=5)
    assert seen == [2, 4]


def test_every_counts_seconds_and_carries_them_over_an_interruption(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    guard, state = EverySeconds(10), State()
    assert not guard.due(state)
    now[0] += 7
    resumed = EverySeconds(10)
    resumed.load(guard.save())
    now[0] += 1000  # between two runs nothing counts
    assert not resumed.due(state)
    now[0] += 3
    assert resumed.due(state)
    resumed.ran(state)
    assert not resumed.due(state)


def test_modifiers_stack_and_the_first_to_refuse_uses_up_none():
    seen = []
    trial(on_step(once(every(4)(steps(seen))))).fit(DATA, epochs=3)
    assert seen == [4]


@pytest.mark.parametrize("wrong", [{}, {"steps": 2, "seconds": 1.0}, {"steps": 0}, {"seconds": -1.0}])
def test_every_wants_one_sensible_interval(wrong):
    with pytest.raises(InvalidOption):
        every(**wrong)


@pytest.mark.parametrize("modify", [once, every(4), once_per_epoch])
@pytest.mark.parametrize("stop", [1, 4, 5])
def test_what_a_modifier_remembers_survives_an_interruption(modify, stop):
    whole, parts = [], []
    trial(on_step(modify(steps(whole)))).fit(DATA, steps=9)
    first = trial(on_step(modify(steps(parts))))
    first.fit(DATA, steps=stop)
    second = trial(on_step(modify(steps(parts))))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, steps=9)
    assert parts == whole


def test_add_to_loss_adds_in_training_and_in_validation():
    extra = trial(add_to_loss(lambda state: torch.tensor(5.0)))
    plain = trial()
    assert extra.evaluate(DATA)["loss"] == pytest.approx(plain.evaluate(DATA)["loss"] + 5)
    assert extra.fit(DATA, epochs=1)[0]["loss"] == pytest.approx(plain.fit(DATA, epochs=1)[0]["loss"] + 5)


def test_what_is_added_to_the_loss_is_differentiated():
    without_loss = lambda state: torch.zeros((), requires_grad=True)  # noqa: E731
    model_trial = trial(closure=without_loss)
    model = model_trial.model
    model_trial.callbacks.append(add_to_loss(lambda state: model.weight.sum()))
    before = model.weight.detach().clone()
    model_trial.fit(DATA, steps=1)
    torch.testing.assert_close(model.weight.detach(), before - 0.01)


@pytest.mark.parametrize("order", [lambda f: add_to_loss(once(f)), lambda f: once(add_to_loss(f))])
def test_add_to_loss_is_modified_like_any_other(order):
    losses = []
    callbacks = (order(lambda state: 1000.0), on_criterion(lambda state: losses.append(state[LOSS].item() > 500)))
    trial(*callbacks).fit(DATA, steps=3)
    assert losses == [True, False, False]


class Count(Callback):
    def __init__(self):
        self.calls = []

    def on_start(self, state):
        self.calls.append("start")

    def on_step(self, state):
        self.calls.append(state[STEP])

    def on_end_epoch(self, state):
        self.calls.append("epoch")

    def on_end(self, state):
        self.calls.append("end")

    def state_dict(self):
        return {"calls": list(self.calls)}

    def load_state_dict(self, state):
        self.calls = list(state["calls"])


def test_a_whole_callback_can_be_modified_but_opens_and_closes_always():
    count = Count()
    trial(every(3)(count)).fit(DATA, steps=4)
    assert count.calls == ["start", 3, "epoch", "end"]


def test_a_modified_callback_keeps_its_memory_and_that_of_each_hook():
    first, second = Count(), Count()
    one = trial(once(first))
    one.fit(DATA, steps=2)
    two = trial(once(second))
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    two.fit(DATA, steps=3)
    assert second.calls == ["start", 1, "end", "start", "epoch", "end"]


def test_a_method_is_not_modified_behind_the_back_of_its_objects():
    class Wrong(Callback):
        @once
        def on_step(self, state):
            raise AssertionError

    with pytest.raises(InvalidOption, match=r"once\(Wrong\(\)\)"):
        trial(Wrong()).fit(DATA, steps=1)
