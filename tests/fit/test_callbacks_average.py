"""Averages of the weights: the right mean, used in evaluations only, and given back."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks.average import EMA, SWA
from unbraid.fit.decorators import on_end_epoch, on_end_validation, on_step, on_step_validation, only_if
from unbraid.fit.state import MODEL, STEP, X

DATA = Tensors(torch.randn(12, 2, generator=torch.Generator().manual_seed(0)), batch_size=4)  # three steps an epoch


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def trial(*callbacks, model=None, broken=False):
    model = network() if model is None else model

    def closure(state):
        if broken and not model.training:
            raise RuntimeError("broken")
        return (model(state[X]) - 1).square().mean()

    return Trial(model, torch.optim.SGD(model.parameters(), lr=0.1), closure=closure, callbacks=callbacks)


def weights(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def mean(sets):
    return {name: torch.stack([each[name].double() for each in sets]).mean(0) for name in sets[0]}


@pytest.mark.parametrize("warmup", [True, False])
def test_ema_is_the_recursion_of_its_definition(warmup):
    ema, seen = EMA(0.6, warmup=warmup), []
    trial(ema, on_step(lambda state: seen.append(weights(state[MODEL])))).fit(DATA, epochs=2)
    expected = {name: value.double() for name, value in seen[0].items()}
    for count, new in enumerate(seen[1:], 1):
        decay = min(0.6, (1 + count) / (10 + count)) if warmup else 0.6
        expected = {name: decay * expected[name] + (1 - decay) * new[name] for name in expected}
    for name, value in ema.weights.items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-5)
        else:
            assert torch.equal(value, seen[-1][name])
    assert ema.count == 6


def test_ema_can_copy_buffers_and_take_every_second_step():
    ema, seen = EMA(0.5, buffers=False, every=2), []
    trial(ema, on_step(lambda state: seen.append(weights(state[MODEL])))).fit(DATA, epochs=2)
    assert ema.count == 3
    assert torch.equal(ema.weights["1.running_mean"], seen[-1]["1.running_mean"])
    assert not torch.equal(ema.weights["0.weight"], seen[-1]["0.weight"])


def test_swa_is_the_mean_of_late_epochs():
    swa, seen = SWA(start=2, every=2), []
    trial(swa, on_end_epoch(lambda state: seen.append(weights(state[MODEL])))).fit(DATA, epochs=5)
    expected = mean([seen[1], seen[3]])
    assert swa.count == 2
    for name in ("0.weight", "2.bias", "1.running_mean"):
        torch.testing.assert_close(swa.weights[name].double(), expected[name])


def test_swa_evaluates_the_epoch_that_has_just_ended():
    swa, evaluated, ends = SWA(start=1), [], []
    look = on_step_validation(lambda state: evaluated.append(weights(state[MODEL])["0.weight"]))
    end = on_end_epoch(lambda state: ends.append(weights(state[MODEL])))
    trial(swa, look, end).fit(DATA, epochs=2, validation=[torch.ones(4, 2)])
    torch.testing.assert_close(evaluated[0], ends[0]["0.weight"])
    torch.testing.assert_close(evaluated[1].double(), mean(ends)["0.weight"])
    assert swa.count == 2


def test_swa_refreshes_running_means_under_its_own_weights():
    swa = SWA(start=1)
    fitted = trial(swa)
    fitted.fit(DATA, epochs=3)
    own = weights(fitted.model)
    swa.refresh(fitted.model, DATA)
    assert same(weights(fitted.model), own)
    x = DATA.tensors[0] @ swa.weights["0.weight"].T + swa.weights["0.bias"]
    torch.testing.assert_close(swa.weights["1.running_mean"], x.mean(0), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("average", [lambda: EMA(0.9), lambda: SWA(start=1)])
def test_an_average_is_evaluated_and_never_fitted(average):
    made, evaluated, kept = average(), [], []
    look = on_end_validation(lambda state: evaluated.append(weights(state[MODEL])))
    end = on_end_epoch(lambda state: kept.append(weights(made_model)))
    made_model = network()
    averaged = trial(made, look, end, model=made_model)
    history = averaged.fit(DATA, epochs=3, validation=DATA)
    plain = trial()
    plain_history = plain.fit(DATA, epochs=3, validation=DATA)
    assert same(weights(averaged.model), weights(plain.model))
    assert [row["loss"] for row in history] == [row["loss"] for row in plain_history]
    assert history[-1]["validation_loss"] != plain_history[-1]["validation_loss"]
    assert not same(evaluated[-1], kept[-1])
    assert same(evaluated[-1], weights_of(made))


def weights_of(average):
    return {name: value.clone() for name, value in average.weights.items()}


@pytest.mark.parametrize(
    "average",
    [lambda: EMA(0.9), lambda: SWA(start=1), lambda: only_if(lambda state: state[STEP] < 5)(EMA(0.9))],
    ids=["ema", "swa", "guarded"],
)
def test_an_average_predicts_too_and_leaves_no_trace(average):
    made = average()
    fitted = trial(made)
    fitted.fit(DATA, epochs=3)
    own = weights(fitted.model)
    predicted = fitted.predict(DATA)
    assert same(weights(fitted.model), own)
    averaged = network().eval()
    getattr(made, "callback", made).write(averaged)
    x = DATA.tensors[0]
    with torch.no_grad():
        torch.testing.assert_close(predicted, averaged(x))
        assert not torch.allclose(predicted, fitted.model.eval()(x))


def test_of_two_averages_the_last_one_evaluates_and_both_give_the_weights_back():
    ema, swa, evaluated = EMA(0.9), SWA(start=1), []
    fitted = trial(ema, swa, on_step_validation(lambda state: evaluated.append(weights(state[MODEL]))))
    fitted.fit(DATA, epochs=3, validation=[torch.ones(4, 2)])
    plain = trial()
    plain.fit(DATA, epochs=3)
    assert same(evaluated[-1], weights_of(swa))
    for name, parameter in plain.model.named_parameters():
        assert torch.equal(parameter, dict(fitted.model.named_parameters())[name])


def test_a_prediction_within_an_evaluation_leaves_the_average_in_place():
    ema, evaluated = EMA(0.9), []
    fitted = trial(
        ema,
        on_step_validation(lambda state: fitted.predict(DATA)),
        on_step_validation(lambda state: evaluated.append((fitted.model.training, weights(state[MODEL])))),
    )
    fitted.fit(DATA, epochs=2, validation=DATA)
    training, seen = evaluated[-1]
    assert not training
    assert same(seen, weights_of(ema))


def test_an_evaluation_whose_error_a_callback_forgives_gives_the_weights_back():
    def forgiving(state):
        with suppress(RuntimeError):
            fitted.evaluate(DATA)

    fitted, plain = trial(EMA(0.5), on_step(forgiving), broken=True), trial()
    fitted.fit(DATA, epochs=2)
    plain.fit(DATA, epochs=2)
    assert same(weights(fitted.model), weights(plain.model))


def test_an_average_can_stay_out_of_evaluations_and_predictions():
    fitted, plain = trial(EMA(0.9, evaluate=False)), trial()
    assert fitted.fit(DATA, epochs=2, validation=DATA) == plain.fit(DATA, epochs=2, validation=DATA)
    assert torch.equal(fitted.predict(DATA), plain.predict(DATA))


def test_swap_gives_the_weights_back_even_after_an_error():
    ema = EMA(0.9)
    fitted = trial(ema)
    fitted.fit(DATA, epochs=2)
    own = weights(fitted.model)

    def use():
        with ema.swap(fitted.model):
            assert same(weights(fitted.model), weights_of(ema))
            raise KeyError

    with pytest.raises(KeyError):
        use()
    assert same(weights(fitted.model), own)
    ema.write(fitted.model)
    assert same(weights(fitted.model), weights_of(ema))


def test_swap_before_anything_was_gathered_leaves_the_model():
    model = network()
    own = weights(model)
    with EMA().swap(model):
        assert same(weights(model), own)
    assert same(weights(model), own)


def test_an_evaluation_that_fails_gives_the_weights_back():
    ema = EMA(0.9)
    fitted, plain = trial(ema, broken=True), trial()
    with pytest.raises(RuntimeError, match="broken"):
        fitted.fit(DATA, epochs=1, validation=DATA)
    plain.fit(DATA, epochs=1)
    for name, parameter in plain.model.named_parameters():
        assert torch.equal(parameter, dict(fitted.model.named_parameters())[name])


def test_an_average_of_another_model_is_refused():
    ema = EMA()
    trial(ema).fit(DATA, steps=1)
    with pytest.raises(InvalidData, match="another model"):
        trial(ema, model=nn.Linear(2, 1)).fit(DATA, steps=1)


def test_averages_refuse_what_they_cannot_do():
    with pytest.raises(InvalidOption):
        EMA(1.5)
    with pytest.raises(InvalidOption):
        SWA(0)
    with pytest.raises(InvalidOption, match="epoch_length"):
        trial(SWA(1)).fit(steps=1)


def test_an_average_is_saved_with_the_trial():
    first, second = EMA(0.9), EMA(0.9)
    one, two = trial(first), trial(second)
    one.fit(DATA, epochs=2)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    assert same(first.weights, second.weights)
    two.fit(DATA, epochs=3)
    assert second.count == 9
    assert first.count == 6
