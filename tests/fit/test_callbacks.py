"""Hooks are called in the documented order, cost nothing unused, and say where an error came from."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.fit import HOOKS, Callback, Trial, hook
from unbraid.fit.callback import Hooks
from unbraid.fit.state import LOSS, STEP, State, X


class Recorder(Callback):
    """Writes down every hook."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        for name in HOOKS:
            setattr(self, name, lambda state, name=name: self.calls.append(name.removeprefix("on_")))


def trial(*callbacks: Callback) -> Trial:
    model = nn.Linear(1, 1)
    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.1), nn.functional.mse_loss, callbacks=callbacks)


PAIR = (torch.ones(2, 1), torch.zeros(2, 1))
STEP_CALLS = ["sample", "forward", "criterion", "backward", "step"]
VALIDATION = [f"{name}_validation" for name in ("start", "sample", "forward", "criterion", "step", "end")]


def test_hooks_fire_in_the_documented_order():
    recorder = Recorder()
    trial(recorder).fit([PAIR, PAIR], epochs=2, validation=[PAIR])
    epoch = ["start_epoch", *STEP_CALLS, *STEP_CALLS, *VALIDATION, "record", "end_epoch"]
    assert recorder.calls == ["start", *epoch, *epoch, "end"]


def test_a_row_is_recorded_before_the_step_ends():
    recorder = Recorder()
    trial(recorder).fit([PAIR] * 3, steps=2, record_every=1)
    step = [*STEP_CALLS[:-1], "record", "step"]
    assert recorder.calls == ["start", "start_epoch", *step, *step, "end"]


def test_callbacks_are_called_in_their_order():
    order = []
    first = hook("on_step")(lambda state: order.append("first"))
    second = hook("on_step")(lambda state: order.append("second"))
    trial(first, second).fit([PAIR], epochs=1)
    assert order == ["first", "second"]


def test_hooks_nobody_uses_are_not_in_the_table():
    class One(Callback):
        def on_backward(self, state: State) -> None:
            pass

    hooks = Hooks([One(), Callback(), hook("on_step")(lambda state: None)])
    assert [name for name in HOOKS if name in hooks] == ["on_backward", "on_step"]


def test_decorators_stack():
    calls = []

    @hook("on_start")
    @hook("on_step")
    def note(state: State) -> None:
        calls.append(state[STEP])

    trial(note).fit([PAIR], epochs=2)
    assert calls == [0, 1, 2]
    assert repr(note) == "note at on_step, on_start"
    note(State({STEP: 7}))
    assert calls[-1] == 7, "it can still be called"


def test_an_error_in_a_callback_names_hook_epoch_and_step():
    class Fussy(Callback):
        def on_step(self, state: State) -> None:
            if state[STEP] == 3:
                raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        trial(Fussy()).fit([PAIR, PAIR], epochs=2)
    assert caught.value.__notes__ == ["raised in the callback Fussy.on_step, epoch 1, step 3"]


def test_an_error_in_a_function_names_the_function():
    @hook("on_forward")
    def fussy(state):
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011
        trial(fussy).fit([PAIR], epochs=1)
    assert "on_forward of fussy at on_forward, epoch 0, step 0" in caught.value.__notes__[0]


@pytest.mark.parametrize("moment", ["on_start", "on_sample", "on_step", "on_end_epoch", "on_end"])
def test_every_on_end_is_called_whatever_happens(moment):
    ended = []

    @hook(moment)
    def fail(state):
        raise ArithmeticError

    close = hook("on_end")(lambda state: ended.append(1))
    with pytest.raises(ArithmeticError):
        trial(close, fail, close).fit([PAIR], epochs=1)
    assert len(ended) == 2


def test_on_exception_comes_before_on_end():
    recorder = Recorder()

    @hook("on_backward")
    def fail(state):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        trial(recorder, fail).fit([PAIR], epochs=1)
    assert recorder.calls[-2:] == ["exception", "end"]


def test_a_callback_may_replace_the_input_and_the_loss():
    losses = []

    @hook("on_sample")
    def blank(state):
        state[X] = torch.zeros_like(state[X])

    @hook("on_criterion")
    def nothing(state):
        losses.append(state[LOSS].item())
        state[LOSS] = 0 * state[LOSS]

    fitted = trial(blank, nothing)
    bias = fitted.model.bias.item()
    fitted.fit([PAIR], epochs=2)
    assert losses == pytest.approx([bias**2] * 2)
    assert fitted.model.bias.item() == bias
