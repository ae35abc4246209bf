"""The seam to the hardware: devices, precisions, layouts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidOption
from unbraid.fit import Runtime, Tensors, Trial, hook
from unbraid.fit.runtime import find_device
from unbraid.fit.state import Y_PRED
from unbraid.views.images import Images
from unbraid.worlds.digits import Digits


def fitted(precision: str, epochs: int = 30) -> tuple[float, set[torch.dtype]]:
    seen = set()
    look = hook("on_forward")(lambda state: seen.add(state[Y_PRED].dtype))
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 16)[:, None]
    runtime = Runtime("cpu", precision=precision)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    trial = Trial(model, optimizer, nn.functional.mse_loss, runtime=runtime, callbacks=[look])
    history = trial.fit(Tensors(x, 3 * x + 1), epochs=epochs)
    assert all(p.dtype == torch.float32 for p in model.parameters())
    return history[-1]["loss"], seen


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_every_precision_learns(precision):
    loss, dtypes = fitted(precision)
    assert loss < 1e-2
    assert dtypes == {getattr(torch, precision)}


def test_float16_refuses_an_optimiser_that_evaluates_the_loss_itself():
    runtime = Runtime("cpu", precision="float16")
    with pytest.raises(InvalidOption, match="LBFGS evaluates the loss several times"):
        Trial(nn.Linear(1, 1), torch.optim.LBFGS, nn.functional.mse_loss, runtime=runtime)


def test_gradients_are_unscaled_before_anything_looks_at_them():
    norms = {}
    for precision in ("float32", "float16"):
        torch.manual_seed(0)
        model = nn.Linear(1, 1)

        @hook("on_backward")
        def look(state, model=model, precision=precision):
            norms[precision] = model.weight.grad.norm().item()

        trial = Trial(
            model, torch.optim.SGD, nn.MSELoss(), runtime=Runtime("cpu", precision=precision), callbacks=[look]
        )
        trial.fit([(torch.full((2, 1), 0.1), torch.zeros(2, 1))], steps=1)  # small: float16 must not overflow
    assert norms["float16"] == pytest.approx(norms["float32"], rel=1e-2)


def test_an_unknown_device_is_answered_with_a_sentence():
    with pytest.raises(InvalidOption, match=r"device 'toaster' cannot be used here .*; try auto or cpu"):
        Runtime("toaster")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_an_absent_device_is_answered_with_a_sentence():
    with pytest.raises(InvalidOption, match=r"device 'cuda' cannot be used here"):
        find_device("cuda")


def test_an_unknown_precision_is_answered_with_a_sentence():
    with pytest.raises(InvalidOption, match="precision must be one of float32, bfloat16, float16, but is 'float8'"):
        Runtime("cpu", precision="float8")


def test_channels_may_be_laid_out_last():
    runtime = Runtime("cpu", channels_last=True)
    image = runtime.place({"x": torch.ones(2, 3, 4, 4), "y": torch.ones(2, 3)})
    assert image["x"].is_contiguous(memory_format=torch.channels_last)
    convolution = runtime.prepare(nn.Conv2d(3, 4, 3))
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)


def test_batches_of_every_kind_are_placed_and_keep_their_kind():
    runtime = Runtime("cpu")
    batch = Images(Digits(), batch_size=2).batch(0)
    placed = runtime.place((batch, [torch.ones(1), "text"], None))
    assert isinstance(placed, tuple)
    assert isinstance(placed[1], list)
    assert torch.equal(placed[0].x, batch.x)
    assert placed[1][1] == "text"
    assert placed[2] is None
