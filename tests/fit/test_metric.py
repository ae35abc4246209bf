"""Metrics weigh every sample alike, keep no graph, and survive being saved."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unbraid.errors import UnknownName
from unbraid.fit import Mean, Tensors, Trial, metric
from unbraid.fit.metric import Metric, Terms, named
from unbraid.fit.state import COUNT, LOSS, TERMS, Y_PRED, Y_TRUE, State


def batch(value: float, samples: int) -> State:
    return State({LOSS: torch.tensor(value, requires_grad=True), COUNT: samples})


@given(st.lists(st.tuples(st.floats(-1e3, 1e3, width=32), st.integers(1, 50)), min_size=1, max_size=20))
def test_a_mean_weighs_every_sample_alike(batches):
    mean = Mean("loss", LOSS)
    for value, samples in batches:
        mean.update(batch(value, samples))
    expected = sum(value * n for value, n in batches) / sum(n for _, n in batches)
    assert mean.compute()["loss"] == pytest.approx(expected, abs=1e-6)


def test_a_small_last_batch_counts_for_less():
    x = torch.arange(5.0)[:, None]
    trial = Trial(nn.Linear(1, 1), None, lambda y_pred, y_true: y_true.mean())
    assert trial.evaluate(Tensors(x, x, batch_size=4))["loss"] == pytest.approx(2.0)


def test_a_mean_keeps_no_graph():
    mean = Mean("loss", LOSS)
    for _ in range(2):
        mean.update(batch(1.0, 1))
    assert not mean.total.requires_grad


def test_a_long_mean_keeps_its_digits():
    mean = Mean("loss", LOSS)
    mean.update(batch(1e8, 1))
    for _ in range(1000):
        mean.update(batch(1.0, 1))
    assert mean.compute()["loss"] == (1e8 + 1000) / 1001


def test_a_mean_may_be_of_a_plain_number():
    mean = Mean("half", lambda state: state[COUNT] / 2)
    for samples in (2, 4):
        mean.update(State({COUNT: samples}))
    assert mean.compute() == {"half": pytest.approx((1 * 2 + 2 * 4) / 6)}


def test_accuracy_is_right_over_ragged_batches():
    accuracy = named("acc")
    torch.manual_seed(1)
    y_pred, y_true = torch.randn(100, 5), torch.randint(5, (100,))
    for rows in torch.arange(100).split([60, 39, 1]):
        accuracy.update(State({Y_PRED: y_pred[rows], Y_TRUE: y_true[rows], COUNT: len(rows)}))
    assert accuracy.compute() == {"acc": pytest.approx((y_pred.argmax(1) == y_true).double().mean().item())}


def test_the_squared_error_is_a_mean_over_everything():
    error = named("mse")
    error.update(State({Y_PRED: torch.tensor([[1.0, 3.0]]), Y_TRUE: torch.tensor([[0.0, 0.0]]), COUNT: 1}))
    assert error.compute() == {"mse": 5.0}


def test_a_decorated_function_is_a_metric_of_its_own_name():
    @metric
    def doubled(state: State) -> torch.Tensor:
        return 2 * state[LOSS]

    doubled.update(batch(3.0, 7))
    assert doubled.compute() == {"doubled": 6.0}


@pytest.mark.parametrize("made", [lambda: Mean("loss", LOSS), Terms, lambda: named("acc")])
def test_a_metric_saved_half_way_goes_on_where_it_was(made):
    def states():
        generator = torch.Generator().manual_seed(3)
        for n in (4, 3):
            loss = torch.rand((), generator=generator)
            y_pred = torch.rand(n, 2, generator=generator)
            yield State({LOSS: loss, COUNT: n, TERMS: {"a": loss, "b": -loss}, Y_PRED: y_pred, Y_TRUE: torch.zeros(n)})

    whole, half, other = made(), made(), made()
    one, two = states()
    whole.update(one)
    half.update(one)
    other.load_state_dict(half.state_dict())
    half.reset()
    whole.update(two)
    other.update(two)
    assert other.compute() == whole.compute() != {}


@pytest.mark.parametrize("made", [lambda: Mean("loss", LOSS), Terms, lambda: named("acc")])
def test_a_metric_that_saw_nothing_says_nothing(made):
    empty: Metric = made()
    assert empty.compute() == {}
    empty.load_state_dict(made().state_dict())
    assert empty.compute() == {}


def test_an_unknown_metric_is_answered_with_a_near_one():
    with pytest.raises(UnknownName, match="mse"):
        named("mes")
