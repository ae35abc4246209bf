"""What a trial does: it fits, for as long as it is told, and evaluates and predicts without leaving a trace."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Callback, Tensors, Trial, hook, metric
from unbraid.fit.data import random_state
from unbraid.fit.state import EPOCH, HISTORY, METRICS, POSITION, STEP, STOP, Y_PRED, Y_TRUE, State, X

MSE = nn.functional.mse_loss


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def line(n: int = 10, batch_size: int = 4, shuffle: bool = False) -> Tensors:
    x = torch.linspace(-1, 1, n)[:, None]
    return Tensors(x, 3 * x + 1, batch_size=batch_size, shuffle=shuffle)


def weights(model: nn.Module) -> list[Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


class Stream:
    """Batch ``step`` is a function of ``step``."""

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        x = torch.full((3, 1), float(step))
        return x, 2 * x


class OwnLoss(nn.Module):
    """States its loss in terms."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen: list[int] = []

    def loss(self, batch, step):
        self.seen.append(step)
        return {"near": (batch * self.weight).square().mean(), "small": self.weight.abs()}


def test_a_trial_learns_a_line():
    model = nn.Linear(1, 1)
    history = Trial(model, sgd, MSE).fit(line(), epochs=200)
    assert history[-1]["loss"] < 1e-8
    assert [model.weight.item(), model.bias.item()] == pytest.approx([3, 1], abs=1e-3)


def test_a_criterion_may_take_the_state():
    states = []

    def criterion(state: State) -> Tensor:
        states.append(state)
        return MSE(state[Y_PRED], state[Y_TRUE])

    one, other = nn.Linear(1, 1), nn.Linear(1, 1)
    other.load_state_dict(one.state_dict())
    Trial(one, sgd, criterion).fit(line(), epochs=2)
    Trial(other, sgd, MSE).fit(line(), epochs=2)
    assert same(weights(one), weights(other))
    assert isinstance(states[0], State)


def test_a_criterion_may_be_a_module():
    assert Trial(nn.Linear(1, 1), sgd, nn.MSELoss()).fit(line(), epochs=1)[0]["loss"] > 0


def test_a_type_error_inside_the_criterion_surfaces_untouched():
    calls = []

    def criterion(y_pred, y_true):
        calls.append(1)
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine") as caught:
        Trial(nn.Linear(1, 1), sgd, criterion).fit(line(), steps=1)
    assert len(calls) == 1, "it is not tried again with other arguments"
    assert str(caught.value) == "mine"
    assert caught.value.__notes__ == ["raised in the model Linear or the criterion criterion, epoch 0, step 0"]


def test_a_closure_minimises_a_function_without_data():
    point = nn.ParameterList([torch.tensor([3.0, -2.0])])
    target = torch.tensor([1.0, 5.0])
    trial = Trial(point, sgd, closure=lambda state: (point[0] - target).square().sum())
    history = trial.fit(steps=100)
    assert torch.allclose(point[0], target, atol=1e-4)
    assert [row["step"] for row in history] == [100]


def test_a_model_states_its_own_loss_and_every_term_is_recorded():
    model = OwnLoss()
    history = Trial(model, sgd).fit([torch.full((2,), 3.0)], steps=2)
    assert model.seen == [0, 1], "steps are counted from 0"
    assert history[0]["near"] == pytest.approx(9.0)
    assert history[0]["small"] == pytest.approx(1.0)
    assert history[0]["loss"] == pytest.approx(10.0)


def test_a_model_without_a_loss_needs_a_criterion():
    with pytest.raises(InvalidOption, match="Linear has no loss"):
        Trial(nn.Linear(1, 1))


def test_lbfgs_solves_least_squares_in_a_few_steps():
    model = nn.Linear(1, 1)
    history = Trial(model, lambda p: torch.optim.LBFGS(p, line_search_fn="strong_wolfe"), MSE).fit(
        line(batch_size=10), steps=5
    )
    assert model.weight.item() == pytest.approx(3, abs=1e-4)
    assert len(history) == 5


def test_what_lbfgs_tries_within_a_step_is_not_in_the_loss():
    model = nn.Linear(1, 1)
    before = MSE(model(line().tensors[0]), line().tensors[1]).item()
    history = Trial(model, lambda p: torch.optim.LBFGS(p, max_iter=10), MSE).fit(line(batch_size=10), steps=1)
    assert history[0]["loss"] == pytest.approx(before)


def test_accumulated_batches_move_the_model_as_one_large_batch():
    one, other = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
    other.load_state_dict(one.state_dict())
    x, y = (tensor.double() for tensor in line(12).tensors)
    small = Trial(one, sgd, MSE, accumulate=3).fit(Tensors(x, y, batch_size=4, shuffle=False), epochs=5)
    large = Trial(other, sgd, MSE).fit(Tensors(x, y, batch_size=12, shuffle=False), epochs=5)
    for a, b in zip(weights(one), weights(other), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert [row["step"] for row in small] == [row["step"] for row in large] == [1, 2, 3, 4, 5]
    assert [row["loss"] for row in small] == pytest.approx([row["loss"] for row in large])


def test_the_last_window_of_an_epoch_may_have_fewer_batches():
    trial = Trial(nn.Linear(1, 1), sgd, MSE, accumulate=2)
    trial.fit(line(), epochs=2)  # three batches an epoch: a window of two and one of one
    assert trial.state[STEP] == 4


def test_on_sample_is_called_once_a_batch_when_batches_are_accumulated_for_two_players():
    seen = []

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))

        def players(self):
            return {"a": [self.a], "b": [self.b]}

        def loss(self, batch, step, player):
            seen.append((player, batch.item()))
            return getattr(self, player) * batch.mean()

    @hook("on_sample")
    def double(state):
        state[X] = 2 * state[X]

    Trial(Two(), sgd, callbacks=[double], accumulate=2).fit([torch.ones(1), 2 * torch.ones(1)], steps=1)
    assert seen == [("a", 2.0), ("a", 4.0), ("b", 2.0), ("b", 4.0)]


def test_steps_over_finite_data_run_on_into_the_next_epochs():
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    history = trial.fit(line(), steps=7)  # three batches an epoch
    assert (trial.state[STEP], trial.state[EPOCH], trial.state[POSITION]) == (7, 2, 1)
    assert [(row["step"], row["epoch"]) for row in history] == [(3, 1), (6, 2), (7, 2)]


def test_epochs_count_in_total():
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    trial.fit(line(), epochs=2)
    assert len(trial.fit(line(), epochs=5)) == 5
    assert trial.state[STEP] == 15
    assert len(trial.fit(line(), epochs=5)) == 5, "nothing is left to do"


@pytest.mark.parametrize("kind", ["tensors", "loader", "stream"])
def test_a_fit_in_two_parts_is_the_fit_in_one(kind):
    def trained(*parts: int) -> list[Tensor]:
        torch.manual_seed(0)
        data = {
            "tensors": line(shuffle=True),
            "loader": DataLoader(TensorDataset(*line().tensors), batch_size=4, shuffle=True),
            "stream": Stream(),
        }[kind]
        model = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        trial = Trial(model, lambda p: torch.optim.Adam(p), MSE)
        for steps in parts:
            trial.fit(data, steps=steps)
        return weights(model)

    assert same(trained(8), trained(5, 8))


def test_an_endless_stream_is_cut_into_epochs():
    seen = []
    trial = Trial(
        nn.Linear(1, 1), sgd, MSE, callbacks=[hook("on_sample")(lambda state: seen.append(state[X][0].item()))]
    )
    history = trial.fit(Stream(), epochs=3, epoch_length=2)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert [row["step"] for row in history] == [2, 4, 6]


def test_an_endless_stream_is_recorded_every_hundred_steps():
    history = Trial(nn.Linear(1, 1), lambda p: torch.optim.SGD(p, lr=0.0), MSE).fit(Stream(), steps=250)
    assert [row["step"] for row in history] == [100, 200, 250]


def test_finite_data_may_be_cut_into_shorter_epochs():
    history = Trial(nn.Linear(1, 1), sgd, MSE).fit(line(), epochs=3, epoch_length=2)
    assert [row["step"] for row in history] == [2, 4, 6]


def test_rows_come_as_often_as_asked():
    history = Trial(nn.Linear(1, 1), sgd, MSE).fit(line(), steps=7, record_every=2)
    assert [row["step"] for row in history] == [2, 4, 6, 7]


def test_a_row_holds_the_mean_over_its_own_steps():
    model = OwnLoss()
    trial = Trial(model, lambda p: torch.optim.SGD(p, lr=0.0))
    history = trial.fit([torch.full((1,), float(i)) for i in range(4)], epochs=1, record_every=2)
    assert [row["near"] for row in history] == pytest.approx([0.5, (4 + 9) / 2])


def test_a_callback_can_stop_a_trial():
    @hook("on_step")
    def enough(state):
        state[STOP] = state[STEP] == 4

    trial = Trial(nn.Linear(1, 1), sgd, MSE, callbacks=[enough])
    assert trial.fit(line(), epochs=100)[-1]["step"] == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "either steps or epochs"),
        ({"steps": 1, "epochs": 1}, "either steps or epochs"),
        ({"steps": 0}, "steps must be a finite number of at least 1"),
        ({"epochs": 1, "record_every": 0}, "record_every must be"),
    ],
)
def test_it_must_be_said_how_long_to_fit(arguments, sentence):
    with pytest.raises(InvalidOption, match=sentence):
        Trial(nn.Linear(1, 1), sgd, MSE).fit(line(), **arguments)


def test_epochs_of_endless_data_need_a_length():
    with pytest.raises(InvalidOption, match="never ends"):
        Trial(nn.Linear(1, 1), sgd, MSE).fit(Stream(), epochs=1)


def test_data_without_a_batch_is_refused_rather_than_waited_for():
    class Empty:
        def __iter__(self):
            return iter(())

    with pytest.raises(InvalidData, match="gave no batch"):
        Trial(nn.Linear(1, 1), sgd, MSE).fit(Empty(), steps=3)


def test_an_iterator_can_be_passed_over_once():
    batches = [(torch.ones(2, 1), torch.ones(2, 1))] * 3
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    assert trial.fit(iter(batches), epochs=1)[-1]["step"] == 3
    with pytest.raises(InvalidData, match="one-shot iterator"):
        Trial(nn.Linear(1, 1), sgd, MSE).fit(iter(batches), epochs=2)


def test_evaluation_leaves_no_trace():
    model = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    trial = Trial(model, sgd, MSE, metrics=["mse"])
    trial.fit(line(8), steps=1, record_every=100)
    trial.engine.reset()
    trial.engine.step([next(line(8).batches(0, 0))])  # metrics in progress
    before, values, random = weights(model), trial.engine.values(), random_state()["torch"]
    loader = DataLoader(TensorDataset(*line(8).tensors), batch_size=2, shuffle=True)
    evaluated = trial.evaluate(loader)
    assert set(evaluated) == {"loss", "mse"}
    assert same(before, weights(model))
    assert trial.engine.values() == values
    assert model.training
    assert torch.equal(random, random_state()["torch"])


def test_validation_has_no_influence_on_the_fit():
    def trained(validation) -> list[Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        data = DataLoader(TensorDataset(*line().tensors), batch_size=4, shuffle=True)
        Trial(model, sgd, MSE).fit(data, epochs=3, validation=validation)
        return weights(model)

    noisy = DataLoader(TensorDataset(*line().tensors), batch_size=4, shuffle=True)
    assert same(trained(None), trained(noisy))


def test_validation_joins_the_rows():
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    history = trial.fit(line(), epochs=3, validation=line(5))
    assert all(set(row) == {"step", "epoch", "loss", "validation_loss"} for row in history)
    assert history[-1]["validation_loss"] == pytest.approx(trial.evaluate(line(5))["loss"])
    assert trial.state[HISTORY] is history


def test_a_failed_evaluation_leaves_no_trace_either():
    @hook("on_step_validation")
    def fail(state):
        raise ArithmeticError

    model = nn.Linear(1, 1)
    trial = Trial(model, sgd, MSE, callbacks=[fail])
    with pytest.raises(ArithmeticError):
        trial.evaluate(line())
    assert model.training
    assert trial.fit(line(), epochs=1)[0]["loss"] > 0


def test_an_evaluation_of_endless_data_takes_as_many_batches_as_told():
    drawn = iter([(torch.ones(2, 1), torch.ones(2, 1))] * 5)
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    trial.evaluate(drawn, steps=3)
    assert len(list(drawn)) == 2, "not one more than needed"
    assert trial.evaluate(Stream(), steps=2)["loss"] >= 0
    with pytest.raises(InvalidOption, match="never ends"):
        trial.evaluate(Stream())


@pytest.mark.parametrize("kind", ["tensor", "tensors", "dataset", "list"])
def test_predictions_come_in_the_order_of_the_data(kind):
    x = torch.arange(100.0)[:, None]
    data = {
        "tensor": x,
        "tensors": Tensors(x, x, batch_size=7),
        "dataset": TensorDataset(x, x),
        "list": list(x.split(9)),
    }[kind]
    model = nn.Linear(1, 1)
    expected = model(x).detach()
    assert torch.allclose(Trial(model, sgd, MSE).predict(data), expected)
    assert model.training


def test_a_prediction_looks_through_the_same_hooks_as_an_evaluation():
    fitted = Trial(
        nn.Linear(1, 1),
        sgd,
        MSE,
        callbacks=[
            hook("on_sample_validation")(lambda state: state.__setitem__(X, state[X] * 0)),
            hook("on_forward_validation")(lambda state: state.__setitem__(Y_PRED, state[Y_PRED] + 1)),
        ],
    )
    assert torch.equal(fitted.predict(torch.ones(3, 1)), (fitted.model.bias + 1).expand(3, 1))
    expected = MSE(fitted.model.bias + 1, torch.zeros(1)).item()
    assert fitted.evaluate([(torch.ones(3, 1), torch.zeros(3, 1))])["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("look", ["evaluate", "predict"])
def test_to_look_within_a_step_leaves_the_batch_and_frozen_parts_as_they_were(look):
    seen = []

    @hook("on_forward")
    def peek(state):
        model[1].eval()
        before = [state[key] for key in (X, Y_TRUE, Y_PRED)]
        getattr(fitted, look)([(torch.zeros(2, 1), torch.zeros(2, 1))])
        seen.append(all(state[key] is value for key, value in zip((X, Y_TRUE, Y_PRED), before, strict=True)))
        assert model.training
        assert not model[1].training

    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    fitted = Trial(model, sgd, MSE, callbacks=[peek])
    fitted.fit(line(), epochs=1)
    assert seen == [True] * 3


def test_predictions_of_endless_data_need_an_end():
    trial = Trial(nn.Linear(1, 1), sgd, MSE)
    assert trial.predict(Stream(), steps=2).shape == (6, 1)
    with pytest.raises(InvalidOption, match="never ends"):
        trial.predict(Stream())


def test_no_metrics_leave_only_the_position_in_the_history():
    assert Trial(OwnLoss(), sgd, metrics=None).fit([torch.ones(1)], epochs=2) == [
        {"step": 1, "epoch": 1},
        {"step": 2, "epoch": 2},
    ]


def test_a_saved_trial_does_not_fit_another_model():
    saved = copy.deepcopy(Trial(nn.Linear(1, 1), sgd, MSE).state_dict())
    with pytest.raises(InvalidData, match="size mismatch"):
        Trial(nn.Linear(2, 1), sgd, MSE).load_state_dict(saved)
    with pytest.raises(InvalidData, match="make the trial as it was"):
        Trial(nn.Linear(1, 1), sgd, MSE, metrics=["mse"]).load_state_dict(saved)


def test_metrics_of_the_last_record_are_in_the_state():
    @metric
    def size(state):
        return state[Y_PRED].abs().mean()

    class Look(Callback):
        def on_record(self, state: State) -> None:
            self.metrics = state[METRICS]

    look = Look()
    history = Trial(nn.Linear(1, 1), sgd, MSE, metrics=[size], callbacks=[look]).fit(line(), epochs=1)
    assert look.metrics == {name: history[0][name] for name in ("loss", "size")}


def test_a_trial_says_what_it_is():
    assert repr(Trial(nn.Linear(1, 1), sgd, MSE)) == "Trial(Linear on cpu; model: SGD; callbacks: none; step 0)"
