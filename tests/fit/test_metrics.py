"""Laws that every metric keeps: it never waits for the device, resumes exactly, and adds up over processes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from unbraid import fit
from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.fit.metric import Metric, Terms, as_metric, named, reduce, register
from unbraid.fit.metrics.names import _NAMED
from unbraid.fit.state import COUNT, CRITERION, LOSS, OPTIMIZERS, TERMS, Y_PRED, Y_TRUE, Key, State

CRITERION_OF_CLASSES = nn.CrossEntropyLoss()
SPREAD: Key[Tensor] = Key("spread")


def batches(sizes: tuple[int, ...] = (8, 8, 3), device: str = "cpu") -> list[State]:
    """Ragged batches of outputs for three classes."""
    generator = torch.Generator().manual_seed(5)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    states = []
    for n in sizes:
        y_pred = torch.randn(n, 3, generator=generator).requires_grad_()
        y_true = torch.randint(3, (n,), generator=generator)
        y_true[0] = -100
        loss = torch.randn((), generator=generator)
        state = State({COUNT: n, CRITERION: CRITERION_OF_CLASSES, OPTIMIZERS: {"model": optimizer}})
        state |= {Y_PRED: y_pred.to(device), Y_TRUE: y_true.to(device), LOSS: loss.to(device).requires_grad_()}
        state |= {TERMS: {"kl": state[LOSS] + 1, "nll": state[LOSS] * 2}, SPREAD: y_pred.to(device) ** 2}
        states.append(state)
    return states


def numbers(state: State) -> dict[str, Tensor]:
    return {"low": state[Y_PRED].min(), "high": state[Y_PRED].max()}


def squared(state: State) -> Tensor:
    return state[SPREAD]


METRICS: dict[str, Callable[[], Metric]] = {
    **{name: lambda name=name: named(name) for name in ("loss", "acc", "cat_acc", "top_2_acc", "f1", "precision")},  # type: ignore[misc]
    **{name: lambda name=name: named(name) for name in ("recall", "auc", "running_loss", "running_acc", "lr")},  # type: ignore[misc]
    "a key": lambda: as_metric(SPREAD),
    "binary": lambda: fit.BinaryAccuracy(target=lambda state: (state[Y_PRED] > 0).long()),
    "mse": lambda: fit.SquaredError(target=lambda state: torch.zeros_like(state[Y_PRED])),
    "mae": lambda: fit.AbsoluteError(target=lambda state: torch.zeros_like(state[Y_PRED])),
    "terms": Terms,
    "a function": lambda: fit.metric(squared),
    "weighted": lambda: fit.Mean("weighted", LOSS, weight=lambda state: (state[Y_TRUE] >= 0).sum()),
    "aggregates": lambda: fit.mean(fit.std(fit.var(unbiased=False)(fit.running_mean(batches=2)(squared)))),
    "weighted spread": lambda: fit.std(fit.Mean("w", LOSS, weight=lambda state: (state[Y_TRUE] >= 0).sum())),
    "several": lambda: fit.mean(fit.std(fit.to_dict(numbers))),
    "by class": lambda: fit.ByClass("recall", "f1", labels=("cat", "dog", "owl")),
    "weighted f1": lambda: fit.Averaged("f1", "weighted"),
    "whole": lambda: fit.epoch_metric(keep=(SPREAD,))(lambda values: values.median()),
}
every = pytest.mark.parametrize("name", METRICS)


def fed(metric: Metric, states: list[State]) -> Metric:
    for state in states:
        metric.update(state)
    return metric


class NeverAsk(TorchDispatchMode):
    """Fails when a value is read from a tensor, or when a shape depends on one."""

    forbidden = ("_local_scalar_dense", "item", "nonzero", "is_nonzero", "equal", "unique", "masked_select", "bincount")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        assert name.strip("_") not in {one.strip("_") for one in self.forbidden}, f"{name} makes the device wait"
        return func(*args, **(kwargs or {}))


def test_the_watchman_sees_a_value_being_read():
    with pytest.raises(AssertionError, match="wait"), NeverAsk():
        bool(torch.ones(()) > 0)


@every
def test_an_update_never_makes_the_device_wait(name):
    metric = METRICS[name]()
    with NeverAsk():
        fed(metric, batches())
        metric.reset()
        fed(metric, batches())


@every
def test_an_update_needs_no_values_at_all(name):
    fed(METRICS[name](), batches(device="meta"))  # a tensor without memory: to read it is an error


@every
def test_a_metric_keeps_no_graph(name):
    saved = fed(METRICS[name](), batches()).state_dict()
    assert not any(tensor.requires_grad for tensor in tensors(saved))


def tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for one in inner for tensor in tensors(one)]


@every
def test_a_metric_that_saw_nothing_says_nothing(name):
    empty = METRICS[name]()
    assert empty.compute() == {}
    other = METRICS[name]()
    other.load_state_dict(empty.state_dict())
    assert other.compute() == {}
    assert fed(other, batches()).compute() == fed(METRICS[name](), batches()).compute() != {}


@every
def test_a_metric_saved_to_a_file_goes_on_bit_for_bit(name):
    first, *rest = batches()
    whole, half, other = METRICS[name](), METRICS[name](), METRICS[name]()
    fed(whole, [first, *rest])
    file = io.BytesIO()
    torch.save(fed(half, [first]).state_dict(), file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    fed(other, rest[:1]).load_state_dict(saved)  # what it held before is gone
    assert fed(other, rest).compute() == whole.compute() != {}


@every
def test_what_was_saved_stays_as_it_was(name):
    first, *rest = batches()
    metric = fed(METRICS[name](), [first])
    values, saved = metric.compute(), metric.state_dict()
    fed(metric, rest)
    other = METRICS[name]()
    other.load_state_dict(saved)
    fed(other, rest)
    again = METRICS[name]()
    again.load_state_dict(saved)
    assert str(again.compute()) == str(values)  # NaN, where there is one, is itself


@every
def test_a_reset_forgets_everything(name):
    first, *rest = batches()
    metric = fed(METRICS[name](), [first])
    metric.reset()
    assert metric.compute() == {}
    assert fed(metric, rest).compute() == fed(METRICS[name](), rest).compute()


@every
def test_processes_together_say_what_one_alone_would(name):
    states = batches((8, 6, 3, 5))
    alone = fed(METRICS[name](), states)
    processes = [fed(METRICS[name](), part) for part in (states[:1], [], states[1:])]  # one saw nothing
    saved = [[metric.state_dict()] for metric in processes]
    for metric in processes:
        reduce([metric], lambda mine: saved)
        if not name.startswith(("running", "aggregates")):  # which batches are the last is another matter there
            assert metric.compute() == pytest.approx(alone.compute(), nan_ok=True) != {}
    assert processes[0].compute() == processes[1].compute() == processes[2].compute() != {}


def test_a_running_mean_of_processes_is_over_the_last_batches_of_each():
    processes = [fed(fit.running_mean(batches=2)(LOSS), batches(sizes)) for sizes in ((2, 4, 6), (3,))]
    saved = [[metric.state_dict()] for metric in processes]
    reduce(processes[:1], lambda mine: saved)
    (_, b, c), (d,) = batches((2, 4, 6)), batches((3,))
    total = sum(state[LOSS].item() * state[COUNT] for state in (b, c, d))
    assert processes[0].compute() == {"running_loss": pytest.approx(total / 13)}


def test_reducing_exchanges_once_for_all_metrics():
    metrics, calls = [fed(METRICS[name](), batches()) for name in METRICS], []
    before = [metric.compute() for metric in metrics]
    reduce(metrics, lambda mine: [mine] if not calls.append(1) else [])
    assert calls == [1]
    assert [metric.compute() for metric in metrics] == [pytest.approx(values, nan_ok=True) for values in before]


def test_a_metric_with_memory_that_cannot_be_merged_says_so():
    class Odd(fit.Metric):
        def update(self, state): ...
        def compute(self): ...
        def reset(self): ...
        def state_dict(self):
            return {"odd": 1}

    with pytest.raises(InvalidOption, match="Odd does not say how to merge"):
        reduce([Odd()], lambda mine: [mine, mine])


def test_accuracy_and_loss_cost_a_handful_of_operations():
    class Count(TorchDispatchMode):
        calls = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.calls += 1
            return func(*args, **(kwargs or {}))

    metrics, (first, second, _) = [named("acc"), named("loss")], batches()
    for metric in metrics:
        metric.update(first)
    with Count() as count:
        for metric in metrics:
            metric.update(second)
    assert count.calls <= 10


def test_short_hands_give_what_they_say():
    for name, kind in {
        "loss": fit.Mean,
        "accuracy": fit.Accuracy,
        "binary_acc": fit.BinaryAccuracy,
        "cat_acc": fit.CategoricalAccuracy,
        "top_5_acc": fit.TopKAccuracy,
        "top_10_acc": fit.TopKAccuracy,
        "mse": fit.SquaredError,
        "mae": fit.AbsoluteError,
        "auc": fit.RocAuc,
        "roc_auc": fit.RocAuc,
        "f1": fit.Averaged,
        "epoch": fit.Now,
        "lr": fit.Now,
        "grad_norm": fit.GradNorm,
        "time": fit.Time,
        "running_f1": fit.Recent,
    }.items():
        assert type(named(name)) is kind
    assert named("top_17_acc").k == 17


@pytest.mark.parametrize(
    ("wrong", "right"), [("acuracy", "accuracy"), ("top_k_acc", "top_5_acc"), ("lose", "loss"), ("running_mes", "mse")]
)
def test_a_wrong_short_hand_is_answered_with_the_right_one(wrong, right):
    with pytest.raises(UnknownName, match=right):
        named(wrong)


@pytest.fixture
def table():
    kept = dict(_NAMED)
    yield
    _NAMED.clear()
    _NAMED.update(kept)


@pytest.mark.usefixtures("table")
def test_metrics_of_ones_own_get_short_hands():
    @register("huge")
    @fit.std
    @fit.metric
    def size(state):
        return state[LOSS].abs()

    @register("plain")
    def plain(state):
        return state[LOSS]

    @register("made")
    def made():
        return fit.Mean("made", LOSS)

    @register("times_{k}")
    def times(k):
        return fit.Mean(f"times_{k}", lambda state: k * state[LOSS])

    register("mine")(fit.RocAuc)
    one, two = named("huge"), named("huge")
    loss = fed(one, batches((4,))).compute()["size"]
    assert two.compute() == {}, "each is a new one"
    assert fed(named("plain"), batches((4,))).compute()["plain"] == pytest.approx(batches((4,))[0][LOSS].item())
    assert fed(named("times_3"), batches((4,))).compute()["times_3"] ** 2 == pytest.approx(9 * loss**2)
    assert type(named("mine")) is fit.RocAuc
    assert fed(named("made"), batches((4,))).compute()
    with pytest.raises(InvalidOption, match="exists already"):
        register("mine")(fit.Accuracy)
    register("mine", replace=True)(fit.Accuracy)
    assert type(named("mine")) is fit.Accuracy


def test_what_is_no_metric_is_answered_with_a_sentence():
    for wrong, words in {
        fit.Accuracy: r"give an instance, Accuracy\(",
        3: "but is 3",
        nn.Identity(): "but is Identity",
        (lambda state: state[LOSS]): "needs a name",
    }.items():
        with pytest.raises(InvalidOption, match=words):
            as_metric(wrong)


def test_a_metric_of_what_is_not_there_says_what_is_missing():
    for metric in (as_metric(SPREAD), named("acc"), fit.metric(squared), fit.epoch_metric(keep=(SPREAD,))(len)):
        with pytest.raises(InvalidOption, match=r"reads '(spread|y_pred)', which the state does not hold"):
            metric.update(State({COUNT: 1, CRITERION: CRITERION_OF_CLASSES}))


def test_an_error_within_a_function_is_not_explained_away():
    def broken(state):
        return {}["nothing"]

    with pytest.raises(KeyError, match="nothing"):
        fit.metric(broken).update(batches()[0])


def test_predictions_that_are_no_tensor_are_answered_with_a_sentence():
    with pytest.raises(InvalidOption, match="prediction is a tuple"):
        named("cat_acc").update(State({Y_PRED: (1, 2), Y_TRUE: torch.zeros(2)}))
    with pytest.raises(InvalidOption, match="given a NoneType"):
        named("auc").update(State({Y_PRED: torch.zeros(2), Y_TRUE: None}))


@pytest.mark.parametrize(
    ("name", "y_pred", "y_true"),
    [
        ("mse", (4, 1), (4,)),
        ("mae", (4,), (1,)),
        ("binary_acc", (4, 1), (4,)),
        ("cat_acc", (4, 3), (4, 1)),
        ("cat_acc", (1, 3), (4,)),
        ("cat_acc", (4,), (3,)),
        ("cat_acc", (4,), (4,)),
        ("top_2_acc", (4, 3), (4, 1)),
        ("f1", (4, 3), (2,)),
        ("f1", (4,), (4, 1)),
    ],
)
def test_shapes_are_never_broadcast_in_silence(name, y_pred, y_true):
    with pytest.raises(InvalidData, match=r"\(4,|\(1,"):
        named(name).update(State({Y_PRED: torch.rand(y_pred), Y_TRUE: torch.zeros(y_true, dtype=torch.int64)}))


def test_of_several_processes_the_first_that_saw_anything_says_what_is_now():
    now = fit.Now("rate", lambda state: 0.5)
    assert now.merge([{}, {"rate": 0.1}, {"rate": 0.2}]) == {"rate": 0.1}
    assert now.merge([{}, {}]) == {}


def test_of_several_processes_the_slowest_says_how_long_it_took():
    clock = fit.Time()
    states = [{"seconds": seconds, "began": True} for seconds in (1.0, 3.0, 2.0)]
    assert clock.merge(states)["seconds"] == 3.0
