"""Two processes, whatever they fit and wherever they are killed, end bit for bit as two that nothing stopped.

Many drawn combinations share one pair of processes; this file is also their script. One process is held against the
same combinations, and more.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.utils.data import DataLoader, TensorDataset

from unbraid.fit import (
    EMA,
    Checkpoint,
    Cosine,
    Distributed,
    EarlyStopping,
    Runtime,
    Schedule,
    Tensors,
    Trial,
    hook,
    resume,
)
from unbraid.fit.state import HISTORY, STEP, STOP

CASES, SHARED, STEPS = 30, 24, 12
ROWS = torch.randn(22, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


class Killed(Exception):
    """Stands for whatever ends a process: the trial is thrown away."""


class Net(nn.Module):
    """One or two players, with dropout and running statistics where asked."""

    def __init__(self, two: bool, noise: bool) -> None:
        super().__init__()
        extra = [nn.BatchNorm1d(4), nn.Dropout(0.5)] if noise else []
        self.net = nn.Sequential(nn.Linear(3, 4), *extra, nn.Tanh(), nn.Linear(4, 1))
        self.critic = nn.Linear(1, 1)
        self.two, self.noise = two, noise

    def players(self) -> dict[str, list[nn.Parameter]]:
        if not self.two:
            return {"model": list(self.parameters())}
        return {"model": list(self.net.parameters()), "critic": list(self.critic.parameters())}

    def loss(self, batch: Any, step: int, player: str = "model") -> dict[str, Tensor]:
        x = batch[0] if isinstance(batch, list | tuple) else batch
        out = self.net(x)
        if self.noise:
            out = out + 0.1 * torch.randn_like(out)
        judged = self.critic(out).square().mean()
        if player == "critic":
            return {"judged": -judged + self.critic.weight.square().sum()}
        return {"fit": (out - x.prod(1, keepdim=True)).square().mean(), "fooled": judged / (step + 1)}


class Stream:
    """Batches of five, which two processes cannot share equally."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def batch(self, step: int) -> Tensor:
        return ROWS[torch.randperm(22, generator=torch.Generator().manual_seed(step))[:5]].to(self.dtype)


def drawn(number: int) -> dict[str, Any]:
    """The combination of this number."""
    one = random.Random(number)
    return {
        "accumulate": one.choice([1, 2, 3]),
        "schedule": one.choice([None, "step", "cosine", "plateau"]),
        "ema": one.random() < 0.5,
        "stopping": one.random() < 0.5,
        "two": one.random() < 0.5,
        "noise": one.random() < 0.5,
        # By turns, so that no draw can leave one out.
        "precision": ["float32", "bfloat16", "float16"][number % 3],
        "data": one.choice(["tensors", "loader", "stream"]),
        "saves": one.randint(1, 4),
        "dies": one.randint(2, STEPS),
        "moment": one.choice(["on_sample", "on_criterion", "on_backward", "on_step"]),
    }


def data(kind: str, dtype: torch.dtype) -> Any:
    rows = ROWS.to(dtype)
    if kind == "loader":
        return DataLoader(TensorDataset(rows), batch_size=5, shuffle=True, drop_last=True)
    return Tensors(rows, batch_size=6) if kind == "tensors" else Stream(dtype)


def made(case: dict[str, Any], runtime: Runtime, path: Path | None = None, *, dies: bool = False) -> Trial:
    callbacks: list[Any] = [EMA(0.7)] if case["ema"] else []
    if case["stopping"]:
        callbacks.append(EarlyStopping("validation_loss", patience=1))
    schedules = {
        "step": lambda: Schedule(StepLR, "step", step_size=3, gamma=0.5),
        "cosine": lambda: Cosine(),
        "plateau": lambda: Schedule(ReduceLROnPlateau, monitor="validation_loss", patience=0, factor=0.3),
    }
    if case["schedule"]:
        callbacks.append(schedules[case["schedule"]]())
    if path is not None:
        callbacks.append(Checkpoint(path, steps=case["saves"], seconds=None))
    if dies:
        # In the middle of a window of accumulated batches, of a turn, or right after the checkpoint of a step.
        seen = []

        @hook(case["moment"])
        def die(state):
            if state[STEP] == case["dies"] - (case["moment"] != "on_step"):
                seen.append(None)
                if len(seen) == (1 if case["moment"] == "on_step" else case["accumulate"]):
                    raise Killed

        die.last = True
        callbacks.append(die)
    torch.manual_seed(case.get("seed", 0))
    model = Net(case["two"], case["noise"]).to(case.get("dtype", torch.float32))
    rate = {"lr": 0.05}
    return Trial(
        model,
        lambda p: torch.optim.Adam(p, **rate),
        callbacks=callbacks,
        runtime=runtime,
        accumulate=case["accumulate"],
    )


def fit(trial: Trial, case: dict[str, Any]) -> Trial:
    dtype = case.get("dtype", torch.float32)
    trial.fit(data(case["data"], dtype), steps=STEPS, epoch_length=3, validation=[ROWS[:6].to(dtype)])
    return trial


def equal(one: Any, other: Any) -> bool:
    """Whether two state dictionaries are the same, to the bit."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return one == other or (one != one and other != other)


def disturb(number: int) -> None:
    """Another process begins with other random numbers."""
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002


def lived(case: dict[str, Any], runtime: Runtime, path: Path) -> dict[str, Any]:
    """What became of a trial that was killed and resumed, and of one that was not."""
    whole = fit(made(case, runtime), case)
    killed = False
    try:
        fit(made(case, runtime, path, dies=True), case)
    except Killed:
        killed = True
    trial = made(case, runtime, path)
    runtime.barrier()  # the first process may still be writing
    if path.exists():  # else it died before the first checkpoint, and begins as it did
        disturb(97 + runtime.rank)
    resume(trial, path)
    taken_up = trial.state[STEP]
    fit(trial, case)
    expected, found = whole.state_dict(), trial.state_dict()
    for saved in (expected, found):  # how often it was saved is no part of what was fitted
        saved["callbacks"] = {
            name: one for name, one in saved["callbacks"].items() if not name.startswith("Checkpoint")
        }
    return {
        "killed": killed,
        "taken_up": taken_up,
        "different": [key for key in expected if not equal(expected[key], found[key])],
        "steps": trial.state[STEP],
        "stopped": trial.state[STOP] and trial.state[STEP] < STEPS,
        "skipped": skipped(found),
    }


def skipped(saved: dict[str, Any]) -> bool:
    """Whether a gradient overflowed, so that float16's scaling skipped a step."""
    return saved["runtime"].get("scaler", {"scale": 65536.0})["scale"] < 65536.0


# Another number of processes: no noise, and float64, so that nothing but the order of sums may differ.
MOVED = {**drawn(0), "noise": False, "precision": "float32", "dtype": torch.float64, "two": True, "accumulate": 2}
MOVED |= {"ema": True, "stopping": False, "schedule": "plateau", "saves": 1, "dies": 5, "moment": "on_step"}
KINDS = ["tensors", "loader", "stream"]


def begun(runtime: Runtime, folder: Path, kind: str) -> None:
    """Leave a checkpoint of step 5, in the middle of an epoch."""
    path = folder / f"{kind}-by-{runtime.size}.pt"
    with pytest.raises(Killed):
        fit(made({**MOVED, "data": kind}, runtime, path, dies=True), {**MOVED, "data": kind})


def ended(runtime: Runtime, kind: str, path: Path | None = None) -> dict[str, Any]:
    case = {**MOVED, "data": kind}
    trial = made(case, runtime)
    if path is not None:
        resume(trial, path)
        assert trial.state[STEP] == 5
    fit(trial, case)
    return {"model": trial.model.state_dict(), "history": trial.state[HISTORY]}


def script(folder: Path) -> None:
    """What each of the two processes does."""
    runtimes = {name: Distributed("cpu", precision=name) for name in ("float32", "bfloat16", "float16")}
    results = []
    for number in range(SHARED):
        case = drawn(number)
        results.append(lived(case, runtimes[case["precision"]], folder / f"{number}.pt"))
    runtime = runtimes["float32"]
    for kind in KINDS:
        begun(runtime, folder, kind)
    moved = {kind: ended(runtime, kind, folder / f"{kind}-by-1.pt") for kind in KINDS}
    torch.save({"results": results, "moved": moved}, folder / f"{runtime.rank}.found")


@pytest.fixture(scope="module")
def both(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    for kind in KINDS:
        begun(Runtime("cpu"), folder, kind)
    return folder, pair(__file__, folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(SHARED))
def test_two_processes_killed_anywhere_end_with_the_same_bits(both, number):
    for found in both[1]:
        assert found["results"][number]["different"] == [], drawn(number)


@pytest.mark.slow
def test_the_drawn_combinations_are_killed_taken_up_stopped_early_and_scaled(both):
    results = both[1][0]["results"]
    assert sum(one["killed"] for one in results) > SHARED // 2
    assert len({one["taken_up"] for one in results if one["killed"]}) > 5
    assert sum(one["stopped"] for one in results) > 3
    assert sum(one["skipped"] for one in results) > 3
    assert [one["steps"] for one in results] == [one["steps"] for one in both[1][1]["results"]]


@pytest.mark.parametrize("number", range(CASES))
def test_one_process_killed_anywhere_ends_with_the_same_bits(tmp_path, number):
    case = drawn(number)
    assert lived(case, Runtime("cpu", precision=case["precision"]), tmp_path / "checkpoint.pt")["different"] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["one that two began", "two that one began"])
def test_another_number_of_processes_ends_at_the_same_weights_up_to_rounding(both, kind, by):
    expected = ended(Runtime("cpu"), kind)
    if by == "one that two began":
        everywhere = [ended(Runtime("cpu"), kind, both[0] / f"{kind}-by-2.pt")]
    else:
        everywhere = [found["moved"][kind] for found in both[1]]
    for found in everywhere:
        for name, value in expected["model"].items():
            torch.testing.assert_close(found["model"][name], value, rtol=1e-10, atol=1e-10)
        assert [list(row) for row in found["history"]] == [list(row) for row in expected["history"]]
        for row, other in zip(found["history"], expected["history"], strict=True):
            assert row == pytest.approx(other, rel=1e-10, abs=1e-10)


if __name__ == "__main__":
    torch.set_num_threads(1)
    script(Path(sys.argv[1]))
