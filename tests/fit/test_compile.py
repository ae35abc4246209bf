"""Compiled models are really compiled, and are the same model as before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption
from unbraid.fit import Callback, Tensors, Trial, add_to_loss, every, hook, only_if
from unbraid.fit.callbacks.checkpoint import Checkpoint, resume
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import STEP
from unbraid.view import Batch

DATA = Tensors(torch.linspace(-1, 1, 8)[:, None], torch.linspace(-1, 1, 8)[:, None], batch_size=4, shuffle=False)
MSE = nn.functional.mse_loss

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


class Counting:
    """A backend that compiles nothing and counts what runs."""

    def __init__(self):
        self.compiled = self.ran = 0

    def __call__(self, graph, inputs):
        self.compiled += 1

        def run(*args):
            self.ran += 1
            return graph(*args)

        return run


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def loss(self, batch, step):
        x, y = batch
        return {"near": (self.linear(x) - y).square().mean()}


@pytest.fixture(autouse=True)
def _forget():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("own", [False, True])
def test_d5_a_compiled_model_is_really_compiled_and_learns_the_same(own):
    backend = Counting()
    found = []
    for compile in (False, {"backend": backend}):
        torch.manual_seed(0)
        model = Own() if own else nn.Sequential(nn.Linear(1, 1))
        Trial(model, sgd, None if own else MSE, compile=compile).fit(DATA, steps=6)
        found.append(model.state_dict())
    assert backend.compiled >= 1
    assert backend.ran >= 6
    assert list(found[0]) == list(found[1]), "no prefix"
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name])


def test_a_compiled_trial_predicts_and_its_checkpoint_is_taken_up_by_one_that_is_not(tmp_path):
    backend = Counting()
    model = nn.Linear(1, 1)
    trial = Trial(model, sgd, MSE, compile={"backend": backend}, callbacks=[Checkpoint(tmp_path / "c.pt", steps=1)])
    trial.fit(DATA, steps=2)
    ran = backend.ran
    outputs = trial.predict(DATA)
    assert backend.ran > ran
    plain = Trial(nn.Linear(1, 1), sgd, MSE)
    resume(plain, tmp_path / "c.pt")
    torch.testing.assert_close(plain.predict(DATA), outputs)


def test_what_a_closure_calls_is_not_compiled_in_silence():
    with pytest.raises(InvalidOption, match="compile that yourself"):
        Trial(nn.Linear(1, 1), sgd, closure=lambda state: torch.zeros(()), compile=True)


def test_channels_may_be_laid_out_last_in_the_objects_of_views():
    batch = Batch(torch.ones(2, 3, 4, 4), torch.arange(2), 9)
    placed = Runtime("cpu", channels_last=True).place(batch)
    assert placed.x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(placed.x, batch.x)
    assert placed.population == 9


def test_float16_leaves_out_a_step_that_overflows_and_lowers_the_scale():
    model = nn.Linear(1, 1)
    runtime = Runtime("cpu", precision="float16")
    trial = Trial(model, sgd, MSE, runtime=runtime)
    before, scale = model.weight.item(), runtime.scaler.get_scale()
    trial.fit([(torch.full((2, 1), 1e4), torch.zeros(2, 1))], steps=1)
    assert model.weight.item() == before
    assert runtime.scaler.get_scale() < scale
    other = Runtime("cpu", precision="float16")
    other.load_state_dict(runtime.state_dict())
    assert other.scaler.get_scale() == runtime.scaler.get_scale()


def test_d7_an_error_in_a_loss_says_where_it_was_raised():
    def closure(state):
        if state[STEP] == 3:
            raise ValueError("mine")
        return model.weight.sum()

    model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="mine") as caught:
        Trial(model, sgd, closure=closure).fit([1, 2], epochs=5)
    assert str(caught.value) == "mine"
    assert caught.value.__notes__ == ["raised in the closure closure, epoch 1, step 3"]


def test_an_error_in_a_callback_within_the_forward_is_noted_once():
    @hook("on_forward")
    def fussy(state):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[fussy]).fit(DATA, steps=1)
    assert len(caught.value.__notes__) == 1


class Listening(Callback):
    def __init__(self):
        self.heard = 0

    def on_exception(self, state):
        self.heard += 1


@pytest.mark.parametrize("fitting", [False, True])
def test_an_evaluation_that_fails_is_an_exception_for_callbacks_once(fitting):
    @hook("on_step_validation")
    def fussy(state):
        raise ValueError("mine")

    listening = Listening()
    trial = Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[fussy, listening])
    with pytest.raises(ValueError, match="mine"):
        trial.fit(DATA, epochs=1, validation=DATA) if fitting else trial.evaluate(DATA)
    assert listening.heard == 1


def test_functions_are_saved_under_their_own_names():
    @hook("on_step")
    @every(2)
    def tell(state): ...

    @hook("on_step")
    def plain(state): ...

    trial = Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[plain, tell, plain])
    assert list(trial.state_dict()["callbacks"]) == ["plain.1", "tell.1", "plain.2"]


def test_what_is_added_to_the_loss_is_recorded_under_its_own_name():
    @add_to_loss
    @only_if(lambda state: True)
    def extra(state):
        return torch.tensor(2.0)

    history = Trial(Own(), sgd, callbacks=[extra]).fit(DATA, epochs=1, validation=DATA)
    plain = Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[extra]).fit(DATA, epochs=1)
    for prefix in ("", "validation_"):
        row = {name: history[0][prefix + name] for name in ("loss", "near", "extra")}
        assert row["extra"] == pytest.approx(2.0)
        assert row["loss"] == pytest.approx(row["near"] + 2.0)
    assert plain[0]["extra"] == pytest.approx(2.0)
