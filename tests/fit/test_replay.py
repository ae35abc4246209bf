"""A replay tells callbacks what they would have heard of a trial, computes nothing, and refuses what it cannot know."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn
from torch.optim.lr_scheduler import StepLR

from unbraid import fit
from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import HOOKS, Callback, Tensors, Trial
from unbraid.fit.replay import REPLAYED
from unbraid.fit.state import EPOCH, HISTORY, METRICS, POSITION, STEP, STEPS, TRAINING, Y_PRED, Key, State

DATA = Tensors(torch.linspace(-1, 1, 10)[:, None], torch.ones(10, 1), batch_size=4)  # three batches an epoch
MINE: Key[float] = Key("mine")
FITS = {
    "epochs": {"epochs": 3},
    "validated": {"epochs": 3, "validation": [(torch.ones(2, 1), torch.zeros(2, 1))]},
    "steps": {"steps": 9},
}


class Tape(Callback):
    """Writes down what it hears, with where that was."""

    def __init__(self, hooks: tuple[str, ...] = HOOKS) -> None:
        self.heard: list[tuple[object, ...]] = []
        for name in hooks:
            setattr(self, name, lambda state, name=name: self.note(name, state))

    def note(self, name: str, state: State) -> None:
        metrics = dict(state[METRICS]) if name in ("on_record", "on_end_validation", "on_end_epoch") else {}
        self.heard.append((name, state[STEP], state[EPOCH], state[TRAINING], len(state[HISTORY]), metrics))


def fitted(*callbacks: Callback, how: str = "validated", **more: object) -> Trial:
    torch.manual_seed(0)
    trial = Trial(
        nn.Linear(1, 1), lambda p: torch.optim.SGD(p, lr=0.1), nn.functional.mse_loss, callbacks=callbacks, **more
    )
    trial.fit(DATA, **FITS[how])
    return trial


def test_rows_of_every_step_are_replayed_as_they_came():
    live, again = Tape(REPLAYED), Tape()
    trial = Trial(nn.Linear(1, 1), None, nn.functional.mse_loss, callbacks=[live])
    trial.fit(DATA, steps=2, record_every=1)
    trial.replay([again])
    assert again.heard == live.heard


@pytest.mark.parametrize("how", FITS)
def test_a_replay_calls_what_the_fit_called_at_its_records(how):
    live, again = Tape(REPLAYED), Tape()
    trial = fitted(live, how=how)
    rows = trial.replay([again])
    recorded = {row["step"] for row in trial.state[HISTORY]}
    expected = [call for call in live.heard if call[0] != "on_step" or call[1] in recorded]
    assert again.heard == expected
    assert rows == trial.state[HISTORY]


def test_a_replay_leaves_the_trial_as_it_is():
    trial = fitted()
    before = copy.deepcopy(trial.state_dict())
    state = dict(trial.state)

    @fit.on_record
    def meddle(state: State) -> None:
        state[METRICS]["loss"] = state[HISTORY][-1]["loss"] = 0.0
        state[MINE] = 1.0

    trial.replay([meddle])
    assert trial.state_dict()["history"] == before["history"]
    assert all(trial.state[key] is value for key, value in state.items())
    assert MINE not in trial.state


@pytest.mark.parametrize("source", ["memory", "file", "function"])
def test_a_table_made_after_the_fact_is_that_of_the_fit(tmp_path: Path, source: str):
    trial = fitted(fit.History(tmp_path / "history.jsonl"), fit.CSV(tmp_path / "live.csv"))
    late = fit.CSV(tmp_path / "late.csv")
    if source == "memory":
        trial.replay([late])
    elif source == "file":
        fresh = Trial(nn.Linear(1, 1), criterion=nn.functional.mse_loss)
        fresh.replay([late], tmp_path / "history.jsonl")
        assert fresh.state[HISTORY] == []
    else:
        fit.replay(str(tmp_path / "history.jsonl"), [late])
    assert (tmp_path / "late.csv").read_text() == (tmp_path / "live.csv").read_text()


def test_a_plot_and_a_progress_bar_can_be_had_after_the_fact(tmp_path: Path):
    trial = fitted()
    plot, console = (
        fit.LivePlot(tmp_path / "curve.png"),
        Console(record=True, width=200, file=(tmp_path / "x").open("w")),
    )
    trial.replay([plot, fit.Progress("again", console=console)])
    console.file.close()
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert len(plot.figure().axes) == 1
    assert "again  9/9" in console.export_text()


def test_tensorboard_can_be_had_after_the_fact(tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trial = fitted()
    trial.replay([fit.TensorBoard(tmp_path)])
    written = EventAccumulator(str(tmp_path)).Reload()
    for name in ("loss", "validation_loss"):
        assert [(event.step, event.value) for event in written.Scalars(name)] == [
            (row["step"], pytest.approx(row[name])) for row in trial.state[HISTORY]
        ]


def test_a_callback_can_stop_a_replay_where_it_would_have_stopped_the_fit():
    rows = fitted().state[HISTORY]
    worse = [{**row, "loss": float(i)} for i, row in enumerate(rows)]
    shown = fit.replay(worse, [fit.EarlyStopping("loss", patience=1)])
    assert shown == worse[:2]


def test_modifiers_count_in_a_replay():
    seen = []

    @fit.on_step
    @fit.every(6)
    def note(state: State) -> None:
        seen.append((state[STEP], state[STEPS]))

    fitted().replay([note])
    assert seen == [(6, 9)]


def test_epochs_between_two_rows_begin_and_end():
    tape = Tape()
    fit.replay([{"step": 7, "epoch": 2, "loss": 1.0}, {"step": 8, "epoch": 2, "loss": 1.0}], [tape])
    names = [call[0].removeprefix("on_") for call in tape.heard]
    epoch = ["start_epoch", "end_epoch"]
    assert names == [
        *("start", *epoch, "start_epoch", "step", "record", "end_epoch"),
        *("start_epoch", "record", "step", "end"),
    ]
    assert [call[2] for call in tape.heard if call[0] == "on_end_epoch"] == [1, 2]


def test_positions_within_an_epoch_are_those_of_its_steps():
    seen = []
    note = fit.on_record(lambda state: seen.append(state[POSITION]))
    fit.replay([{"step": s, "epoch": e} for s, e in ((2, 0), (4, 1), (5, 1), (7, 1))], [note])
    assert seen == [2, 0, 1, 3]


def test_what_was_not_finite_comes_back_from_the_file(tmp_path: Path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 3, "epoch": 1, "loss": null}\n')
    (row,) = fit.replay(path, [])
    assert math.isnan(row["loss"])
    assert (row["step"], row["epoch"]) == (3, 1)
    assert type(row["step"]) is int


@pytest.mark.parametrize(
    ("callback", "sentence"),
    [
        (lambda p: fit.Checkpoint(p / "c.pt"), "Checkpoint saves the trial"),
        (lambda p: fit.only_if(lambda state: True)(fit.Checkpoint(p / "c.pt")), "saves the trial"),
        (lambda p: fit.Best(p / "b.pt"), "a replay knows no 'model'"),
        (lambda p: fit.EMA(), "a replay knows no 'model'"),
        (lambda p: fit.Schedule(StepLR, step_size=1), "a replay knows no 'optimizers'"),
        (lambda p: fit.ClipGradients(1.0), "hears only on_backward"),
        (lambda p: fit.on_criterion(lambda state: None), "hears only on_criterion"),
        (lambda p: fit.on_record(lambda state: state[Y_PRED]), "a replay knows no 'y_pred'"),
        (lambda p: fit.CSV(p / "x.csv", steps=2), r"CSV with steps=2 .* leave out steps"),
        (lambda p: fit.LivePlot(p / "x.png", steps=1), "LivePlot with steps=1"),
    ],
)
def test_what_a_history_does_not_hold_is_refused(tmp_path: Path, callback, sentence):
    trial = fitted()
    with pytest.raises(InvalidOption, match=sentence):
        trial.replay([callback(tmp_path)])
    assert not [*tmp_path.iterdir()]


def test_an_error_says_where_it_was_raised_and_files_are_closed():
    tape = Tape(("on_exception", "on_end"))

    @fit.on_record
    def fussy(state: State) -> None:
        if state[STEP] == 6:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        fitted().replay([tape, fussy])
    assert "epoch 2, step 6" in caught.value.__notes__[0]
    assert [call[0] for call in tape.heard] == ["on_exception", "on_end"]


@pytest.mark.parametrize("history", [[], [{"loss": 1.0}], [{"step": 1, "epoch": 0}, {}]])
def test_a_history_without_rows_or_steps_is_refused(history):
    with pytest.raises(InvalidData, match=r"no history|has no step and epoch"):
        fit.replay(history, [])
