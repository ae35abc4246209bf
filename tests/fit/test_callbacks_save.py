"""Weights on disk: the best and the latest few, whole and safe to read."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.fit import Checkpoint, Tensors, Trial, resume
from unbraid.fit.callbacks import checkpoint
from unbraid.fit.callbacks.average import EMA
from unbraid.fit.callbacks.save import Best, Interval
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.decorators import on_end_epoch, on_record, on_step
from unbraid.fit.state import METRICS, MODEL, X

DATA = Tensors(torch.ones(12, 2), batch_size=4)  # three steps an epoch


def trial(*callbacks):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return Trial(model, optimizer, closure=lambda state: model(state[X]).square().mean(), callbacks=callbacks)


def script(values):
    values = iter(values)
    return on_record(lambda state: state[METRICS].update(score=next(values)))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def read(path):
    return torch.load(path, weights_only=True)


def test_best_keeps_the_weights_of_the_best_record(tmp_path):
    best, seen = Best(tmp_path / "best.pt", "score", mode="max"), []
    keep = on_record(lambda state: seen.append(copy.deepcopy(state[MODEL].state_dict())))
    fitted = trial(script([1, 5, 3, 2]), best, keep)
    fitted.fit(DATA, epochs=4)
    assert names(tmp_path) == ["best.pt"]
    assert torch.equal(read(tmp_path / "best.pt")["weight"], seen[1]["weight"])
    best.restore(fitted.model)
    assert torch.equal(fitted.model.weight.detach(), seen[1]["weight"])


def test_best_keeps_several_under_names_made_of_step_and_metrics(tmp_path):
    best = Best(tmp_path / "{epoch:02d}-{score:.1f}.pt", "score", mode="min", keep=2)
    trial(script([5, 3, 4, 6, 2]), best).fit(DATA, epochs=5)
    assert names(tmp_path) == ["02-3.0.pt", "05-2.0.pt"]
    assert [value for value, _ in best.kept] == [2, 3]


def test_best_wants_an_improvement_of_min_delta(tmp_path):
    best = Best(tmp_path / "{epoch}.pt", "score", mode="min", min_delta=1.0)
    trial(script([5, 4.5, 4, 3.5]), best).fit(DATA, epochs=4)
    assert names(tmp_path) == ["3.pt"]


def test_best_passes_over_what_is_not_finite(tmp_path):
    trial(script([float("nan"), float("inf"), 3]), Best(tmp_path / "{epoch}.pt", "score", mode="max")).fit(
        DATA, epochs=3
    )
    assert names(tmp_path) == ["3.pt"]


def test_best_remembers_its_files_over_an_interruption(tmp_path):
    values = [5, 3, 4, 2]
    first = trial(script(values[:2]), Best(tmp_path / "{epoch}.pt", "score", mode="min"))
    first.fit(DATA, epochs=2)
    second = trial(script(values[2:]), Best(tmp_path / "{epoch}.pt", "score", mode="min"))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, epochs=4)
    assert names(tmp_path) == ["4.pt"]


def test_best_can_save_an_average(tmp_path):
    ema = EMA(0.9)
    best, seen = Best(tmp_path / "best.pt", "validation_loss", average=ema), []
    fitted = trial(ema, best, on_end_epoch(lambda state: seen.append(copy.deepcopy(ema.weights))))
    fitted.fit(DATA, epochs=1, validation=DATA)
    saved = read(tmp_path / "best.pt")
    assert torch.equal(saved["weight"], seen[0]["weight"])
    assert not torch.equal(saved["weight"], fitted.model.weight)


def test_best_answers_a_misspelt_field_and_a_missing_one(tmp_path):
    with pytest.raises(UnknownName, match="did you mean loss"):
        trial(Best(tmp_path / "{los}.pt", "loss")).fit(DATA, epochs=1)
    with pytest.raises(InvalidOption, match="several names"):
        Best(tmp_path / "best.pt", keep=3)


def test_best_has_nothing_to_restore_before_a_fit(tmp_path):
    with pytest.raises(InvalidData, match="nothing has been saved"):
        Best(tmp_path / "best.pt").restore(nn.Linear(2, 1))


def test_a_write_that_fails_leaves_the_best_before_it(tmp_path, monkeypatch):
    best = Best(tmp_path / "best.pt", "score", mode="max")
    fitted = trial(script([1, 2]), best)
    fitted.fit(DATA, epochs=1)
    before = (tmp_path / "best.pt").read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        fitted.fit(DATA, epochs=2)
    assert (tmp_path / "best.pt").read_bytes() == before


def test_interval_saves_every_so_many_steps_and_keeps_the_newest(tmp_path):
    trial(Interval(tmp_path / "{step}.pt", steps=2, keep=2)).fit(DATA, epochs=3)
    assert names(tmp_path) == ["6.pt", "8.pt"]
    trial(Interval(tmp_path / "all-{step}.pt", steps=4)).fit(DATA, epochs=3)
    assert names(tmp_path) == ["6.pt", "8.pt", "all-4.pt", "all-8.pt"]


def test_interval_saves_every_so_many_epochs(tmp_path):
    fitted = trial(Interval(tmp_path / "{epoch}-{loss:.3f}.pt", epochs=2))
    history = fitted.fit(DATA, epochs=4)
    assert names(tmp_path) == sorted(f"{epoch}-{history[epoch - 1]['loss']:.3f}.pt" for epoch in (2, 4))
    assert torch.equal(read(tmp_path / f"4-{history[3]['loss']:.3f}.pt")["bias"], fitted.model.bias)


def test_interval_goes_on_after_an_interruption(tmp_path):
    first = trial(Interval(tmp_path / "{step}.pt", steps=2, keep=1))
    first.fit(DATA, steps=3)
    second = trial(Interval(tmp_path / "{step}.pt", steps=2, keep=1))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, steps=5)
    assert names(tmp_path) == ["4.pt"]


@pytest.mark.parametrize("interval", [{"steps": 4}, {"epochs": 1}])
def test_a_whole_trial_of_an_interval_is_taken_up_exactly(tmp_path, interval):
    def made():
        decay = [Schedule(torch.optim.lr_scheduler.ExponentialLR, on, gamma=0.7) for on in ("step", "epoch")]
        return trial(Interval(tmp_path / "{step}.pt", **interval, whole=True), *decay)

    whole = made()
    whole.fit(DATA, epochs=4)
    first = next(iter(interval.values())) * (3 if "epochs" in interval else 1)
    again = made()
    assert resume(again, tmp_path / f"{first}.pt") is None
    again.fit(DATA, epochs=4)
    assert torch.equal(whole.model.weight, again.model.weight)


@pytest.mark.parametrize("wrong", [{}, {"steps": 1, "epochs": 1}, {"steps": 0}, {"steps": 1, "keep": -1}])
def test_interval_wants_one_interval(wrong):
    with pytest.raises(InvalidOption):
        Interval("{step}.pt", **wrong)


def test_the_time_to_the_first_checkpoint_counts_from_the_start_of_the_fit(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint, "time", SimpleNamespace(monotonic=lambda: now[0]))
    waiting = Checkpoint(tmp_path / "c.pt", seconds=10)
    now[0] = 100.0  # reading the data took that long
    fitted = trial(waiting, on_step(lambda state: now.__setitem__(0, now[0] + 4)))
    fitted.fit(DATA, steps=2)
    assert not (tmp_path / "c.pt").exists()
    fitted.fit(DATA, steps=5)
    assert checkpoint.read(tmp_path / "c.pt")["step"] == 5
