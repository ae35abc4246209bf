"""Where the time goes."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks import timing
from unbraid.fit.callbacks.timing import Profile, Timer
from unbraid.fit.decorators import on_start_validation
from unbraid.fit.state import Y_PRED

DATA = Tensors(torch.ones(12, 2), batch_size=4)  # three steps an epoch


class Clock:
    """Goes on by a thousandth of a second whenever it is looked at, and when it is told to."""

    now = 100.0

    def perf_counter(self):
        self.now += 0.001
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """What the timer reads, however busy the machine is."""
    made = Clock()
    monkeypatch.setattr(timing, "time", made)
    return made


class Slow(nn.Linear):
    """Takes its time on the way forward."""

    def __init__(self, clock):
        super().__init__(2, 1)
        self.clock = clock

    def forward(self, x):
        self.clock.now += 0.02
        return super().forward(x)


def trial(*callbacks, model=None):
    model = nn.Linear(2, 1) if model is None else model
    criterion = lambda state: state[Y_PRED].square().mean()  # noqa: E731
    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.01), criterion, callbacks=callbacks)


def test_timer_finds_the_slow_phase_and_counts_samples(clock):
    timer = Timer()
    trial(timer, model=Slow(clock)).fit(DATA, epochs=2, validation=DATA)
    assert max(timer.seconds, key=timer.seconds.get) in ("forward", "validation")
    assert timer.seconds["forward"] >= 0.12
    assert timer.times["forward"] == timer.times["backward"] == timer.times["step"] == 6
    assert timer.times["validation"] == 2
    assert timer.seconds["validation"] >= 0.12
    assert timer.seconds["backward"] < timer.seconds["forward"]
    assert timer.samples == 24
    assert timer.rate == pytest.approx(24 / (sum(timer.seconds.values()) - timer.seconds["validation"]))


def test_timer_reports_a_table_at_the_end():
    tables = []
    trial(Timer(tables.append)).fit(DATA, epochs=1)
    assert len(tables) == 1
    assert all(phase in tables[0] for phase in ("data", "forward", "loss", "backward", "step", "12 samples"))


def test_timer_counts_all_parts_of_a_trial():
    first, second = Timer(), Timer()
    one, two = trial(first), trial(second)
    one.fit(DATA, steps=2)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    two.fit(DATA, steps=5)
    assert second.times["step"] == 5
    assert second.samples == 20


def test_timer_does_not_count_an_evaluation_as_fitting(clock):
    @on_start_validation
    def slow(state):
        clock.now += 0.05

    timer = Timer()
    trial(timer, slow).fit(DATA, epochs=1, validation=DATA)
    assert timer.seconds["validation"] >= 0.05
    assert sum(value for phase, value in timer.seconds.items() if phase != "validation") < 0.05


def test_timer_ends_a_phase_at_every_hook():
    timer = Timer()
    trial(timer).fit(DATA, epochs=2, validation=DATA)
    phases = dict.fromkeys(("data", "forward", "loss", "backward", "step"), 6)
    # Other: both ends of an epoch, what lies before its evaluation, and the end of all.
    assert timer.times == {**phases, "validation": 2, "other": 2 * 3 + 1}


def test_profile_writes_a_table_of_a_window_of_steps(tmp_path):
    trial(Profile(tmp_path / "deep" / "profile.txt", skip=1, steps=2)).fit(DATA, epochs=2)
    assert "aten::linear" in (tmp_path / "deep" / "profile.txt").read_text()


def test_profile_writes_a_trace(tmp_path):
    trial(Profile(tmp_path / "trace.json", skip=0, steps=2)).fit(DATA, epochs=1)
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert sum(event.get("name") == "aten::linear" for event in events) == 2


def test_profile_writes_what_it_has_when_a_trial_is_short(tmp_path):
    trial(Profile(tmp_path / "profile.txt", skip=1, steps=100)).fit(DATA, steps=3)
    assert (tmp_path / "profile.txt").exists()
    trial(Profile(tmp_path / "never.txt", skip=10)).fit(DATA, steps=3)
    assert not (tmp_path / "never.txt").exists()


def test_profile_wants_a_window():
    with pytest.raises(InvalidOption):
        Profile("x", steps=0)
