"""A model is called with whatever parts of the state it asks for, in fitting, evaluating and predicting alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.fit import Key, Tensors, Trial, on_sample, on_sample_validation
from unbraid.fit.state import BATCH, STEP, Y_PRED, State, X

MSE = nn.functional.mse_loss
NOISE: Key[Tensor] = Key("noise")


class Masked(nn.Module):
    """Looks at what a mask leaves of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1)
        self.steps: list[int] = []

    def forward(self, *, x: Tensor, mask: Tensor, step: int = -1) -> Tensor:
        self.steps.append(step)
        return self.linear(x * mask)


def rows(n: int = 12) -> list[dict[str, Tensor]]:
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([1.0, 1.0, 0.0]).expand(n, 3)
    y = x[:, :1] - x[:, 1:2]
    return [{"x": a, "mask": b, "y": c} for a, b, c in zip(x.split(4), mask.split(4), y.split(4), strict=True)]


def part(name: str):
    return lambda state: state[BATCH][name]


def error(state: State) -> Tensor:
    return MSE(state[Y_PRED], state[BATCH]["y"])


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def test_a_batch_of_named_parts_reaches_the_model_by_name():
    model = Masked()
    trial = Trial(model, sgd, error, inputs={"x": part("x"), "mask": part("mask"), "step": STEP})
    history = trial.fit(rows(), epochs=60, validation=rows())
    assert history[-1]["loss"] < 1e-3
    assert history[-1]["validation_loss"] < 1e-3
    assert model.steps[:3] == [0, 1, 2]
    expected = torch.cat([model.linear(row["x"] * row["mask"]) for row in rows()])
    torch.testing.assert_close(trial.predict(rows()), expected)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_inputs_of_x_alone_are_what_is_called_without_them(accumulate):
    data = Tensors(torch.linspace(-1, 1, 10)[:, None], torch.ones(10, 1), batch_size=4)
    ended = []
    for inputs in (None, {"input": X}):
        torch.manual_seed(0)
        trial = Trial(nn.Linear(1, 1), sgd, MSE, inputs=inputs, accumulate=accumulate)
        trial.fit(data, epochs=2)
        ended.append([*trial.model.state_dict().values(), trial.predict(data)])
    assert all(torch.equal(a, b) for a, b in zip(*ended, strict=True))


def test_an_input_that_the_state_does_not_hold_is_named():
    trial = Trial(Masked(), sgd, error, inputs={"x": part("x"), "mask": NOISE})
    with pytest.raises(InvalidOption, match=r"'mask' is read from 'noise'.*on_sample"):
        trial.fit(rows(), steps=1)

    def fill(state: State) -> None:
        state[NOISE] = state[BATCH]["mask"]

    given = Trial(
        Masked(),
        sgd,
        error,
        inputs={"x": part("x"), "mask": NOISE},
        callbacks=[on_sample(fill), on_sample_validation(fill)],
    )
    assert given.fit(rows(), epochs=1, validation=rows())
    assert given.predict(rows()).shape == (12, 1), "a prediction hears on_sample_validation, too"


def test_a_key_error_of_ones_own_stays_what_it_is():
    with pytest.raises(KeyError, match="nonesuch"):
        Trial(Masked(), sgd, error, inputs={"x": part("nonesuch"), "mask": X}).fit(rows(), steps=1)


@pytest.mark.parametrize("how", ["closure", "own loss"])
def test_inputs_without_a_criterion_are_refused(how):
    model = Masked()
    if how == "own loss":
        model.loss = lambda batch, step: torch.zeros(())
    closure = (lambda state: torch.zeros(())) if how == "closure" else None
    with pytest.raises(InvalidOption, match="give a criterion"):
        Trial(model, sgd, closure=closure, inputs={"x": X})
