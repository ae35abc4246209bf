"""Early stopping, budgets, and what stops being a number."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks.monitor import Monitor
from unbraid.fit.callbacks.nan import NotFinite, StopOnNaN
from unbraid.fit.callbacks.save import Best
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.callbacks.stop import Budget, EarlyStopping
from unbraid.fit.decorators import on_record, on_step
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import EPOCH, EPOCH_LENGTH, EPOCHS, METRICS, POSITION, STEP, State, X

LENGTH = 3
DATA = Tensors(torch.ones(4 * LENGTH, 2), batch_size=4)


def trial(*callbacks, closure=None):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    closure = closure or (lambda state: model(state[X]).square().mean())
    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.01), closure=closure, callbacks=callbacks)


def script(values):
    """Write these values into the records, one after the other."""
    values = iter(values)
    return on_record(lambda state: state[METRICS].update(score=next(values)))


def row(metrics, **keys):
    state = State({METRICS: metrics, POSITION: 0, EPOCH: 1, EPOCHS: 5, EPOCH_LENGTH: 3})
    state.update(
        {
            {"position": POSITION, "epoch": EPOCH, "epochs": EPOCHS, "length": EPOCH_LENGTH}[k]: v
            for k, v in keys.items()
        }
    )
    return state


def test_early_stopping_stops_after_patience_records_without_improvement():
    stopping = EarlyStopping("score", mode="max", patience=2)
    history = trial(script([1, 3, 2, 3, 9, 9]), stopping).fit(DATA, epochs=6)
    assert len(history) == 4
    assert stopping.best == 3


def test_early_stopping_counts_only_improvements_of_min_delta():
    history = trial(script([3, 2.9, 2.8, 0, 0]), EarlyStopping("score", mode="min", min_delta=0.5, patience=2)).fit(
        DATA, epochs=5
    )
    assert len(history) == 3


def test_early_stopping_counts_nan_as_no_improvement():
    history = trial(script([3, math.nan, 4, 2]), EarlyStopping("score", mode="min", patience=2)).fit(DATA, epochs=4)
    assert len(history) == 3


def test_a_trial_that_was_stopped_early_stays_stopped_when_resumed():
    first = trial(script([1, 2, 3]), EarlyStopping("score", mode="min", patience=1))
    first.fit(DATA, epochs=3)
    second = trial(script([1, 2, 3]), EarlyStopping("score", mode="min", patience=1))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert len(second.fit(DATA, epochs=3)) == 2


def test_early_stopping_can_watch_an_evaluation():
    history = trial(EarlyStopping("validation_loss", min_delta=100, patience=1)).fit(DATA, epochs=9, validation=DATA)
    assert len(history) == 2


def test_a_monitor_answers_a_misspelt_name_with_the_right_one():
    with pytest.raises(UnknownName, match="did you mean validation_loss"):
        trial(EarlyStopping("validation_los", mode="min")).fit(DATA, epochs=1, validation=DATA)


def test_a_monitor_says_when_nothing_is_evaluated():
    with pytest.raises(UnknownName, match="validation_loss") as caught:
        trial(EarlyStopping()).fit(DATA, epochs=1)
    assert "nothing is evaluated" in " ".join(caught.value.__notes__)


def test_a_monitor_of_evaluations_passes_over_the_rows_between_them():
    stopping = EarlyStopping()
    trial(stopping).fit(DATA, epochs=2, validation=DATA, record_every=1)
    assert stopping.best is not None


@pytest.mark.parametrize(
    "watching",
    [
        lambda: EarlyStopping(),
        lambda: Best("unused.pt"),
        lambda: Schedule(torch.optim.lr_scheduler.ReduceLROnPlateau, monitor="validation_loss"),
    ],
    ids=["stopping", "best", "schedule"],
)
def test_a_monitor_finds_out_at_the_end_of_an_epoch_that_nothing_was_evaluated(watching):
    fitted = trial(watching())
    with pytest.raises(UnknownName, match="validation_loss") as caught:
        fitted.fit(DATA, epochs=4, record_every=LENGTH)
    assert fitted.state[STEP] == LENGTH, "and not only when all is over"
    assert any("on_end_epoch" in note for note in caught.value.__notes__)


def test_a_monitor_of_the_fit_passes_over_rows_of_an_evaluation_alone():
    assert Monitor("loss").read(row({"validation_loss": 1.0})) is None
    with pytest.raises(UnknownName):
        Monitor("los", mode="min").read(row({"loss": 1.0, "validation_loss": 1.0}))


def test_a_monitor_of_endless_data_does_not_wait_for_an_evaluation_for_ever():
    with pytest.raises(UnknownName):
        Monitor("validation_loss").read(row({"loss": 1.0}, position=100, epoch=0, epochs=None, length=None))


def test_what_is_good_is_known_from_the_name_or_asked_for():
    assert Monitor("validation_loss").better(1, 2)
    assert Monitor("validation_top_5_acc").better(2, 1)
    with pytest.raises(InvalidOption, match="give mode"):
        Monitor("progress")


def test_a_budget_of_steps_ends_the_trial():
    fitted = trial(Budget(steps=4))
    fitted.fit(DATA, epochs=9)
    assert fitted.state[STEP] == 4


def test_a_budget_of_time_counts_all_parts_of_a_trial(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    @on_step
    def work(state):
        now[0] += 1.0

    first = trial(work, Budget(seconds=5))
    first.fit(DATA, steps=3)
    now[0] += 1000
    second = trial(work, Budget(seconds=5))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, epochs=9)
    assert second.state[STEP] == 5


def test_the_clock_of_the_first_process_decides_for_all(tmp_path, monkeypatch):
    distributed = torch.distributed
    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        sent = []
        monkeypatch.setattr(distributed, "broadcast", lambda flag, source: (sent.append(source), flag.fill_(1)))
        fitted = trial(Budget(seconds=1e9))
        fitted.fit(DATA, epochs=1)
    finally:
        distributed.destroy_process_group()
    assert sent == [0]  # it was told at the start that time is up
    assert fitted.state[STEP] == 0


def test_a_budget_needs_something_to_count():
    with pytest.raises(InvalidOption):
        Budget()


class Terms(nn.Module):
    """A loss of two terms, one of which breaks at a step."""

    def __init__(self, broken, at=5):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 1)
        self.broken, self.at = broken, at

    def loss(self, batch, step):
        y = self.second(self.first(batch))
        terms = {"near": y.square().mean(), "far": y.abs().mean()}
        if step >= self.at:
            if self.broken == "term":
                terms["far"] = terms["far"] * math.inf
            elif self.broken == "gradient":  # the root of 0 is 0, its slope is not finite
                terms["near"] = terms["near"] + (self.first(batch) * 0).square().sum().sqrt()
            elif self.broken == "parameter":
                with torch.no_grad():
                    self.first.bias[0] = math.nan
        return terms


@pytest.mark.parametrize("every", [1, 4, 100])
@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("term", "its term 'far' is inf"),
        ("gradient", "the gradient of first.bias is nan"),
        ("parameter", "parameter first.bias is nan before the move of step"),
    ],
)
def test_stop_on_nan_says_step_and_what_was_first_whenever_it_looks(broken, sentence, every):
    at = 5
    model = Terms(broken, at)
    fitted = Trial(model, torch.optim.SGD(model.parameters(), lr=0.001), callbacks=[StopOnNaN(every=every)])
    with pytest.raises(NotFinite) as caught:
        fitted.fit(DATA, epochs=4)
    text = str(caught.value)
    assert sentence in text
    assert "step 5" in text
    assert fitted.state[STEP] == 6  # where the epoch ends and a record is made, every is over 1 or not


@pytest.mark.parametrize(("every", "seen"), [(1, 4), (3, 6), (100, 12)])
def test_stop_on_nan_looks_as_often_as_asked_and_at_the_record(every, seen):
    model = Terms("term", 3)
    fitted = Trial(model, torch.optim.SGD(model.parameters(), lr=0.001), callbacks=[StopOnNaN(every=every)])
    with pytest.raises(NotFinite, match="step 3"):
        fitted.fit(DATA, steps=99, record_every=12)
    assert fitted.state[STEP] == seen


def test_stop_on_nan_lets_gradients_overflow_that_the_scaler_will_leave_out():
    fitted = Trial(
        nn.Linear(1, 1),
        lambda p: torch.optim.SGD(p, lr=0.1),
        nn.functional.mse_loss,
        callbacks=[StopOnNaN(every=1)],
        runtime=Runtime("cpu", precision="float16"),
    )
    scale = fitted.runtime.scaler.get_scale()
    fitted.fit([(torch.full((2, 1), 1e4), torch.zeros(2, 1))], steps=1)
    assert fitted.runtime.scaler.get_scale() < scale, "there was an overflow"


def test_stop_on_nan_names_the_parameter_that_an_optimiser_broke():
    model = Terms(None)

    @on_step
    def break_it(state):
        if state[STEP] == 3:
            with torch.no_grad():
                model.second.weight.fill_(math.inf)

    fitted = Trial(model, torch.optim.SGD(model.parameters(), lr=0.0), callbacks=[StopOnNaN(), break_it])
    with pytest.raises(NotFinite, match=r"parameter second\.weight is inf before the move of step 3"):
        fitted.fit(DATA, epochs=2)


def test_stop_on_nan_looks_at_the_weights_before_the_first_step():
    model = nn.Linear(2, 1)
    nn.init.constant_(model.bias, math.nan)
    closure = lambda state: model(state[X]).sum()  # noqa: E731
    with pytest.raises(NotFinite, match="parameter bias is nan before the move of step 0"):
        Trial(model, closure=closure, callbacks=[StopOnNaN()]).fit(DATA, steps=1)


def test_stop_on_nan_lets_a_sound_trial_be():
    model = Terms(None)
    history = Trial(model, torch.optim.Adam(model.parameters()), callbacks=[StopOnNaN(every=2)]).fit(DATA, epochs=3)
    assert len(history) == 3


def test_stop_on_nan_tells_the_players_apart():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 1), nn.Linear(2, 1)

        def players(self):
            return {"a": self.a.parameters(), "b": self.b.parameters()}

        def loss(self, batch, step, player):
            if player == "a":
                return {"term": self.a(batch).square().mean()}
            return self.b(batch).square().mean() * (math.nan if step == 2 else 1.0)

    fitted = Trial(Two(), callbacks=[StopOnNaN()])
    with pytest.raises(NotFinite, match=r"the loss is nan at step 2, player 'b'"):
        fitted.fit(DATA, epochs=1)
