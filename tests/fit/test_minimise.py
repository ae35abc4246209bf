"""Differentiable programming: numbers fitted to functions."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Mean, hook, minimise
from unbraid.fit.state import MODEL, STEP


def bowl(x):
    return (x - torch.tensor([1.0, -2.0])).square().sum()


def rosenbrock(p):
    return (1 - p[0]).square() + 100 * (p[1] - p[0].square()).square()


def test_a_tensor_is_fitted_and_the_one_given_stays_as_it_is():
    start = torch.zeros(2)
    found = minimise(bowl, start, optimizer=lambda p: torch.optim.SGD(p, lr=0.1), steps=100)
    assert torch.allclose(found.parameters, torch.tensor([1.0, -2.0]), atol=1e-5)
    assert found.loss < 1e-8
    assert torch.equal(start, torch.zeros(2))
    assert not found.parameters.requires_grad


def test_d8_lbfgs_finds_the_minimum_of_rosenbrock():
    found = minimise(
        rosenbrock,
        torch.tensor([-1.2, 1.0], dtype=torch.float64),
        optimizer=lambda p: torch.optim.LBFGS(p, line_search_fn="strong_wolfe"),
        steps=10,
    )
    assert torch.allclose(found.parameters, torch.ones(2, dtype=torch.float64), atol=1e-4)


class Circle(NamedTuple):
    centre: torch.Tensor
    radius: torch.Tensor


@pytest.mark.parametrize(
    "given",
    [
        [torch.zeros(2), torch.ones(())],
        (torch.zeros(2), torch.ones(())),
        {"b": torch.zeros(2), "a": {"deep": [torch.ones(())]}},
        Circle(torch.zeros(2), torch.ones(())),
    ],
)
def test_parameters_reach_the_function_and_come_back_in_the_form_in_which_they_were_given(given):
    forms = []

    def f(p):
        forms.append(type(p))
        first = p["b"] if isinstance(p, dict) else p[0]
        second = p["a"]["deep"][0] if isinstance(p, dict) else p[1]
        return bowl(first) + second.square()

    found = minimise(f, given, optimizer=lambda p: torch.optim.SGD(p, lr=0.1), steps=100).parameters
    assert set(forms) == {type(given)}
    assert type(found) is type(given)
    values = list(found.values()) if isinstance(found, dict) else list(found)
    assert torch.allclose(values[0], torch.tensor([1.0, -2.0]), atol=1e-5)


def test_terms_are_recorded_under_their_names():
    found = minimise(lambda x: {"bowl": bowl(x), "size": x.square().sum()}, torch.ones(2), steps=1)
    assert found.history[0]["bowl"] == pytest.approx(9.0)
    assert found.history[0]["size"] == pytest.approx(2.0)
    assert found.history[0]["loss"] == pytest.approx(11.0)


def test_callbacks_and_metrics_see_the_parameters():
    path = []
    look = hook("on_step")(lambda state: path.append(state[MODEL]().detach().clone()))
    first = Mean("first", lambda state: state[MODEL]()[0])
    found = minimise(bowl, torch.zeros(2), steps=3, callbacks=[look], metrics=[first], record_every=1)
    assert len(path) == 3
    assert torch.equal(path[-1], found.parameters)
    assert found.history[1]["first"] == pytest.approx(path[0][0].item())


def test_a_function_may_differentiate_too():
    def curved(x):  # the squared slope of the bowl
        (slope,) = torch.autograd.grad(bowl(x), x, create_graph=True)
        return slope.square().sum()

    found = minimise(curved, torch.zeros(2), optimizer=lambda p: torch.optim.SGD(p, lr=0.05), steps=100)
    assert torch.allclose(found.parameters, torch.tensor([1.0, -2.0]), atol=1e-5)


def test_an_interrupted_minimisation_goes_on_bit_for_bit(tmp_path):
    def noisy(x):
        return bowl(x + 0.1 * torch.randn(2))

    torch.manual_seed(1)
    whole = minimise(noisy, torch.zeros(2), steps=20)

    @hook("on_sample")
    def interrupt(state):
        if state[STEP] == 7:
            import signal

            signal.raise_signal(signal.SIGINT)

    torch.manual_seed(1)
    with pytest.raises(KeyboardInterrupt):
        minimise(noisy, torch.zeros(2), steps=20, callbacks=[interrupt], checkpoint=tmp_path / "c.pt")
    torch.manual_seed(5)
    found = minimise(noisy, torch.zeros(2), steps=20, checkpoint=tmp_path / "c.pt")
    assert torch.equal(found.parameters, whole.parameters)
    assert found.history == whole.history


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (torch.zeros(2, dtype=torch.int64), "the tensor is torch.int64"),
        ({"a": [1.0]}, "a.0 is of float"),
        ([], "nothing to fit"),
    ],
)
def test_what_cannot_be_fitted_is_answered_with_a_sentence(given, sentence):
    with pytest.raises(InvalidData, match=sentence):
        minimise(bowl, given)


@pytest.mark.parametrize("f", [lambda x: x, lambda x: 3.0])
def test_a_function_that_gives_no_scalar_is_answered_with_a_sentence(f):
    with pytest.raises(InvalidOption, match="must be a real scalar tensor"):
        minimise(f, torch.zeros(2))


def test_an_optimiser_of_other_tensors_is_refused():
    x = torch.zeros(2, requires_grad=True)
    with pytest.raises(InvalidOption, match=r"lambda p: torch.optim.Adam"):
        minimise(bowl, x, optimizer=torch.optim.Adam([x]))
