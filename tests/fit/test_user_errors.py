"""A mistake of the user's own surfaces as it is, with a note of where and when, and the last checkpoint is whole."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from unbraid.fit import HOOKS, Checkpoint, Metric, Tensors, Trial, hook, resume
from unbraid.fit.callbacks.checkpoint import read
from unbraid.fit.state import EPOCH, STEP, Y_PRED, Y_TRUE, State

X = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)
AT = 4
"""The step, counted from 0, in which it goes wrong: the second of the second epoch of three."""


class Fault:
    """What goes wrong at one step, until it is mended."""

    def __init__(self, *, armed: bool) -> None:
        self.armed = armed

    def __call__(self, step: int) -> None:
        if self.armed and step >= AT:
            raise ValueError("mine")


class Rows(Dataset[tuple[Tensor, Tensor]]):
    """A data set that cannot read one of its rows."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.read = fault, 0

    def __len__(self) -> int:
        return 9

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        self.read += 1
        self.fault((self.read - 1) // 3)
        return X[row], Y[row]


class Stream:
    """Endless data, drawn in another thread."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        self.fault(step)
        first = step % 3
        return X[3 * first : 3 * first + 3], Y[3 * first : 3 * first + 3]


class Broken(torch.autograd.Function):
    """Goes wrong on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, fault: Fault, step: int) -> Tensor:
        ctx.fault, ctx.step = fault, step
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        ctx.fault(ctx.step)
        return gradient, None, None


class Odd(Metric):
    """A metric that fails at one of its moments."""

    name = "odd"

    def __init__(self, fault: Fault, moment: str) -> None:
        self.fault, self.moment, self.step = fault, moment, 0

    def update(self, state: State) -> None:
        self.step = state[STEP]
        if self.moment == "update":
            self.fault(self.step)

    def compute(self) -> dict[str, float]:
        if self.moment == "compute":
            self.fault(self.step)
        return {}

    def reset(self) -> None:
        """Nothing to forget."""


class Own(nn.Linear):
    """A model with a loss of its own."""

    fault: Fault

    def loss(self, batch: Any, step: int) -> Tensor:
        self.fault(step)
        return nn.functional.mse_loss(self(batch[0]), batch[1])


class Net(nn.Linear):
    """A model that fails in its forward."""

    fault: Fault
    trial: Trial | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.trial is not None:
            self.fault(self.trial.state[STEP])
        return super().forward(x)


class Optimiser(torch.optim.SGD):
    """An optimiser that fails at a step."""

    fault: Fault
    steps = 0

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        self.fault(self.steps)
        self.steps += 1
        super().step(closure)


KINDS = {
    "criterion": "the model Net or the criterion criterion",
    "criterion of the state": "the model Net or the criterion criterion",
    "model": "the model Net or the criterion mse_loss",
    "closure": "the closure closure",
    "own loss": "Own.loss",
    "backward": "the backward pass or the optimiser",
    "optimiser": "the backward pass or the optimiser",
    "metric": "the metric 'odd'",
    "metric when asked": "the metric 'odd'",
    "metric of a function": "the metric 'odd'",
    "list": "the data",
    "loader": "the data",
    "stream": "the data",
    "validation data": "the data",
}


def made(kind: str, folder: Path, *, armed: bool) -> tuple[Trial, Any, Any]:
    """A trial that goes wrong in this way if it is armed, its data and its validation data."""
    fault = Fault(armed=armed)
    torch.manual_seed(0)
    model = (Own if kind == "own loss" else Net)(2, 1)
    model.fault = fault
    optimiser = (Optimiser if kind == "optimiser" else torch.optim.SGD)(model.parameters(), lr=0.1, momentum=0.9)
    optimiser.fault = fault
    options: dict[str, Any] = {"criterion": nn.functional.mse_loss, "metrics": []}
    data: Any = Tensors(X, Y, batch_size=3)
    validation: Any = None

    def error(state: State) -> Tensor:
        return nn.functional.mse_loss(state[Y_PRED], state[Y_TRUE])

    if kind == "criterion":

        def criterion(y_pred: Tensor, y_true: Tensor) -> Tensor:
            fault(trial.state[STEP])
            return nn.functional.mse_loss(y_pred, y_true)

        options["criterion"] = criterion
    elif kind == "criterion of the state":

        def criterion(state: State) -> Tensor:
            fault(state[STEP])
            return error(state)

        options["criterion"] = criterion
    elif kind == "closure":

        def closure(state: State) -> Tensor:
            fault(state[STEP])
            return model.weight.square().sum()

        options |= {"criterion": None, "closure": closure}
    elif kind == "own loss":
        options["criterion"] = None
    elif kind == "backward":
        options["criterion"] = lambda state: Broken.apply(error(state), fault, state[STEP])
    elif kind.startswith("metric"):

        def odd(state: State) -> float:
            fault(state[STEP])
            return 0.0

        moment = "compute" if kind == "metric when asked" else "update"
        options["metrics"] = [odd if kind == "metric of a function" else Odd(fault, moment)]
    elif kind == "list":
        data = Rereadable(fault)
    elif kind == "loader":
        data = DataLoader(Rows(fault), batch_size=3, shuffle=True)
    elif kind == "stream":
        data = Stream(fault)
    elif kind == "validation data":
        validation = Rereadable(fault, batches=5)
    trial = Trial(model, optimiser, callbacks=[Checkpoint(folder / "c.pt", steps=1)], **options)
    if kind == "model":
        model.trial = trial
    return trial, data, validation


class Rereadable:
    """An iterable that breaks off in the fifth batch it gives, over all passes."""

    def __init__(self, fault: Fault, batches: int = 3) -> None:
        self.fault, self.batches, self.given = fault, batches, 0

    def __iter__(self):
        for i in range(self.batches):
            self.fault(self.given)
            self.given += 1
            yield X[3 * (i % 3) : 3 * (i % 3) + 3], Y[3 * (i % 3) : 3 * (i % 3) + 3]


def end(trial: Trial, data: Any, validation: Any) -> list[Tensor]:
    trial.fit(data, epochs=3, epoch_length=3, validation=validation)
    return [value.clone() for value in trial.model.state_dict().values()]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_surfaces_with_its_place_and_the_last_checkpoint_is_whole(tmp_path, kind):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = end(*made(kind, whole, armed=False))
    trial, data, validation = made(kind, broken, armed=True)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its message must be untouched
        end(trial, data, validation)
    assert str(caught.value) == "mine"
    (note,) = caught.value.__notes__
    assert note == f"raised in {KINDS[kind]}, epoch {trial.state[EPOCH]}, step {trial.state[STEP]}"
    # A metric is asked at the end of the epoch, and so is the validation data.
    done = {"metric when asked": 6, "validation data": 3}.get(kind, AT)
    assert trial.state[STEP] == done
    assert read(broken / "c.pt")["step"] == done
    mended, data, validation = made(kind, broken, armed=False)
    torch.manual_seed(99)
    assert resume(mended, broken / "c.pt") is None
    found = end(mended, data, validation)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


@pytest.mark.parametrize("name", HOOKS)
def test_an_error_at_any_hook_surfaces_with_its_place_and_the_last_checkpoint_is_whole(tmp_path, name):
    def made(*more: Any) -> Trial:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.5))
        checkpoint = Checkpoint(tmp_path / "c.pt", steps=1)
        return Trial(model, criterion=nn.functional.mse_loss, callbacks=[*more, checkpoint])

    @hook(name)
    def fussy(state: State) -> None:
        if state[STEP] >= AT or name == "on_start":
            raise ValueError("mine")

    @hook("on_step")
    def provoke(state: State) -> None:
        if state[STEP] == AT and name == "on_checkpoint":
            os.kill(os.getpid(), signal.SIGINT)
        if state[STEP] == AT and name == "on_exception":
            raise ArithmeticError("another's")

    validation = [(X[:2], Y[:2])]
    straight = made()
    straight.fit(Tensors(X, Y, batch_size=3), epochs=3, validation=validation)
    (tmp_path / "c.pt").unlink()
    trial = made(fussy, provoke)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its message must be untouched
        trial.fit(Tensors(X, Y, batch_size=3), epochs=3, validation=validation)
    assert str(caught.value) == "mine"
    (note,) = caught.value.__notes__
    where = f"epoch {trial.state[EPOCH]}, step {trial.state[STEP]}"
    assert note == f"raised in the callback {name} of {fussy!r}, {where}"
    if name == "on_start":
        assert not (tmp_path / "c.pt").exists()
        return
    assert trial.state[STEP] - read(tmp_path / "c.pt")["step"] in (0, 1)
    resumed = made()
    torch.manual_seed(99)
    assert resume(resumed, tmp_path / "c.pt") is None
    resumed.fit(Tensors(X, Y, batch_size=3), epochs=3, validation=validation)
    for key, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key])
    assert resumed.state_dict()["history"] == straight.state_dict()["history"]


@pytest.mark.parametrize("look", ["evaluate", "predict"])
def test_an_error_in_data_that_is_only_looked_at_says_so_too(look):
    trial = Trial(nn.Linear(2, 1), criterion=nn.functional.mse_loss)
    with pytest.raises(ValueError, match="mine") as caught:
        getattr(trial, look)(Rereadable(Fault(armed=True), batches=9))
    assert caught.value.__notes__ == ["raised in the data, epoch 0, step 0"]
