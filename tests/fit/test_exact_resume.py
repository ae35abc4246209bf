"""An interrupted trial that is resumed ends bit for bit as one that was never interrupted."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from unbraid.errors import InvalidData
from unbraid.fit import Callback, Checkpoint, History, Tensors, Trial, hook, resume
from unbraid.fit.callbacks.checkpoint import previous, read, write
from unbraid.fit.callbacks.history import read as read_history
from unbraid.fit.state import PLAYER, STEP, State

ROWS, SIZE, EPOCH = 10, 2, 5


class Killed(Exception):
    """Stands for whatever ends a process without warning: the trial is thrown away."""


class Net(nn.Module):
    """One or two players, with dropout and running statistics; its losses draw random numbers, too."""

    def __init__(self, dropout: float, two: bool) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(dropout), nn.Linear(4, 1))
        self.critic = nn.Linear(1, 1)
        self.two = two

    def players(self):
        if not self.two:
            return {"model": list(self.parameters())}
        return {"model": list(self.net.parameters()), "critic": list(self.critic.parameters())}

    def loss(self, batch, step, player="model"):
        x = batch[0] if isinstance(batch, list | tuple) else batch
        out = self.net(x) + 0.1 * torch.randn(len(x), 1)
        judged = self.critic(out).square().mean()
        if self.two and player == "model":
            return {"fit": (out - x.sum(1, keepdim=True)).square().mean(), "fooled": judged / (step + 1)}
        return {"judged": judged * random.random(), "noise": self.critic.weight.sum() * np.random.rand()}  # noqa: NPY002


class Stream:
    """Endless, and a function of the step alone."""

    def batch(self, step: int) -> torch.Tensor:
        return torch.rand(SIZE, 2, generator=torch.Generator().manual_seed(step))


class Warmth(Callback):
    """A callback with a memory, and with a share in the result: noise on the weights, less and less of it."""

    def __init__(self) -> None:
        self.heat = 1.0

    def bind(self, trial: Trial) -> None:
        self.model = trial.model

    def on_start_epoch(self, state: State) -> None:
        self.heat *= 0.5 + torch.rand(()).item() / 10

    def on_step(self, state: State) -> None:
        self.heat *= 0.9
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.add_(0.01 * self.heat * torch.randn_like(parameter))

    def state_dict(self):
        return {"heat": self.heat}

    def load_state_dict(self, state):
        self.heat = state["heat"]


def data(kind: str):
    rows = torch.rand(ROWS, 2, generator=torch.Generator().manual_seed(5))
    return {
        "tensors": lambda: Tensors(rows, batch_size=SIZE),
        "loader": lambda: DataLoader(TensorDataset(rows), batch_size=SIZE, shuffle=True),
        "stream": Stream,
        "list": lambda: list(rows.split(SIZE)),
    }[kind]()


def made(folder: Path, case: dict, saves: int, dies: int | None) -> Trial:
    @hook("on_step")
    def die(state):
        if state[STEP] == dies:
            raise Killed

    die.last = True  # it dies right after the checkpoint of its step

    def adam(parameters):
        return torch.optim.Adam(parameters, lr=0.01)

    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    callbacks = [
        Warmth(),
        History(folder / "history.jsonl"),
        Checkpoint(folder / "checkpoint.pt", seconds=None, steps=saves),
        die,
    ]
    return Trial(Net(case["dropout"], case["two"]), adam, callbacks=callbacks, accumulate=case["accumulate"])


def ended(trial: Trial, case: dict) -> tuple[list[torch.Tensor], list[dict[str, float]]]:
    history = trial.fit(data(case["kind"]), **case["how"])
    assert read_history(trial.callbacks[1].path) == history
    return [value.clone() for value in trial.model.state_dict().values()], history


HOW = [
    {"steps": 12},
    {"steps": 10},  # ends with an epoch
    {"steps": 11, "record_every": 3},
    {"epochs": 3, "epoch_length": 4},
    {"epochs": 2, "epoch_length": EPOCH, "validation": [torch.ones(3, 2)]},
]
CASES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["tensors", "loader", "stream", "list"]),
        "accumulate": st.sampled_from([1, 2]),
        "dropout": st.sampled_from([0.0, 0.5]),
        "two": st.booleans(),
        "how": st.sampled_from(HOW),
    }
)
PLAIN = {"kind": "loader", "accumulate": 1, "dropout": 0.5, "two": True, "how": {"steps": 10}}


def disturb() -> None:
    """Another process begins with other random numbers."""
    torch.manual_seed(99)
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002


def resumed(folder: Path, case: dict, saves: int, dies: int | None) -> Trial:
    """A new trial that goes on from the folder's checkpoint where there is one."""
    trial = made(folder, case, saves, dies)
    if (folder / "checkpoint.pt").exists():
        disturb()
    assert resume(trial, folder / "checkpoint.pt") is None
    return trial


@settings(max_examples=40)
@given(case=CASES, saves=st.integers(1, 4), after=st.integers(0, 3), kills=st.integers(1, 2))
@example(case=PLAIN, saves=10, after=0, kills=1)  # saved after the last step, before the end of its epoch
@example(case=PLAIN, saves=5, after=0, kills=2)  # saved at the end of an epoch
def test_a_killed_trial_that_is_resumed_ends_with_the_same_bits(case, saves, after, kills):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        expected, rows = ended(made(Path(one), case, 1000, None), case)
        for dies in (saves + after, 2 * saves + after)[:kills]:
            trial = resumed(Path(other), case, saves, dies)
            with suppress(Killed):  # a short case may be over before
                ended(trial, case)
        trial = resumed(Path(other), case, saves, None)
        assert trial.state[STEP] >= saves
        found, same_rows = ended(trial, case)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert rows == same_rows


def test_a_trial_may_be_saved_again_before_it_goes_on(tmp_path):
    expected, _ = ended(made(tmp_path, PLAIN, 1000, None), PLAIN)
    with suppress(Killed):
        ended(made(tmp_path, PLAIN, 3, 3), PLAIN)
    for _ in range(2):
        trial = made(tmp_path, PLAIN, 1000, None)
        disturb()
        resume(trial, tmp_path / "checkpoint.pt")
        write(tmp_path / "checkpoint.pt", trial.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(expected, ended(trial, PLAIN)[0], strict=True))


def test_when_it_is_saved_has_no_influence(tmp_path):
    often, seldom = (ended(made(tmp_path, PLAIN, saves, None), PLAIN)[0] for saves in (1, 1000))
    assert all(torch.equal(a, b) for a, b in zip(often, seldom, strict=True))


def interrupted(folder: Path) -> Path:
    """A folder with checkpoints at steps 6 and 3."""
    with suppress(Killed):
        ended(made(folder, PLAIN, 3, 7), PLAIN)
    return folder / "checkpoint.pt"


def test_a_checkpoint_loads_without_executing_anything(tmp_path):
    saved = torch.load(interrupted(tmp_path), weights_only=True)
    assert (saved["step"], saved["epoch"], saved["position"]) == (6, 1, 1)


def test_the_checkpoint_before_stays_beside_it(tmp_path):
    path = interrupted(tmp_path)
    assert read(path)["step"] == 6
    assert read(previous(path))["step"] == 3


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def garble(path: Path) -> None:
    path.write_bytes(b"this is no checkpoint")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def pickled(path: Path) -> None:
    torch.save({"format": 1, "step": Killed}, path)


@pytest.mark.parametrize("damage", [cut, flip, garble, empty, pickled])
def test_a_damaged_checkpoint_gives_way_to_the_one_before_and_says_so(tmp_path, damage):
    expected, rows = ended(made(tmp_path, PLAIN, 1000, None), PLAIN)
    path = interrupted(tmp_path)
    damage(path)
    trial = made(tmp_path, PLAIN, 1000, None)
    sentence = resume(trial, path)
    assert sentence is not None
    assert str(path) in sentence
    assert sentence.endswith("going on from the one before it, at step 3")
    found, same_rows = ended(trial, PLAIN)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert rows == same_rows


def test_a_damaged_checkpoint_never_takes_the_place_of_a_whole_one(tmp_path):
    path = interrupted(tmp_path)
    garble(path)
    trial = made(tmp_path, PLAIN, 1, 4)
    resume(trial, path)
    with pytest.raises(Killed):  # right after the first new checkpoint
        trial.fit(data("loader"), steps=10)
    assert read(path)["step"] == 4
    assert read(previous(path))["step"] == 3


def test_two_damaged_checkpoints_mean_a_new_start_and_say_so(tmp_path):
    expected, rows = ended(made(tmp_path, PLAIN, 1000, None), PLAIN)
    path = interrupted(tmp_path)
    cut(path)
    garble(previous(path))
    trial = made(tmp_path, PLAIN, 1000, None)
    sentence = resume(trial, path)
    assert sentence is not None
    assert sentence.endswith("there is no whole one, starting again from step 0")
    found, same_rows = ended(trial, PLAIN)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert rows == same_rows


@settings(max_examples=60)
@given(st.data())
def test_a_checkpoint_with_any_byte_changed_is_whole_or_called_damaged(draw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.pt"
        write(path, {"format": 1, "step": 3, "x": torch.arange(4.0)})
        content = bytearray(path.read_bytes())
        place = draw.draw(st.integers(0, len(content) - 1))
        content[place] ^= draw.draw(st.integers(1, 255))
        path.write_bytes(content)
        with suppress(InvalidData):
            saved = read(path)
            assert saved["step"] == 3
            assert torch.equal(saved["x"], torch.arange(4.0))


def test_no_checkpoint_yet_is_no_reason_to_say_anything(tmp_path):
    assert resume(made(tmp_path, PLAIN, 1, None), tmp_path / "checkpoint.pt") is None


def test_a_checkpoint_of_another_trial_is_refused_with_a_sentence(tmp_path):
    path = interrupted(tmp_path)
    with pytest.raises(InvalidData, match="make the trial as it was"):
        resume(made(tmp_path, {**PLAIN, "two": False}, 1, None), path)


def test_checkpoints_come_as_often_as_asked(tmp_path):
    kept = []
    look = hook("on_step")(lambda state: kept.append(read(tmp_path / "c.pt")["step"]))
    look.last = True  # after the checkpoint
    trial = Trial(Net(0.0, False), callbacks=[Checkpoint(tmp_path / "c.pt", seconds=0), look])
    trial.fit(data("list"), steps=3)
    assert kept == [1, 2, 3]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_saves_between_two_steps_and_then_interrupts(tmp_path, number):
    expected, rows = ended(made(tmp_path, PLAIN, 1000, None), PLAIN)
    seen = []

    @hook("on_sample")
    def interrupt(state):
        os.kill(os.getpid(), number)

    @hook("on_backward")
    def turn(state):
        seen.append((state[STEP], state[PLAYER]))

    before = signal.getsignal(number)
    trial = made(tmp_path, PLAIN, 1000, None)
    trial.callbacks += [interrupt, turn]
    with pytest.raises(KeyboardInterrupt):
        trial.fit(data("loader"), steps=10)
    assert seen == [(0, "model"), (0, "critic")], "the step is finished, and no other begins"
    assert signal.getsignal(number) == before
    trial = made(tmp_path, PLAIN, 1000, None)
    disturb()
    resume(trial, tmp_path / "checkpoint.pt")
    assert trial.state[STEP] == 1
    found, same_rows = ended(trial, PLAIN)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert rows == same_rows


def test_a_second_interruption_interrupts_at_once(tmp_path):
    reached = []

    @hook("on_sample")
    def interrupt(state):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("not this")

    trial = made(tmp_path, PLAIN, 1000, None)
    trial.callbacks.append(interrupt)
    with pytest.raises(KeyboardInterrupt):
        trial.fit(data("loader"), steps=10)
    assert not reached
    assert trial.state[STEP] == 0
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize("moment", ["on_step_validation", "on_end_epoch"])
def test_an_interruption_after_the_last_step_is_not_swallowed(tmp_path, moment):
    trial = made(tmp_path, PLAIN, 1000, None)
    trial.callbacks.append(hook(moment)(lambda state: os.kill(os.getpid(), signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        trial.fit(data("loader"), epochs=1, validation=[torch.ones(3, 2)])
    assert read(tmp_path / "checkpoint.pt")["epoch"] == 1


def test_a_trial_in_another_thread_leaves_signals_alone(tmp_path):
    handlers, trial = [], made(tmp_path, PLAIN, 1000, None)
    trial.callbacks.append(hook("on_step")(lambda state: handlers.append(signal.getsignal(signal.SIGINT))))
    thread = threading.Thread(target=trial.fit, args=(data("loader"),), kwargs={"steps": 2})
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)] * 2
