"""The defects of torchbearer 0.5.5, each with the test that keeps it out of here.

A test is named after the defect it stands for, ``test_d<number>_...``, and lives beside others of its kind; those that
have no better place are below. ``test_every_defect_has_its_test`` holds this table to it.

=====  =================================================================================  =========================
no.    what goes wrong there                                                              held by, in ``tests/fit``
=====  =================================================================================  =========================
D1     a checkpoint holds pickled classes, which no safe loader reads                     test_defects
D2     ``ReduceLROnPlateau`` cannot be made                                               test_callbacks_schedule
D3     weight decay acts on the first batch only                                          test_callbacks_gradients
D4     gradients are clipped on the first batch only                                      test_callbacks_gradients
D5     a compiled model runs uncompiled, in silence                                       test_compile
D6     a TypeError in the model's forward has the model called again, in silence          test_defects
D7     a user's error is wrapped in another, or takes its place                           test_compile
D8     LBFGS, like all that needs the loss of a closure, crashes                          test_minimise
D9     an endless loader begins anew in every epoch                                       test_defects
D10    an endless validation sees no batch at all                                         test_defects
D11    ``CyclicLR`` takes a metric for the number of an epoch                             test_callbacks_schedule
D12    the accuracy of logits has its threshold at 0.5                                    test_metrics_values
D13    a small last batch counts as much as a full one                                    test_metrics_values
D14    a small variance about a large mean is lost                                        test_metrics_values
D15    a running mean remembers the epoch before                                          test_metrics_values
D16    a resumed trial is another trial                                                   test_defects
D17    a failed run leaves callbacks, open files and no ``on_end`` behind                 test_defects
D18    in bfloat16 Adam counts to 256 and no further                                      test_defects
D19    augmentation damages the data it is given                                          test_callbacks_mixing
D20    CutMix weighs labels by a box that was clipped since                               test_callbacks_mixing
D21    manifold mix-up leaves the model patched                                           test_callbacks_mixing
D22    the live plot breaks with the release of another package                           test_callbacks_logging
D23    an appended CSV has its header twice                                               test_callbacks_logging
D24    an epoch metric joins all batches at every batch                                   test_metrics_values
D25    the name of a key depends on what was imported before; metrics see not the state   test_defects
D26    the graph is drawn by a deprecated tracer                                          test_callbacks_trackers
=====  =================================================================================  =========================
"""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

from unbraid.errors import InvalidOption
from unbraid.fit import (
    CSV,
    EMA,
    Best,
    Callback,
    Checkpoint,
    Key,
    Runtime,
    Schedule,
    Trial,
    metric,
    on_sample,
    on_step,
    resume,
)
from unbraid.fit.state import LOSS, STEP, State, X

MSE = nn.functional.mse_loss
PAIRS = [(torch.randn(4, 2, generator=torch.Generator().manual_seed(i)), torch.ones(4, 1)) for i in range(5)]
MINE: Key[object] = Key("mine")


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def test_every_defect_has_its_test():
    rows = re.findall(r"^D(\d+) .* (test_\w+)$", __doc__ or "", re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 27))
    for number, file in rows:
        tests = (Path(__file__).parent / f"{file}.py").read_text("utf-8")
        assert re.search(rf"^def test_d{number}_\w+\(", tests, re.MULTILINE), f"D{number} has no test in {file}"


def test_d1_every_file_is_read_by_a_loader_that_executes_nothing(tmp_path):
    @on_step
    def mark(state):
        state[MINE] = "a value under a key of one's own"

    files = [tmp_path / "checkpoint.pt", tmp_path / "best.pt"]
    callbacks = [mark, EMA(), Schedule(StepLR, step_size=1), Best(files[1], "loss"), Checkpoint(files[0], steps=5)]
    Trial(nn.Linear(2, 1), sgd, MSE, metrics=["acc"], callbacks=callbacks).fit(PAIRS, epochs=2)
    for file in files:
        assert torch.load(file, weights_only=True)
        assert torch.serialization.get_unsafe_globals_in_checkpoint(file) == []


@pytest.mark.parametrize("moment", ["fit", "evaluate", "predict"])
def test_d6_a_type_error_in_the_model_surfaces_and_the_model_is_called_once(moment):
    class Fussy(nn.Linear):
        calls = 0

        def forward(self, x, state=None):  # an optional argument of this name means nothing
            assert state is None
            self.calls += 1
            raise TypeError("mine")

    model = Fussy(2, 1)
    trial = Trial(model, sgd, MSE)
    with pytest.raises(TypeError) as caught:
        getattr(trial, moment)(PAIRS, **({"epochs": 1} if moment == "fit" else {}))
    assert str(caught.value) == "mine"
    assert "raised in the model Fussy" in caught.value.__notes__[0]
    assert model.calls == 1


class Endless:
    """Batch ``step`` holds its own number."""

    def __init__(self):
        self.drawn = []

    def batch(self, step):
        return torch.full((2, 1), float(step)), torch.zeros(2, 1)


def test_d9_an_endless_stream_goes_on_from_epoch_to_epoch():
    seen = []
    note = on_step(lambda state: seen.append(state[X][0].item()))
    Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[note]).fit(Endless(), epochs=2, epoch_length=2)
    assert seen == [0, 1, 2, 3]


def test_d10_an_endless_validation_sees_as_many_batches_as_told_and_is_never_left_out():
    inputs = metric(mean_input)
    trial = Trial(nn.Linear(1, 1), sgd, MSE, metrics=[inputs])
    history = trial.fit(Endless(), epochs=1, epoch_length=1, validation=Endless(), validation_steps=3)
    assert history[0]["validation_mean_input"] == 1.0  # the mean of 0, 1 and 2
    assert trial.evaluate(Endless(), steps=3)["mean_input"] == 1.0
    fresh = Trial(nn.Linear(1, 1), sgd, MSE)
    with pytest.raises(InvalidOption, match="never ends: give validation_steps"):
        fresh.fit(Endless(), epochs=1, epoch_length=1, validation=Endless())
    assert fresh.state[STEP] == 0, "it is said before anything is fitted"


def mean_input(state):
    return state[X].mean()


def test_d16_two_epochs_and_two_are_four(tmp_path):
    def made(seed):
        for generator in (torch.manual_seed, random.seed, np.random.seed):
            generator(seed)
        model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        noise = on_sample(lambda state: state.update({X: state[X] + random.random() * np.random.rand()}))  # noqa: NPY002
        callbacks = [Schedule(StepLR, step_size=1, gamma=0.5), noise, Checkpoint(tmp_path / "c.pt", steps=6)]
        return Trial(model, lambda p: torch.optim.Adam(p, lr=0.01), MSE, callbacks=callbacks)

    data = TensorDataset(torch.cat([x for x, _ in PAIRS]), torch.ones(20, 1))
    straight = made(0)
    straight.fit(DataLoader(data, batch_size=7, shuffle=True), epochs=4)
    made(0).fit(DataLoader(data, batch_size=7, shuffle=True), epochs=2)
    resumed = made(99)
    resume(resumed, tmp_path / "c.pt")
    assert resumed.state[STEP] == 6
    resumed.fit(DataLoader(data, batch_size=7, shuffle=True), epochs=4)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert straight.state_dict()["history"] == resumed.state_dict()["history"]


def test_d17_failed_runs_leave_nothing_behind(tmp_path):
    class Opened(Callback):
        def __init__(self):
            self.open = self.ended = 0

        def on_start(self, state):
            self.open += 1

        def on_step(self, state):
            raise ValueError("mine")

        def on_end(self, state):
            self.open -= 1
            self.ended += 1

    opened, table = Opened(), CSV(tmp_path / "rows.csv")
    trial = Trial(nn.Linear(2, 1), sgd, MSE, callbacks=[table, opened])
    for _ in range(3):
        with pytest.raises(ValueError, match="mine"):
            trial.fit(PAIRS, epochs=9)
        assert trial.callbacks == [table, opened]
        assert len(trial.engine.hooks.table["on_step"]) == 2
        assert table._file is None
    assert (opened.open, opened.ended) == (0, 3)


@pytest.mark.parametrize("how", ["weights", "autocast"])
def test_d18_in_bfloat16_adam_goes_on_counting(how):
    model = nn.Linear(2, 1, dtype=torch.bfloat16 if how == "weights" else None)
    dtype = model.weight.dtype
    pairs = [(x.to(dtype), y.to(dtype)) for x, y in PAIRS]
    trial = Trial(model, None, MSE, runtime=Runtime("cpu", precision="float32" if how == "weights" else "bfloat16"))
    trial.fit(pairs, steps=300)
    again = Trial(nn.Linear(2, 1, dtype=dtype), None, MSE, runtime=trial.runtime)
    again.load_state_dict(trial.state_dict())
    for one in (trial, again):
        (optimizer,) = (player.optimizer for player in one.engine.players)
        for state in optimizer.state.values():
            assert state["step"].item() == 300
            assert state["step"].dtype == torch.float32
            assert state["exp_avg"].dtype == dtype


def test_d25_a_key_is_itself_whatever_others_are_called():
    one, other = Key("loss"), Key("loss")
    state = State({one: 1, other: 2, LOSS: 3})
    assert [state[one], state[other], state[LOSS]] == [1, 2, 3]
    assert [key.name for key in state] == ["loss"] * 3, "no name is ever suffixed"
    assert copy.deepcopy({one: 1}) == {one: 1} == copy.copy({one: 1})


def test_d25_metrics_see_the_state_as_it_is():
    seen = []

    def holder(state):
        seen.append(state[MINE])
        return 0.0

    class Holder:
        data = "what it has under this name is its own business"

    held = Holder()
    trial = Trial(nn.Linear(2, 1), sgd, MSE, metrics=[holder])
    trial.state[MINE] = held
    trial.fit(PAIRS, epochs=1)
    assert all(one is held for one in seen)
    assert len(seen) == 5
