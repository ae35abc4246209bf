"""A trial that is killed after any step and taken up again ends bit for bit as one that never was."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.swa_utils import SWALR

from unbraid.fit import Callback, Checkpoint, Runtime, Tensors, Trial, resume
from unbraid.fit.callbacks.average import EMA, SWA
from unbraid.fit.callbacks.freeze import Freeze
from unbraid.fit.callbacks.gradients import ClipGradients
from unbraid.fit.callbacks.init import LSUV, Init
from unbraid.fit.callbacks.penalty import L1, L2
from unbraid.fit.callbacks.rates import Cosine, OneCycle, Warmup
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.callbacks.stop import EarlyStopping
from unbraid.fit.decorators import add_to_loss, every, once_per_epoch, only_if
from unbraid.fit.state import STEP, Y_PRED, X

EPOCHS, BATCHES = 4, 3
DATA = Tensors(torch.randn(11, 4, generator=torch.Generator().manual_seed(0)), batch_size=4)
SEEN = Tensors(torch.randn(8, 4, generator=torch.Generator().manual_seed(1)), batch_size=4)

SCHEDULERS = {
    "none": None,
    "lambda": lambda o: torch_schedulers.LambdaLR(o, lambda t: 1 / (1 + t)),
    "multiplicative": lambda o: torch_schedulers.MultiplicativeLR(o, lambda t: 0.9),
    "steps": lambda o: torch_schedulers.StepLR(o, 2),
    "milestones": lambda o: torch_schedulers.MultiStepLR(o, [1, 3]),
    "constant": lambda o: torch_schedulers.ConstantLR(o, 0.5, 3),
    "linear": lambda o: torch_schedulers.LinearLR(o, 0.1, total_iters=4),
    "exponential": lambda o: torch_schedulers.ExponentialLR(o, 0.8),
    "polynomial": lambda o: torch_schedulers.PolynomialLR(o, 6, 2.0),
    "annealing": lambda o: torch_schedulers.CosineAnnealingLR(o, 5),
    "restarts": lambda o: torch_schedulers.CosineAnnealingWarmRestarts(o, 3),
    "cyclic": lambda o: torch_schedulers.CyclicLR(o, 0.01, 0.1, step_size_up=2, cycle_momentum=False),
    "one cycle of torch": lambda o: torch_schedulers.OneCycleLR(o, 0.1, total_steps=40),
    "sequence": lambda o: torch_schedulers.SequentialLR(
        o, [torch_schedulers.ConstantLR(o, 0.1, 2), torch_schedulers.ExponentialLR(o, 0.5)], [2]
    ),
    "chain": lambda o: torch_schedulers.ChainedScheduler(
        [torch_schedulers.LinearLR(o, 0.2, total_iters=3), torch_schedulers.ExponentialLR(o, 0.9)]
    ),
    "swa": lambda o: SWALR(o, 0.02, anneal_epochs=3),
}
RATES = {
    "warm-up": lambda: Warmup(5),
    "cosine": lambda: Cosine(warmup=2),
    "one cycle": lambda: OneCycle(0.1),
    "plateau": lambda: Schedule(
        torch_schedulers.ReduceLROnPlateau, monitor="validation_loss", patience=0, threshold=0.5, factor=0.5
    ),
}
OTHERS = {
    "ema": lambda: EMA(0.8),
    "swa": lambda: SWA(start=2),
    "stopping": lambda: EarlyStopping(patience=2, min_delta=10),
    "clip": lambda: ClipGradients(0.1),
    "l1": lambda: L1(0.01),
    "l2": lambda: L2(0.01),
    "freeze": lambda: Freeze("0", until=5),
    "init": lambda: Init("orthogonal"),
    "lsuv": lambda: LSUV(),
    "every": lambda: add_to_loss(every(4)(lambda state: 0.5)),
    "epochly": lambda: once_per_epoch(add_to_loss(lambda state: torch.rand(()) * state[Y_PRED].abs().mean())),
    "late ema": lambda: only_if(lambda state: state[STEP] > 4)(EMA(0.5)),
}


class Kill(Callback):
    """Saves the trial as a file would hold it, and kills it."""

    def __init__(self, at):
        self.at, self.file = at, io.BytesIO()

    def bind(self, trial):
        self.trial = trial

    def on_step(self, state):
        if state[STEP] == self.at:
            torch.save(self.trial.state_dict(), self.file)
            raise KeyboardInterrupt


def trial(callbacks, *, seed=0, optimizer="sgd", accumulate=1, precision="float32"):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.2), nn.Linear(6, 2))
    made = {
        "sgd": lambda: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        "adam": lambda: torch.optim.Adam(model.parameters(), lr=0.01),
    }[optimizer]()
    return Trial(
        model,
        made,
        criterion=lambda state: (state[Y_PRED].float() - 1).square().mean(),
        callbacks=callbacks,
        accumulate=accumulate,
        runtime=Runtime("cpu", precision=precision),
    )


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def killed_and_resumed(make, at, **options):
    """What a trial is worth that was killed after step ``at``, and one that was not."""
    torch.manual_seed(5)
    whole = trial(make(), **options)
    whole.fit(DATA, epochs=EPOCHS, validation=SEEN)
    kill = Kill(at)
    torch.manual_seed(5)
    first = trial([*make(), kill], **options)
    try:
        first.fit(DATA, epochs=EPOCHS, validation=SEEN)
    except KeyboardInterrupt:
        second = trial(make(), **{**options, "seed": 99})
        kill.file.seek(0)
        second.load_state_dict(torch.load(kill.file, weights_only=True))
        second.fit(DATA, epochs=EPOCHS, validation=SEEN)
    else:
        second = first  # it ended by itself before the step
    ended = [whole.state_dict(), second.state_dict()]
    for saved in ended:
        saved["callbacks"].pop("Kill.1", None)
    return ended


@pytest.mark.parametrize("on", ["step", "epoch"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_resumption_is_exact_with_every_scheduler(name, on):
    builder = SCHEDULERS[name]
    whole, parts = killed_and_resumed(lambda: [Schedule(builder, on)] if builder else [], 7)
    assert same(whole, parts)


@pytest.mark.parametrize("name", [*RATES, *OTHERS])
@pytest.mark.parametrize("at", [1, 6, 8])
def test_resumption_is_exact_with_every_callback(name, at):
    whole, parts = killed_and_resumed(lambda: [{**RATES, **OTHERS}[name]()], at)
    assert same(whole, parts)


@given(
    scheduler=st.sampled_from(sorted(SCHEDULERS)),
    on=st.sampled_from(["step", "epoch"]),
    others=st.lists(st.sampled_from(sorted({**RATES, **OTHERS})), unique=True, max_size=4),
    optimizer=st.sampled_from(["sgd", "adam"]),
    accumulate=st.sampled_from([1, 2]),
    precision=st.sampled_from(["float32", "bfloat16"]),
    data=st.data(),
)
def test_resumption_is_exact_with_any_combination(scheduler, on, others, optimizer, accumulate, precision, data):
    def make():
        builder = SCHEDULERS[scheduler]
        return [*([Schedule(builder, on)] if builder else []), *({**RATES, **OTHERS}[name]() for name in others)]

    at = data.draw(st.integers(1, EPOCHS * -(-BATCHES // accumulate) - 1))
    whole, parts = killed_and_resumed(make, at, optimizer=optimizer, accumulate=accumulate, precision=precision)
    assert same(whole, parts)


class Two(nn.Module):
    """Two players that see each other."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(3, 1)

    def players(self):
        return {"a": self.a.parameters(), "b": self.b.parameters()}

    def loss(self, batch, step, player):
        y = self.b(torch.dropout(self.a(batch), 0.2, self.training))
        return (y - 1).square().mean() if player == "a" else (y + 1).square().mean()


@pytest.mark.parametrize("at", [2, 6, 11])
def test_resumption_is_exact_with_a_schedule_for_each_of_two_players(at):
    def made(seed, *more):
        torch.manual_seed(seed)
        a = Schedule(torch_schedulers.ExponentialLR, "step", player="a", gamma=0.9)
        b = Schedule(
            torch_schedulers.ReduceLROnPlateau, monitor="validation_loss", player="b", patience=0, threshold=0.5
        )
        return Trial(Two(), callbacks=[a, b, Warmup(3, player="b"), EMA(0.9), ClipGradients(0.1, player="b"), *more])

    whole, kill = made(0), Kill(at)
    whole.fit(DATA, epochs=EPOCHS, validation=SEEN)
    with pytest.raises(KeyboardInterrupt):
        made(0, kill).fit(DATA, epochs=EPOCHS, validation=SEEN)
    kill.file.seek(0)
    second = made(99)
    second.load_state_dict(torch.load(kill.file, weights_only=True))
    second.fit(DATA, epochs=EPOCHS, validation=SEEN)
    assert same(whole.state_dict(), second.state_dict())


class Dying(Callback):
    """Ends the process at the nth call of a hook, wherever in a window, a player's turn or an evaluation that is."""

    def __init__(self, name, nth):
        self.left = nth
        setattr(self, name, self.count)

    def count(self, state):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5),
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3, history_size=2),
}
MOMENTS = [
    *("on_start_epoch", "on_sample", "on_criterion", "on_backward", "on_step", "on_record", "on_end_epoch"),
    *("on_start_validation", "on_step_validation", "on_end_validation"),
]
CASES = st.fixed_dictionaries(
    {
        "scheduler": st.sampled_from(sorted(SCHEDULERS)),
        "on": st.sampled_from(["step", "epoch"]),
        "others": st.lists(st.sampled_from(sorted({**RATES, **OTHERS})), unique=True, max_size=4),
        "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
        "two": st.booleans(),
        "accumulate": st.sampled_from([1, 2, 3]),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "record_every": st.sampled_from([None, 2]),
        "saves": st.integers(1, 4),
    }
)


def case_trial(case, folder, seed, *more):
    builder = SCHEDULERS[case["scheduler"]]
    if case["optimizer"] == "lbfgs" and case["scheduler"] == "one cycle of torch":
        builder = None  # it wants a momentum
    callbacks = [Schedule(builder, case["on"])] if builder else []
    # These two know the layers and the output of a single model.
    others = [name for name in case["others"] if not (case["two"] and name in ("epochly", "freeze"))]
    callbacks += [{**RATES, **OTHERS}[name]() for name in others]
    saving = Checkpoint(folder / "checkpoint.pt", seconds=None, steps=case["saves"])
    torch.manual_seed(seed)
    if case["two"]:
        model, criterion = Two(), None
    else:
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.2), nn.Linear(6, 2))
        criterion = lambda state: (state[Y_PRED].float() - 1).square().mean()  # noqa: E731
    return Trial(
        model,
        OPTIMIZERS[case["optimizer"]],
        criterion,
        metrics=["lr", "grad_norm"],
        callbacks=[*callbacks, *more, saving],
        accumulate=case["accumulate"],
        runtime=Runtime("cpu", precision=case["precision"]),
    )


def case_ends(case, trial):
    trial.fit(DATA, epochs=EPOCHS, validation=SEEN, record_every=case["record_every"])
    saved = trial.state_dict()
    saved["callbacks"].pop("Dying.1", None)
    return saved


@settings(max_examples=30)
@given(case=CASES, deaths=st.lists(st.tuples(st.sampled_from(MOMENTS), st.integers(1, 14)), min_size=1, max_size=2))
def test_resumption_is_exact_wherever_a_trial_dies(case, deaths):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        expected = case_ends(case, case_trial(case, Path(one), 0))
        for death in (*deaths, None):
            started = (Path(other) / "checkpoint.pt").exists()
            trial = case_trial(case, Path(other), 99 if started else 0, *([Dying(*death)] if death else []))
            assert resume(trial, Path(other) / "checkpoint.pt") is None
            try:
                found = case_ends(case, trial)
            except KeyboardInterrupt:
                continue
        assert same(expected, found)


def test_every_scheduler_of_torch_is_taken_up():
    sgd = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
    made = {type(builder(sgd)) for builder in SCHEDULERS.values() if builder}
    every = {
        one
        for name, one in vars(torch_schedulers).items()
        if isinstance(one, type) and issubclass(one, torch_schedulers.LRScheduler) and not name.startswith("_")
    }
    # The first is what all are made of; the second is the "plateau" among the rates.
    assert every - made == {torch_schedulers.LRScheduler, torch_schedulers.ReduceLROnPlateau}


@pytest.mark.parametrize("order", [1, -1])
def test_a_checkpoint_holds_what_every_callback_has_done_in_its_step(tmp_path, order):
    def made(seed, *more):
        torch.manual_seed(seed)
        callbacks = [
            Checkpoint(tmp_path / "checkpoint.pt", steps=5),
            EMA(0.8),
            Schedule(SCHEDULERS["exponential"], "step"),
        ]
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        closure = lambda state: model(state[X]).square().mean()  # noqa: E731
        return Trial(model, optimizer, closure=closure, callbacks=[*callbacks[::order], *more])

    whole = made(0)
    whole.fit(DATA, steps=9)
    second = made(99)
    resume(second, tmp_path / "checkpoint.pt")
    second.fit(DATA, steps=9)
    assert same(whole.state_dict(), second.state_dict())


def test_the_comparison_sees_a_callback_that_forgets():
    class Forgetful(EMA):
        def state_dict(self):
            return {"weights": {}, "count": 0}

    whole, parts = killed_and_resumed(lambda: [Forgetful(0.8)], 6)
    assert not same(whole["history"], parts["history"])
