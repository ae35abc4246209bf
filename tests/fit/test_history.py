"""The history file: every row once, readable while and after it is written."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData
from unbraid.fit import History, Note, Trial
from unbraid.fit.callbacks.history import read
from unbraid.fit.state import HISTORY, MODEL, STEP

PAIR = (torch.ones(2, 1), torch.zeros(2, 1))


def trial(path) -> Trial:
    model = nn.Linear(1, 1)
    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), callbacks=[History(path)])


def test_the_file_holds_the_history(tmp_path):
    history = trial(tmp_path / "history.jsonl").fit([PAIR], epochs=3)
    assert read(tmp_path / "history.jsonl") == history
    assert len(history) == 3


def test_a_resumed_trial_repeats_no_row(tmp_path):
    path = tmp_path / "history.jsonl"
    first = trial(path)
    first.fit([PAIR], epochs=2)
    saved = first.state_dict()
    first.fit([PAIR], epochs=4)  # these rows were written, but nobody will remember them
    second = trial(path)
    second.load_state_dict(saved)
    history = second.fit([PAIR], epochs=5)
    assert read(path) == history
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]


def test_rows_are_there_while_the_trial_goes_on(tmp_path):
    path = tmp_path / "history.jsonl"
    running = trial(path)
    running.callbacks[0].on_start(running.state)
    running.state[HISTORY].append({"step": 1})
    running.callbacks[0].on_record(running.state)
    assert read(path) == [{"step": 1.0}]
    running.callbacks[0].on_end(running.state)


def test_what_is_not_finite_is_kept_as_null(tmp_path):
    path = tmp_path / "history.jsonl"
    model = nn.Linear(1, 1)
    Trial(model, None, lambda y_pred, y_true: y_pred.sum() * math.inf, callbacks=[History(path)]).fit([PAIR], steps=1)
    assert '"loss": null' in path.read_text()
    assert math.isnan(read(path)[0]["loss"])


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert read(path) == [{"step": 1.0}, {"step": 2.0}]


@pytest.mark.parametrize("line", [b"[1, 2]", b"nonsense", b"\xff\xfe"])
def test_a_damaged_line_before_the_last_is_named(tmp_path, line):
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"step": 1}\n' + line + b'\n{"step": 3}\n')
    with pytest.raises(InvalidData, match="line 2 is not a row"):
        read(path)


def test_notes_join_the_rows_that_are_due_and_leave_the_trial_as_it_was(tmp_path):
    def noted(state):
        assert not state[MODEL].training
        assert not torch.is_grad_enabled()
        torch.rand(1)
        return {"weight": state[MODEL].weight.item(), "at": state[STEP]}

    plain, watched = trial(tmp_path / "plain.jsonl"), trial(tmp_path / "watched.jsonl")
    watched.model.load_state_dict(plain.model.state_dict())
    watched.callbacks.insert(0, Note(noted, apart=3))
    torch.manual_seed(0)
    rows = plain.fit([PAIR], steps=8, record_every=2)
    random = torch.rand(1)
    torch.manual_seed(0)
    watched.fit([PAIR], steps=8, record_every=2)
    assert torch.equal(torch.rand(1), random)
    found = read(tmp_path / "watched.jsonl")
    assert [row.get("at") for row in found] == [None, 4, 6, None]
    assert found[2]["weight"] != found[1]["weight"]
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    assert watched.model.training
