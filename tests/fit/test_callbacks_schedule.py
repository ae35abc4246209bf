"""Learning rates: every scheduler of torch as torch itself would run it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.swa_utils import SWALR

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit import Tensors, Trial
from unbraid.fit.callbacks.rates import Cosine, OneCycle, Warmup
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.decorators import on_backward, on_record
from unbraid.fit.state import METRICS, OPTIMIZERS, PLAYER, X

DATA = Tensors(torch.ones(12, 2), batch_size=4)  # three steps an epoch

BUILDERS = {
    "LambdaLR": lambda o: torch_schedulers.LambdaLR(o, lambda t: 1 / (1 + t)),
    "MultiplicativeLR": lambda o: torch_schedulers.MultiplicativeLR(o, lambda t: 0.9),
    "StepLR": lambda o: torch_schedulers.StepLR(o, 2),
    "MultiStepLR": lambda o: torch_schedulers.MultiStepLR(o, [1, 3]),
    "ConstantLR": lambda o: torch_schedulers.ConstantLR(o, 0.5, 3),
    "LinearLR": lambda o: torch_schedulers.LinearLR(o, 0.1, total_iters=4),
    "ExponentialLR": lambda o: torch_schedulers.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o: torch_schedulers.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda o: torch_schedulers.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: torch_schedulers.CosineAnnealingWarmRestarts(o, 3),
    "CyclicLR": lambda o: torch_schedulers.CyclicLR(o, 0.01, 0.1, step_size_up=2),
    "OneCycleLR": lambda o: torch_schedulers.OneCycleLR(o, 0.5, total_steps=40),
    "SequentialLR": lambda o: torch_schedulers.SequentialLR(
        o, [torch_schedulers.ConstantLR(o, 0.1, 2), torch_schedulers.ExponentialLR(o, 0.5)], [2]
    ),
    "ChainedScheduler": lambda o: torch_schedulers.ChainedScheduler(
        [torch_schedulers.LinearLR(o, 0.2, total_iters=3), torch_schedulers.ExponentialLR(o, 0.9)]
    ),
    "SWALR": lambda o: SWALR(o, 0.02, anneal_epochs=3),
}


def trial(*callbacks, lr=0.1, momentum=0.9):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    return Trial(model, optimizer, closure=lambda state: model(state[X]).square().mean(), callbacks=callbacks)


def watch(rates, player="model"):
    """The rate with which each step is made."""
    return on_backward(
        lambda state: rates.append(state[OPTIMIZERS][player].param_groups[0]["lr"]) if state[PLAYER] == player else None
    )


def reference(builder, steps, lr=0.1):
    """The rates of a bare loop: the optimiser's step, then the scheduler's."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=lr, momentum=0.9)
    scheduler, rates = builder(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("name", BUILDERS)
def test_every_scheduler_runs_by_the_step_as_in_a_bare_loop(name):
    rates = []
    trial(Schedule(BUILDERS[name], "step"), watch(rates)).fit(DATA, steps=8)
    assert rates == reference(BUILDERS[name], 8)
    assert len(set(rates)) > 1


@pytest.mark.parametrize("name", BUILDERS)
def test_every_scheduler_runs_by_the_epoch_as_in_a_bare_loop(name):
    rates = []
    trial(Schedule(BUILDERS[name]), watch(rates)).fit(DATA, epochs=4)
    assert rates == [rate for rate in reference(BUILDERS[name], 4) for _ in range(3)]


def test_all_schedulers_of_torch_are_tried():
    known = {
        n
        for n, s in vars(torch_schedulers).items()
        if isinstance(s, type) and issubclass(s, torch_schedulers.LRScheduler)
    }
    assert known - {"LRScheduler", "_LRScheduler"} <= {*BUILDERS, "ReduceLROnPlateau"}


def test_a_builder_may_be_a_class_with_options():
    rates = []
    trial(Schedule(torch_schedulers.StepLR, "step", step_size=1, gamma=0.5), watch(rates)).fit(DATA, steps=3)
    assert rates == pytest.approx([0.1, 0.05, 0.025])


def test_d2_reduce_on_plateau_follows_its_quantity():
    rates, values = [], iter([5.0, 4.0, 4.0, 4.0, 4.0, 1.0])
    plateau = Schedule(torch_schedulers.ReduceLROnPlateau, monitor="score", patience=1, factor=0.5)
    trial(on_record(lambda state: state[METRICS].update(score=next(values))), plateau, watch(rates)).fit(DATA, epochs=6)
    assert rates[::3] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.05, 0.05])


def test_d11_no_scheduler_takes_a_quantity_for_the_number_of_an_epoch():
    cyclic = lambda o: torch_schedulers.CyclicLR(o, 0.01, 0.1, step_size_up=2)  # noqa: E731
    rates = []
    trial(Schedule(cyclic, "step"), watch(rates)).fit(DATA, steps=4)
    assert rates == pytest.approx([0.01, 0.055, 0.1, 0.055])
    with pytest.raises(InvalidOption, match="follows no quantity"):
        trial(Schedule(cyclic, monitor="loss")).fit(DATA, steps=1)


def test_a_plateau_without_a_quantity_is_refused():
    with pytest.raises(InvalidOption, match="give monitor"):
        trial(Schedule(torch_schedulers.ReduceLROnPlateau)).fit(DATA, epochs=1)
    with pytest.raises(InvalidOption, match="once a record"):
        Schedule(torch_schedulers.ReduceLROnPlateau, "step", monitor="loss")


def test_epochs_that_never_come_are_refused():
    with pytest.raises(InvalidOption, match="on='step'"):
        Trial(
            nn.Linear(1, 1), closure=lambda state: state[OPTIMIZERS]["model"], callbacks=[Schedule(BUILDERS["StepLR"])]
        ).fit(steps=3)


class Two(nn.Module):
    """Two players that never meet."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 1), nn.Linear(2, 1)

    def players(self):
        return {"a": self.a.parameters(), "b": self.b.parameters()}

    def loss(self, batch, step, player):
        return getattr(self, player)(batch).square().mean()


def test_a_schedule_can_be_one_players_alone():
    first, second = [], []
    halving = Schedule(torch_schedulers.ExponentialLR, "step", player="a", gamma=0.5)
    callbacks = [halving, watch(first, "a"), watch(second, "b")]
    Trial(Two(), lambda p: torch.optim.SGD(p, lr=1.0), callbacks=callbacks).fit(DATA, steps=3)
    assert first == [1.0, 0.5, 0.25]
    assert second == [1.0, 1.0, 1.0]
    with pytest.raises(UnknownName, match="player"):
        Trial(Two(), callbacks=[Schedule(torch_schedulers.ExponentialLR, player="c", gamma=0.5)]).fit(DATA, epochs=1)


def test_a_schedule_goes_on_over_several_fits_of_one_trial():
    rates = []
    fitted = trial(Schedule(torch_schedulers.ExponentialLR, "step", gamma=0.5), watch(rates), lr=1.0)
    fitted.fit(DATA, steps=2)
    fitted.fit(DATA, steps=4)
    assert rates == [1.0, 0.5, 0.25, 0.125]


def test_a_schedule_begins_anew_with_another_trial():
    rates = []
    schedule = Schedule(torch_schedulers.ExponentialLR, "step", gamma=0.5)
    for _ in range(2):
        trial(schedule, watch(rates), lr=1.0).fit(DATA, steps=2)
    assert rates == [1.0, 0.5, 1.0, 0.5]


def test_warm_up_grows_linearly_and_multiplies_another_schedule():
    alone, beside = [], []
    trial(Warmup(4), watch(alone), lr=1.0).fit(DATA, steps=6)
    assert alone == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    halving = Schedule(torch_schedulers.ExponentialLR, "step", gamma=0.5)
    trial(Warmup(4), halving, watch(beside), lr=1.0).fit(DATA, steps=6)
    assert beside == pytest.approx([rate * 0.5**step for step, rate in enumerate(alone)])


def test_warm_up_of_one_step_changes_nothing():
    rates = []
    trial(Warmup(1), watch(rates)).fit(DATA, steps=3)
    assert rates == pytest.approx([0.1, 0.1, 0.1])


def test_cosine_falls_over_the_whole_trial_after_its_warm_up():
    rates = []
    trial(Cosine(warmup=2, floor=0.1), watch(rates), lr=1.0).fit(DATA, epochs=3)
    fall = [0.1 + 0.9 * (1 + math.cos(math.pi * t / 7)) / 2 for t in range(7)]
    assert rates == pytest.approx([0.5, 1.0, *fall])


@pytest.mark.parametrize("schedule", [lambda: Cosine(), lambda: OneCycle(0.1)])
def test_a_schedule_as_long_as_the_trial_counts_steps_not_batches(schedule):
    schedule = schedule()
    model = nn.Linear(2, 1)
    Trial(model, closure=lambda state: model(state[X]).mean(), callbacks=[schedule], accumulate=2).fit(DATA, epochs=5)
    assert schedule.total == 10


def test_cosine_stays_at_its_floor_after_its_end():
    rates = []
    trial(Cosine(2, floor=0.25), watch(rates), lr=1.0).fit(DATA, steps=5)
    assert rates[2:] == pytest.approx([0.25, 0.25, 0.25])


@pytest.mark.parametrize("wrong", [{"warmup": -1}, {"floor": 2.0}, {"steps": 0}])
def test_cosine_refuses_what_it_cannot_do(wrong):
    with pytest.raises(InvalidOption):
        Cosine(**wrong)


def test_one_cycle_is_that_of_torch_and_stays_at_its_end():
    rates = []
    trial(OneCycle(0.5, 10), watch(rates)).fit(DATA, steps=14)
    expected = reference(lambda o: torch_schedulers.OneCycleLR(o, 0.5, total_steps=10), 10)
    assert rates == expected + expected[-1:] * 4


def test_one_cycle_gives_no_momentum_to_an_optimiser_without():
    fitted = trial(OneCycle(0.5), momentum=0.0)
    fitted.fit(DATA, steps=6)
    assert fitted.state[OPTIMIZERS]["model"].param_groups[0]["momentum"] == 0.0
