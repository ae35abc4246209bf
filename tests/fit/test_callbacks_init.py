"""Initial weights: set once, in a fresh trial only."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from unbraid.errors import UnknownName
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks.init import LSUV, Init
from unbraid.fit.decorators import on_backward
from unbraid.fit.state import X

INPUTS = 3 * torch.randn(64, 8, generator=torch.Generator().manual_seed(0)) + 1
DATA = Tensors(INPUTS, batch_size=32)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4)
    )


def trial(callback, model=None, lr=0.0):
    model = network() if model is None else model
    closure = lambda state: model(state[X]).square().mean()  # noqa: E731
    return Trial(model, torch.optim.SGD(model.parameters(), lr=lr), closure=closure, callbacks=[callback])


def variances(model, x):
    model.eval()
    outputs = []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.Linear):
                outputs.append(float(x.var()))
    return outputs


def test_init_does_what_torch_does_by_hand():
    fitted = trial(Init("kaiming_normal", nonlinearity="relu"))
    torch.manual_seed(7)
    fitted.fit(DATA, steps=1)
    expected = network()
    torch.manual_seed(7)
    for layer in expected:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    for ours, theirs in zip(fitted.model.parameters(), expected.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_init_takes_any_function_and_chosen_modules():
    before = network()
    fitted = trial(Init(lambda w: w.fill_(2.0), modules=(nn.BatchNorm1d,), bias=None))
    fitted.fit(DATA, steps=1)
    assert torch.equal(fitted.model[2].weight, torch.full((16,), 2.0))
    assert torch.equal(fitted.model[0].weight, before[0].weight)
    assert torch.equal(fitted.model[2].bias, before[2].bias)


def test_init_knows_what_a_misspelt_function_should_have_been():
    with pytest.raises(UnknownName, match="did you mean kaiming_normal"):
        Init("kaiming_norma")


def test_lsuv_gives_every_layer_an_output_of_variance_one():
    assert min(variances(network(), INPUTS)) < 0.5
    fitted = trial(LSUV(INPUTS, tolerance=0.01))
    fitted.fit(DATA, steps=1)
    fitted.model[2].reset_running_stats()
    assert variances(fitted.model, INPUTS) == pytest.approx([1, 1, 1], abs=0.011)


def test_lsuv_uses_the_first_batch_where_none_is_given():
    first = next(iter(DATA.batches(0, 0)))
    fitted = trial(LSUV(tolerance=0.01))
    fitted.fit(DATA, steps=1)
    fitted.model[2].reset_running_stats()
    assert variances(fitted.model, first) == pytest.approx([1, 1, 1], abs=0.011)


def test_lsuv_leaves_no_other_trace():
    fitted, plain = trial(LSUV(INPUTS, orthonormal=False)), trial(Init(lambda w: None, bias=None))
    modes = []
    for each in (fitted, plain):
        each.model.append(nn.Dropout(0.5))
        torch.manual_seed(3)
        each.fit(DATA, steps=1)
        modes.append(torch.rand(1))
        assert each.model.training
        assert not any(module._forward_hooks for module in each.model.modules())
    assert modes[0] == modes[1]
    assert int(fitted.model[2].num_batches_tracked) == 1


def test_lsuv_gives_up_on_a_layer_without_variance():
    model = nn.Sequential(nn.Linear(8, 4), nn.Flatten())
    fitted = trial(LSUV(torch.ones(16, 8)), model)
    fitted.fit(Tensors(torch.ones(16, 8)), steps=1)
    assert model[0].weight.isfinite().all()


class States(nn.Module):
    """A model with a loss of its own, and no forward."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def loss(self, batch, step):
        return self.layer(batch).square().mean()


def test_lsuv_runs_a_model_by_its_own_loss():
    torch.manual_seed(0)
    model = States()
    Trial(model, torch.optim.SGD(model.parameters(), lr=0.0), callbacks=[LSUV(tolerance=0.01)]).fit([INPUTS], steps=1)
    assert float(model.layer(INPUTS).var().detach()) == pytest.approx(1, abs=0.011)


def test_lsuv_runs_every_player_of_a_model():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(8, 5), nn.Linear(8, 3)

        def players(self):
            return {"one": self.one.parameters(), "other": self.other.parameters()}

        def loss(self, batch, step, player):
            return getattr(self, player)(batch).square().mean()

    model = Two()
    Trial(model, lambda p: torch.optim.SGD(p, lr=0.0), callbacks=[LSUV(tolerance=0.01)]).fit([INPUTS], steps=1)
    for layer in (model.one, model.other):
        assert float(layer(INPUTS).var().detach()) == pytest.approx(1, abs=0.011)


@pytest.mark.parametrize("make", [lambda: Init("orthogonal"), lambda: LSUV(INPUTS), lambda: LSUV()])
def test_a_resumed_trial_is_not_initialised_again(make):
    whole = trial(make(), lr=0.01)
    torch.manual_seed(1)
    whole.fit(DATA, steps=6)
    first = trial(make(), lr=0.01)
    torch.manual_seed(1)
    first.fit(DATA, steps=3)
    torch.manual_seed(99)
    second = trial(make(), lr=0.01)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, steps=6)
    for ours, theirs in zip(second.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("make", [lambda: Init("orthogonal"), lambda: LSUV(INPUTS), lambda: LSUV()])
def test_a_trial_that_is_taken_up_at_another_step_is_not_fresh(make):
    first = trial(Init(lambda w: None, bias=None))
    first.fit(DATA, steps=2)
    second = trial(make())
    saved = copy.deepcopy(first.state_dict())
    saved["callbacks"] = {}
    second.load_state_dict(saved)
    second.fit(DATA, steps=3)
    assert torch.equal(first.model[0].weight, second.model[0].weight)


@pytest.mark.parametrize("make", [lambda: Init("orthogonal"), lambda: LSUV(INPUTS), lambda: LSUV()])
def test_what_was_initialised_is_not_again_even_where_no_step_was_made(make):
    class Broken(Exception):
        pass

    @on_backward
    def stop(state):
        raise Broken

    first = trial(make())
    first.callbacks.append(stop)
    with pytest.raises(Broken):
        first.fit(DATA, steps=1)
    second = trial(make())
    torch.manual_seed(99)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(DATA, steps=1)
    assert torch.equal(second.model[0].weight, first.model[0].weight)
