"""Metrics at work: in a trial, through an evaluation, a kill and a resumption, in two processes, with torchmetrics."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from unbraid import fit
from unbraid.errors import InvalidOption
from unbraid.fit.metric import as_metric, named
from unbraid.fit.state import COUNT, CRITERION, EPOCH, LOSS, OPTIMIZERS, STEP, Y_PRED, Y_TRUE, Key, State
from unbraid.fit.state import X as INPUT

X, Y = torch.randn(22, 4, generator=torch.Generator().manual_seed(1)), torch.arange(22) % 3
DATA = [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 22, 5)]
EVERYTHING = ["loss", "acc", "top_2_acc", "f1", "auc", "running_acc", "epoch", "lr", "grad_norm"]
MINE: Key[Tensor] = Key("mine")


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def trial(*, metrics, callbacks=(), optimizer=sgd, **options) -> fit.Trial:
    torch.manual_seed(3)
    return fit.Trial(nn.Linear(4, 3), optimizer, nn.CrossEntropyLoss(), metrics=metrics, callbacks=callbacks, **options)


def test_a_history_holds_every_metric_once():
    history = trial(metrics=EVERYTHING).fit(DATA, epochs=2, validation=DATA[:2])
    for row in history:
        assert set(row) >= {"loss", "acc", "top_2_acc", "f1", "auc", "running_acc", "epoch", "lr", "grad_norm"}
        assert set(row) >= {f"validation_{name}" for name in ("loss", "acc", "top_2_acc", "f1", "auc", "running_acc")}
        # What an evaluation cannot change is no part of it.
        assert not {"validation_epoch", "validation_lr", "validation_grad_norm"} & set(row)
        assert row["running_acc"] == row["acc"]
    assert [row["epoch"] for row in history] == [1, 2]


def test_values_are_those_of_a_plain_computation():
    fitted = trial(metrics=["acc", "auc"])
    fitted.fit(DATA, epochs=1)
    values = fitted.evaluate(DATA)
    with torch.no_grad():
        y_pred = fitted.model(X)
    assert values["acc"] == (y_pred.argmax(1) == Y).double().mean().item()
    assert values["loss"] == pytest.approx(nn.functional.cross_entropy(y_pred, Y).item(), rel=1e-6)


def test_keys_functions_and_decorated_functions_are_metrics():
    @fit.hook("on_forward")
    def write(state: State) -> None:
        state[MINE] = state[Y_PRED].detach() * 0 + state[STEP]

    def size(state: State) -> int:
        return state[COUNT]

    history = trial(metrics=[MINE, size, fit.std(fit.metric(lengths))], callbacks=[write]).fit(DATA, epochs=1)
    assert history[0]["mine"] == pytest.approx((0 * 5 + 1 * 5 + 2 * 5 + 3 * 5 + 4 * 2) / 22)
    assert history[0]["size"] == pytest.approx((4 * 25 + 4) / 22)
    assert history[0]["lengths_std"] == pytest.approx(torch.cat([x for x, _ in DATA]).norm(dim=1).std().item())


def lengths(state: State) -> Tensor:
    return state[INPUT].norm(dim=1)


def test_the_learning_rate_is_that_of_the_moment():
    @fit.hook("on_start_epoch")
    def change(state: State) -> None:
        state[OPTIMIZERS]["model"].param_groups[0]["lr"] = 0.5 ** state[EPOCH]

    assert [row["lr"] for row in trial(metrics=["lr"], callbacks=[change]).fit(DATA, epochs=3)] == [1.0, 0.5, 0.25]


def test_every_group_and_player_has_its_learning_rate():
    def groups(parameters):
        weight, bias = parameters
        return torch.optim.SGD([{"params": [weight], "lr": 0.2}, {"params": [bias], "lr": 0.4}])

    row = trial(metrics=["lr"], optimizer=groups).fit(DATA, epochs=1)[0]
    assert (row["lr_0"], row["lr_1"]) == (0.2, 0.4)
    row = fit.Trial(Two(), metrics=["lr", "grad_norm"]).fit([torch.ones(2)], epochs=1)[0]
    assert (row["lr_a"], row["lr_b"]) == (1e-3, 1e-3)
    assert (row["grad_norm_a"], row["grad_norm_b"]) == (pytest.approx(2.0), pytest.approx(6.0))


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def players(self):
        return {"a": [self.a], "b": [self.b]}

    def loss(self, batch, step, player):
        return 2 * self.a.sum() if player == "a" else 6 * self.b.sum()


def test_the_gradient_norm_is_the_one_before_clipping():
    norms = []

    @fit.hook("on_backward")
    def clip(state: State) -> None:
        parameters = state[OPTIMIZERS]["model"].param_groups[0]["params"]
        norms.append(nn.utils.clip_grad_norm_(parameters, 1e-3).item())

    row = trial(metrics=["grad_norm"], callbacks=[clip], accumulate=2).fit(DATA, epochs=1)[0]
    assert len(norms) == 3
    assert row["grad_norm"] == pytest.approx(sum(norms) / 3)


def test_time_is_counted_from_record_to_record_without_the_evaluation(monkeypatch):
    now = [5.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    @fit.hook("on_step")
    def slow(state: State) -> None:
        now[0] += 1 / 64

    @fit.hook("on_step_validation")
    def slower(state: State) -> None:
        now[0] += 1 / 8

    history = trial(metrics=["time"], callbacks=[slow, slower]).fit(DATA, epochs=2, validation=DATA[:2])
    assert 0.05 <= history[1]["time"] < 0.2 <= history[1]["validation_time"]
    watch = named("time")
    watch.load_state_dict({"seconds": 100.0, "began": True})
    assert watch.compute()["time"] == pytest.approx(100, abs=1)
    watch.reset()
    assert watch.compute() == {}


def test_a_metric_that_fails_says_which_and_when():
    def broken(state: State) -> float:
        return 1 / (1 - state[STEP])

    with pytest.raises(ZeroDivisionError) as caught:
        trial(metrics=[broken]).fit(DATA, epochs=1)
    assert "raised in the metric 'broken', epoch 0, step 1" in caught.value.__notes__


def test_acc_without_outputs_says_what_to_do():
    with pytest.raises(InvalidOption, match="'y_pred', which the state does not hold"):
        fit.Trial(Two(), metrics=["acc"]).fit([torch.ones(2)], epochs=1)


@pytest.mark.parametrize("stop", [2, 5, 7])
def test_a_killed_trial_reports_what_an_unbroken_one_does(tmp_path, stop):
    metrics = [*EVERYTHING, fit.std(fit.running_mean(batches=3)(LOSS)), fit.ByClass("recall")]
    expected = trial(metrics=metrics).fit(DATA, epochs=3, validation=DATA[:2])

    @fit.hook("on_step")
    def kill(state: State) -> None:
        if state[STEP] == stop:
            raise RuntimeError("killed")

    def made(*callbacks):
        aggregates = fit.std(fit.running_mean(batches=3)(LOSS))
        save = fit.Checkpoint(tmp_path / "trial.pt", seconds=None, steps=1)
        return trial(metrics=[*EVERYTHING, aggregates, fit.ByClass("recall")], callbacks=[save, *callbacks])

    with pytest.raises(RuntimeError, match="killed"):
        made(kill).fit(DATA, epochs=3, validation=DATA[:2])
    resumed = made()
    assert fit.resume(resumed, tmp_path / "trial.pt") is None
    assert str(resumed.fit(DATA, epochs=3, validation=DATA[:2])) == str(expected)


def test_an_evaluation_in_mid_epoch_changes_no_metric():
    def history(*callbacks):
        return trial(metrics=[*EVERYTHING, fit.ByClass()], callbacks=callbacks).fit(DATA, epochs=2)

    class Evaluate(fit.Callback):
        def bind(self, trial):
            self.trial = trial

        def on_step(self, state):
            if state[STEP] == 3:
                self.trial.evaluate(DATA)

    assert str(history(Evaluate())) == str(history())


def test_a_confusion_matrix_is_there_for_a_callback_at_the_record():
    confusion, seen = fit.Confusion(), []

    @fit.hook("on_record")
    def look(state: State) -> None:
        seen.append(confusion.last)

    trial(metrics=[confusion], callbacks=[look]).fit(DATA, epochs=2)
    assert [matrix.sum().item() for matrix in seen] == [22, 22]
    assert seen[0].sum(1).tolist() == Y.bincount().tolist()


class StandIn(nn.Module):
    """What torchmetrics has: update, compute, reset."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(()))

    def update(self, y_pred: Tensor, y_true: Tensor) -> None:
        assert not y_pred.requires_grad
        self.total += y_true.sum()

    def compute(self) -> dict[str, Tensor]:
        return {"sum": self.total, "both": torch.stack([self.total, -self.total])}

    def reset(self) -> None:
        self.total.zero_()


def test_a_module_that_updates_computes_and_resets_is_a_metric():
    history = trial(metrics=[StandIn()]).fit(DATA, epochs=2, validation=DATA[:1])
    assert [row["sum"] for row in history] == [Y.sum().item()] * 2
    assert history[1]["both_1"] == -Y.sum().item()
    assert history[1]["validation_sum"] == Y[:5].sum().item()


def batch(i: int) -> State:
    y_pred = torch.randn(5, 3, generator=torch.Generator().manual_seed(i))
    return State({Y_PRED: y_pred, Y_TRUE: DATA[i][1], LOSS: y_pred.mean(), CRITERION: None, COUNT: 5})


def test_torchmetrics_are_taken_as_they_are():
    tm = pytest.importorskip("torchmetrics")
    options = {"task": "multiclass", "num_classes": 3}
    mine = [
        tm.Accuracy(**options, average="micro"),
        fit.TorchMetric(tm.MeanMetric(), inputs=[LOSS], name="mean_loss"),
        tm.MetricCollection({"f1": tm.F1Score(**options, average="macro"), "area": tm.AUROC(**options)}),
        fit.TorchMetric(tm.Recall(**options, average="none"), name="their_recall"),
    ]
    history = trial(metrics=["acc", fit.Averaged(name="our_f1"), "auc", fit.ByClass("recall"), *mine]).fit(
        DATA, epochs=2, validation=DATA[:3]
    )
    for row in history:
        assert row["multiclass_accuracy"] == pytest.approx(row["acc"])
        assert row["f1"] == pytest.approx(row["our_f1"])
        assert row["area"] == pytest.approx(row["auc"])
        assert row["validation_area"] == pytest.approx(row["validation_auc"])
        assert not math.isnan(row["mean_loss"])
        for i in range(3):
            assert row[f"recall_{i}"] == pytest.approx(row[f"their_recall_{i}"])
    assert "validation_recall_2" in history[0]


@pytest.mark.parametrize("kind", ["tensors", "lists", "collection", "shared"])
def test_torchmetrics_go_on_where_they_were(kind):
    tm = pytest.importorskip("torchmetrics")
    options = {"task": "multiclass", "num_classes": 3, "average": "macro"}
    errors = {"mse": tm.MeanSquaredError, "rmse": lambda: tm.MeanSquaredError(squared=False)}
    make = {
        "tensors": lambda: tm.F1Score(**options),
        "lists": lambda: tm.AUROC(**options),
        "collection": lambda: tm.MetricCollection([tm.F1Score(**options), tm.Recall(**options), tm.AUROC(**options)]),
        "shared": lambda: fit.TorchMetric(
            tm.MetricCollection({name: made() for name, made in errors.items()}),
            inputs=(Y_PRED, lambda state: state[Y_PRED].round()),
        ),
    }[kind]
    whole, half, other = as_metric(make()), as_metric(make()), as_metric(make())
    assert half.compute() == {}
    for i in (0, 1, 2, 3):
        whole.update(batch(i))
    for i in (0, 1):
        half.update(batch(i))
    saved = half.state_dict()  # before anything was computed
    values = half.compute()
    half.update(batch(2))
    other.update(batch(3))
    assert other.compute() != values
    other.load_state_dict(saved)
    assert other.compute() == values  # and not what it had computed before
    half.reset()
    assert half.compute() == {}
    half.load_state_dict(saved)
    for metric in (half, other):
        metric.update(batch(2))
        metric.update(batch(3))
        assert metric.compute() == whole.compute() != values


TWO = """
import os, sys, torch
import torch.distributed as dist
from unbraid import fit
from unbraid.fit.metric import named, reduce
from unbraid.fit.state import COUNT, CRITERION, LOSS, Y_PRED, Y_TRUE, State

other = os.fork()  # when all is loaded
rank = int(other == 0)
dist.init_process_group("gloo", init_method=f"file://{sys.argv[1]}", rank=rank, world_size=2)

def gather(mine):
    everywhere = [None] * dist.get_world_size()
    dist.all_gather_object(everywhere, mine)
    return everywhere

torch.manual_seed(0)
y_pred, y_true = torch.randn(20, 3), torch.randint(3, (20,))

def values(parts, gather):
    metrics = [named(name) for name in ("loss", "acc", "f1", "auc")] + [fit.std(fit.mean(Y_PRED)), fit.ByClass()]
    for rows in parts:
        state = State({Y_PRED: y_pred[rows], Y_TRUE: y_true[rows], COUNT: len(rows), CRITERION: None})
        state[LOSS] = state[Y_PRED].mean()
        for metric in metrics:
            metric.update(state)
    reduce(metrics, gather)
    return {name: value for metric in metrics for name, value in metric.compute().items()}

rows = torch.arange(20).split([8, 7, 5])
alone = values(rows, lambda mine: [mine])
together = values([rows[0], rows[1]] if rank == 0 else [rows[2]], gather)
assert alone.keys() == together.keys() and len(alone) > 10
for name in alone:
    assert abs(alone[name] - together[name]) < 1e-12, (name, alone[name], together[name])
assert rank == 1 or os.waitpid(other, 0)[1] == 0, "the other process failed"
"""


@pytest.mark.slow
def test_two_processes_say_what_one_would(tmp_path):
    words = [sys.executable, "-c", TWO, str(tmp_path / "meet")]
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        (["acc", "acc"], "two metrics both report 'acc'"),
        (["acc", fit.CategoricalAccuracy("acc", target=lambda state: state[Y_PRED].argmin(1))], "report 'acc'"),
        ([fit.Mean("size", lambda state: 1.0), fit.Whole("size", lambda y, t: 2.0)], "two metrics both report 'size'"),
        ([fit.Mean("step", lambda state: 1.0)], "'step' stands in every row"),
        ([fit.Mean("epoch", lambda state: 1.0)], "'epoch' stands in every row"),
        ([fit.Mean("near", lambda state: 1.0)], "a term of the loss is called 'near', and so is a metric"),
    ],
)
def test_no_metric_hides_another_of_the_same_name(metrics, sentence):
    model = nn.Linear(4, 3)

    def criterion(state):
        return {"near": nn.functional.cross_entropy(state[Y_PRED], state[Y_TRUE])}

    for use in ("fit", "evaluate"):
        made = fit.Trial(model, criterion=criterion, metrics=metrics)
        with pytest.raises(InvalidOption, match=sentence):
            made.fit(DATA, epochs=1) if use == "fit" else made.evaluate(DATA)


def test_a_short_hand_that_stands_for_another_metric_is_named_with_it():
    made = fit.Trial(nn.Linear(2, 1), criterion=nn.MSELoss(), metrics=["acc", "mse"])
    with pytest.raises(InvalidOption, match="the metrics 'acc' and 'mse' both report 'mse'"):
        made.evaluate([(torch.ones(2, 2), torch.ones(2, 1))])


def test_a_single_term_may_be_called_loss_but_not_one_of_several():
    def made(**more):
        model = nn.Linear(4, 1)
        return fit.Trial(model, closure=lambda state: {"loss": model(state[INPUT]).square().mean(), **more})

    inputs = [batch[0] for batch in DATA]
    history = made().fit(inputs, epochs=1)
    assert set(history[0]) == {"step", "epoch", "loss"}
    with pytest.raises(InvalidOption, match="a term of the loss is called 'loss', and so is the whole"):
        made(more=torch.ones(())).fit(inputs, epochs=1)
