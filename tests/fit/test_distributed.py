"""Several processes fit one model as one process would: real runs of two, over gloo. This file is also their script."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Checkpoint, Distributed, History, Runtime, Tensors, Trial, hook, resume
from unbraid.fit.distributed import part
from unbraid.fit.state import STEP, STOP

# In float64 a tolerance of 1e-10 tells sums in another order from a bug; in float32 LBFGS alone strays by 1e-3.
X = torch.linspace(-1, 1, 42, dtype=torch.float64)[:, None].repeat(1, 3) ** torch.tensor([1.0, 2.0, 3.0])
Y = (X.sum(1) > 0).long()
SETTINGS = {
    "tensors": (1, torch.optim.Adam),
    "loader": (1, torch.optim.SGD),
    "accumulated": (3, torch.optim.SGD),
    "lbfgs": (1, torch.optim.LBFGS),
}


class Stream:
    """A batch of five, which two processes cannot share equally."""

    def batch(self, step):
        rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(step))[:5]
        return X[rows], Y[rows]


class Noisy(nn.Module):
    """Draws noise, keeps batch statistics, and has a parameter that nothing moves."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, x):
        return self.layers(x)


def data(name):
    if name == "loader":
        return DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True)
    return Stream() if name == "accumulated" else Tensors(X, Y, batch_size=14 if name == "noisy" else 8)


def made(name, runtime, callbacks=()):
    accumulate, optimizer = SETTINGS.get(name, (2, torch.optim.Adam))
    model = Noisy() if name == "noisy" else nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return Trial(
        model.double(),
        lambda p: optimizer(p, lr=0.1),
        nn.functional.cross_entropy,
        metrics=["acc"],
        callbacks=callbacks,
        runtime=runtime,
        accumulate=accumulate,
    )


def fitted(name, runtime, callbacks=(), path=None, steps=9):
    torch.manual_seed(0)
    trial = made(name, runtime, callbacks)
    if path is not None:
        resume(trial, path)
    history = trial.fit(
        data(name), steps=steps, record_every=3, validation=None if name == "accumulated" else Tensors(X, Y)
    )
    return {"weights": [value.clone() for value in trial.model.state_dict().values()], "history": history}


def script(folder):
    """What each of the two processes does; the results are files, one for each process."""
    runtime = Distributed("cpu")
    found = {name: fitted(name, runtime) for name in SETTINGS}
    found["noisy"] = fitted("noisy", runtime)
    path = folder / "checkpoint.pt"

    @hook("on_backward")
    def interrupt(state):
        if state[STEP] == 4 and runtime.rank == 1:  # in one process only
            signal.raise_signal(signal.SIGTERM)

    try:
        fitted("noisy", runtime, [History(folder / f"{runtime.rank}.jsonl"), Checkpoint(path), interrupt])
    except KeyboardInterrupt:
        found["interrupted"] = True
    torch.manual_seed(17 + runtime.rank)
    found["resumed"] = fitted("noisy", runtime, path=path)

    @hook("on_step")
    def stop(state):
        state[STOP] = runtime.rank == 1 and state[STEP] == 2

    trial = made("tensors", runtime, [stop])
    trial.fit(data("tensors"), steps=9)
    found["stopped"] = trial.state[STEP]
    try:
        trial.evaluate(Tensors(X[:1], Y[:1]))
    except InvalidData as error:
        found["small"] = str(error)
    with runtime.apart(0):
        found["noise"] = torch.rand(2)
    torch.save(found, folder / f"{runtime.rank}.found")


@pytest.fixture(scope="module")
def both(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    return folder, pair(__file__, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_end_with_the_weights_and_the_history_of_one(both, name):
    alone = fitted(name, Runtime("cpu"))
    for found in both[1]:
        for a, b in zip(found[name]["weights"], alone["weights"], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
        assert [list(row) for row in found[name]["history"]] == [list(row) for row in alone["history"]]
        for row, expected in zip(found[name]["history"], alone["history"], strict=True):
            assert row == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SETTINGS, "noisy"])
def test_both_processes_hold_the_same_bits(both, name):
    first, second = (found[name] for found in both[1])
    assert all(torch.equal(a, b) for a, b in zip(first["weights"], second["weights"], strict=True))
    assert first["history"] == second["history"]


@pytest.mark.slow
def test_an_interruption_of_one_process_is_one_of_both_and_the_resumed_run_has_the_same_bits(both):
    for found in both[1]:
        assert found["interrupted"]
        assert all(
            torch.equal(a, b) for a, b in zip(found["resumed"]["weights"], found["noisy"]["weights"], strict=True)
        )
        assert found["resumed"]["history"] == found["noisy"]["history"]


@pytest.mark.slow
def test_a_parameter_without_gradient_stays_as_it_is(both):
    assert torch.equal(both[1][0]["noisy"]["weights"][0], torch.ones(2))


@pytest.mark.slow
def test_only_the_first_process_writes(both):
    assert sorted(path.name for path in both[0].iterdir()) == ["0.found", "0.jsonl", "1.found", "checkpoint.pt"]


@pytest.mark.slow
def test_stop_in_one_process_stops_both_at_the_same_step(both):
    assert [found["stopped"] for found in both[1]] == [2, 2]


@pytest.mark.slow
def test_a_batch_too_small_to_share_is_answered_with_a_sentence(both):
    for found in both[1]:
        assert found["small"].startswith("a batch of 1 cannot be shared by 2 processes: make batches larger")


@pytest.mark.slow
def test_every_process_draws_noise_of_its_own(both):
    assert not torch.equal(both[1][0]["noise"], both[1][1]["noise"])


def test_a_process_that_torchrun_did_not_start_is_told_so(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(InvalidOption, match=r"need .*RANK.* torchrun --nproc-per-node 2"):
        Distributed("cpu")


@dataclass(frozen=True)
class Batch:
    x: torch.Tensor
    labels: list[str]
    population: int


def test_batches_of_every_kind_are_shared():
    x = torch.arange(4)
    found = part((Batch(x, list("abcd"), 9), {"x": x, "scale": torch.ones(3)}, [x, x], None), 4, 1, 3)
    assert found[0].x.tolist() == [1, 2]
    assert found[0].labels == ["b", "c"]
    assert found[0].population == 9
    assert found[1]["x"].tolist() == [1, 2]
    assert len(found[1]["scale"]) == 3
    assert [one.tolist() for one in found[2]] == [[1, 2], [1, 2]]
    assert found[3] is None


if __name__ == "__main__":
    torch.set_num_threads(1)
    script(Path(sys.argv[1]))
