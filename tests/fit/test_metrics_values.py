"""Metrics are right: equal to scikit-learn's and numpy's, over ragged batches, in every precision."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from torch import Tensor, nn

from unbraid import fit
from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.metric import Metric, named
from unbraid.fit.metrics.auc import roc_auc
from unbraid.fit.state import COUNT, CRITERION, LOSS, Y_PRED, Y_TRUE, State

F = nn.functional
DTYPES = [torch.float64, torch.float32, torch.bfloat16]
seeds, sizes = st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=1, max_size=4)


def outputs(seed: int, sizes: list[int], classes: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Outputs without ties within a sample, whatever the precision; classes that may be missing."""
    generator = torch.Generator().manual_seed(seed)
    n = sum(sizes)
    ranks = torch.rand(n, classes, generator=generator).argsort(1).to(dtype)
    missing = torch.randint(1, classes + 1, (), generator=generator)
    return (ranks - classes // 2) / 4, torch.randint(int(missing), (n,), generator=generator)


def over(metric: Metric | str, y_pred: Tensor, y_true: Tensor, sizes: list[int], criterion=None) -> dict[str, float]:
    """The metric over ragged batches."""
    metric = named(metric) if isinstance(metric, str) else metric
    for pred, true in zip(y_pred.split(sizes), y_true.split(sizes), strict=True):
        metric.update(State({Y_PRED: pred, Y_TRUE: true, COUNT: len(true), CRITERION: criterion}))
    return metric.compute()


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds, sizes=sizes, classes=st.integers(2, 6), ignore=st.sampled_from([None, -100, 0]))
def test_accuracies_of_classes_equal_those_of_scikit_learn(dtype, seed, sizes, classes, ignore):
    y_pred, y_true = outputs(seed, sizes, classes, dtype)
    if ignore == -100:
        y_true[::3] = ignore
    valid = (y_true != ignore).numpy() if ignore is not None else np.ones(len(y_true), bool)
    scores, truth = y_pred.double().numpy()[valid], y_true.numpy()[valid]
    top = fit.TopKAccuracy(2, ignore_index=ignore)
    values = over(fit.CategoricalAccuracy(ignore_index=ignore), y_pred, y_true, sizes)
    values |= over(top, y_pred, y_true, sizes)
    if not valid.any():
        assert all(math.isnan(value) for value in values.values())
        return
    assert values["cat_acc"] == pytest.approx(sk.accuracy_score(truth, scores.argmax(1)))
    known = truth[:, None] == scores.argsort(1)[:, -2:]
    assert values["top_2_acc"] == pytest.approx(known.any(1).mean())
    if classes > 2:
        assert values["top_2_acc"] == pytest.approx(sk.top_k_accuracy_score(truth, scores, k=2, labels=range(classes)))


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds, sizes=sizes)
def test_binary_accuracy_equals_that_of_scikit_learn(dtype, seed, sizes):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(sum(sizes), generator=generator).to(dtype)
    y_true = torch.randint(2, (sum(sizes),), generator=generator)
    expected = pytest.approx(sk.accuracy_score(y_true.numpy(), (logits > 0).numpy()))
    assert over("binary_acc", logits, y_true.to(dtype), sizes, nn.BCEWithLogitsLoss())["binary_acc"] == expected
    above = (logits.double().sigmoid() > 0.5).to(dtype) * 0.25 + 0.375
    assert over("binary_acc", above, y_true, sizes, nn.BCELoss())["binary_acc"] == expected
    assert over(fit.BinaryAccuracy(threshold=0.0), logits, y_true, sizes)["binary_acc"] == expected


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds, sizes=sizes, width=st.integers(1, 3))
def test_errors_equal_those_of_scikit_learn(dtype, seed, sizes, width):
    generator = torch.Generator().manual_seed(seed)
    y_pred = torch.randn(sum(sizes), width, generator=generator).to(dtype)
    y_true = torch.randn(sum(sizes), width, generator=generator).to(dtype)
    exact = y_true.double().numpy(), y_pred.double().numpy()
    assert over("mse", y_pred, y_true, sizes) == {"mse": pytest.approx(sk.mean_squared_error(*exact), rel=1e-5)}
    assert over("mae", y_pred, y_true, sizes) == {"mae": pytest.approx(sk.mean_absolute_error(*exact), rel=1e-5)}


@given(
    seed=seeds,
    sizes=sizes,
    classes=st.integers(2, 5),
    dtype=st.sampled_from(DTYPES),
    average=st.sampled_from([None, "macro", "micro", "weighted"]),
    ignore=st.sampled_from([None, -100]),
)
def test_precision_recall_and_f1_equal_those_of_scikit_learn(seed, sizes, classes, dtype, average, ignore):
    y_pred, y_true = outputs(seed, sizes, classes, dtype)
    if ignore is not None:
        y_true[1::3] = ignore
    valid = (y_true != -100).numpy()
    truth, predicted = y_true.numpy()[valid], y_pred.argmax(1).numpy()[valid]
    whose = average or ("binary" if classes == 2 else "macro")
    for quality, function in {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}.items():
        metric = fit.Averaged(quality, average, ignore_index=ignore)
        expected = function(truth, predicted, average=whose, zero_division=0.0)
        assert over(metric, y_pred, y_true, sizes) == {quality: pytest.approx(expected)}


@given(seed=seeds, sizes=sizes, classes=st.integers(2, 5), dtype=st.sampled_from(DTYPES))
def test_the_report_by_class_equals_that_of_scikit_learn_where_classes_are_empty_too(seed, sizes, classes, dtype):
    y_pred, y_true = outputs(seed, sizes, classes, dtype)
    truth, predicted, labels = y_true.numpy(), y_pred.argmax(1).numpy(), list(range(classes))
    metric = fit.ByClass()
    values = over(metric, y_pred, y_true, sizes)
    assert metric.last.tolist() == sk.confusion_matrix(truth, predicted, labels=labels).tolist()
    by_class = sk.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=np.nan)
    for quality, expected in zip(("precision", "recall", "f1"), by_class, strict=False):
        assert [values[f"{quality}_{c}"] for c in labels] == pytest.approx(list(expected), nan_ok=True)
    expected = [sk.accuracy_score(truth == c, predicted == c) for c in labels]
    assert [values[f"accuracy_{c}"] for c in labels] == pytest.approx(expected)


@given(seed=seeds, sizes=sizes, dtype=st.sampled_from(DTYPES))
def test_f1_of_yes_and_no_equals_that_of_scikit_learn(seed, sizes, dtype):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(sum(sizes), generator=generator).to(dtype)
    y_true = torch.randint(2, (sum(sizes),), generator=generator).float()
    expected = sk.f1_score(y_true.numpy(), (logits > 0).numpy(), zero_division=0.0)
    assert over("f1", logits, y_true, sizes, F.binary_cross_entropy_with_logits) == {"f1": pytest.approx(expected)}


@given(seed=seeds, sizes=sizes, ties=st.booleans(), dtype=st.sampled_from(DTYPES))
def test_the_area_of_yes_and_no_equals_that_of_scikit_learn(seed, sizes, ties, dtype):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(sum(sizes), generator=generator).to(dtype)
    scores = scores.round() if ties else scores
    y_true = torch.randint(2, (sum(sizes),), generator=generator)
    value = over("auc", scores, y_true, sizes)["auc"]
    if 0 < y_true.sum() < len(y_true):
        expected = pytest.approx(sk.roc_auc_score(y_true.numpy(), scores.double().numpy()))
        assert value == expected
        two = torch.stack([-scores, scores], 1)
        assert over("auc", two, y_true, sizes, nn.CrossEntropyLoss())["auc"] == expected
    else:
        assert math.isnan(value)


@given(seed=seeds, classes=st.integers(3, 5), missing=st.booleans())
def test_the_area_of_classes_equals_that_of_scikit_learn(seed, classes, missing):
    generator = torch.Generator().manual_seed(seed)
    n = 6 * classes
    logits = torch.randn(n, classes, generator=generator)
    y_true = torch.arange(n) % (classes - missing)
    shares = logits.double().softmax(1)
    expected = np.mean([sk.roc_auc_score(y_true == c, shares[:, c]) for c in range(classes - missing)])
    if not missing:
        assert expected == pytest.approx(sk.roc_auc_score(y_true, shares, multi_class="ovr"))
    for y_pred in (logits, logits.log_softmax(1), shares):
        assert over("auc", y_pred, y_true, [n - 5, 5]) == {"auc": pytest.approx(expected)}
    y_true[::4] = -100
    kept = y_true >= 0
    expected = np.mean([sk.roc_auc_score(y_true[kept] == c, shares[kept, c]) for c in y_true[kept].unique()])
    assert over("auc", logits, y_true, [n], nn.NLLLoss()) == {"auc": pytest.approx(expected)}


def test_the_area_of_several_labels_is_the_mean_over_them():
    torch.manual_seed(4)
    scores, y_true = torch.randn(30, 4), torch.randint(2, (30, 4))
    assert roc_auc(scores, y_true) == pytest.approx(sk.roc_auc_score(y_true, scores))
    picture = scores.reshape(2, 15, 4).movedim(2, 1), y_true.reshape(2, 15, 4).movedim(2, 1)
    assert roc_auc(*picture) == pytest.approx(sk.roc_auc_score(y_true, scores))
    with pytest.raises(InvalidData, match="area under the curve needs"):
        roc_auc(scores, y_true[:7])


@pytest.mark.parametrize("name", ["acc", "top_1_acc", "f1", "auc"])
def test_pixels_count_alike(name):
    torch.manual_seed(2)
    y_pred, y_true = torch.randn(5, 3, 4, 4), torch.randint(3, (5, 4, 4))
    flat = y_pred.movedim(1, -1).reshape(-1, 3), y_true.flatten()
    criterion = nn.CrossEntropyLoss()
    assert over(name, y_pred, y_true, [3, 2], criterion) == over(name, *flat, [80], criterion)


def test_soft_targets_count_by_their_highest_share():
    torch.manual_seed(2)
    y_pred, y_true = torch.randn(20, 4), torch.randint(4, (20,))
    soft = F.one_hot(y_true, 4) * 0.9 + 0.025
    for name in ("acc", "top_2_acc", "f1"):
        assert over(name, y_pred, soft, [20], F.cross_entropy) == over(name, y_pred, y_true, [20], F.cross_entropy)


def test_the_first_k_of_fewer_classes_are_always_right():
    assert over("top_5_acc", torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), [4]) == {"top_5_acc": 1.0}


def test_confusion_says_when_a_class_does_not_exist():
    for y_true in (torch.tensor([0, 3]), torch.tensor([0, -1]), torch.tensor([0, -100])):
        with pytest.raises(InvalidData, match="3 classes, 0 to 2, but met another"):
            over(fit.ByClass(), torch.randn(2, 3), y_true, [2])
    with pytest.raises(InvalidData, match="2 classes, 0 to 1, but met another"):  # and not counted as (1, 0)
        over(fit.Confusion(classes=2), torch.tensor([2, 0]), torch.tensor([0, 0]), [2])
    with pytest.raises(InvalidOption, match="give classes="):
        over(fit.Confusion(), torch.tensor([0, 1]), torch.tensor([0, 1]), [2])
    confusion = fit.Confusion(classes=3)
    assert over(confusion, torch.tensor([0, 2, 2]), torch.tensor([0, 1, 2]), [2, 1]) == {}
    assert confusion.last.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_yes_and_no_may_leave_out_targets_too():
    logits, y_true = torch.tensor([1.0, -1.0, 1.0, 1.0]), torch.tensor([1.0, 0.0, -1.0, 0.0])
    values = over(fit.ByClass("precision", ignore_index=-1), logits, y_true, [4], nn.BCEWithLogitsLoss())
    assert values == {"precision_0": 1.0, "precision_1": 0.5}
    assert over(fit.BinaryAccuracy(ignore_index=-1, threshold=0), logits, y_true, [4])["binary_acc"] == 2 / 3


CLASSES = (torch.tensor([[2.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0]))
NUMBERS = (torch.tensor([0.2, 0.7]), torch.tensor([1.0, 1.0]))


@pytest.mark.parametrize(
    ("criterion", "data", "expected"),
    [
        (nn.CrossEntropyLoss(), CLASSES, {"acc": 0.5}),
        (nn.NLLLoss(), CLASSES, {"acc": 0.5}),
        (F.cross_entropy, CLASSES, {"acc": 0.5}),
        (functools.partial(F.cross_entropy, ignore_index=0), CLASSES, {"acc": math.nan}),
        (nn.CrossEntropyLoss(ignore_index=1), CLASSES, {"acc": 0.5}),
        (torch.compile(nn.CrossEntropyLoss(), backend="eager"), CLASSES, {"acc": 0.5}),
        (lambda y_pred, y_true: y_pred.mean(), CLASSES, {"acc": 0.5}),
        (nn.BCELoss(), NUMBERS, {"acc": 0.5}),
        (nn.BCEWithLogitsLoss(), NUMBERS, {"acc": 1.0}),
        (F.binary_cross_entropy, NUMBERS, {"acc": 0.5}),
        (F.binary_cross_entropy_with_logits, NUMBERS, {"acc": 1.0}),
        (nn.MSELoss(), NUMBERS, {"mse": pytest.approx((0.8**2 + 0.3**2) / 2)}),
        (F.mse_loss, NUMBERS, {"mse": pytest.approx((0.8**2 + 0.3**2) / 2)}),
        (nn.L1Loss(), NUMBERS, {"mae": pytest.approx(0.55)}),
    ],
)
def test_accuracy_suits_the_criterion(criterion, data, expected):
    assert over("acc", *data, [1, 1], criterion) == pytest.approx(expected, nan_ok=True)


def test_accuracy_of_an_unknown_criterion_of_numbers_asks_what_is_meant():
    with pytest.raises(InvalidOption, match="say 'cat_acc', 'binary_acc', 'mse'"):
        over("acc", *NUMBERS, [2], lambda y_pred, y_true: y_pred.mean())


def test_d12_accuracy_of_logits_has_its_threshold_at_zero():
    logits, y_true = torch.tensor([0.2, 0.3, -0.2, -3.0]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert over("acc", logits, y_true, [4], nn.BCEWithLogitsLoss()) == {"acc": 1.0}


def test_d13_a_ragged_last_batch_counts_for_what_it_is():
    x = torch.arange(5.0)[:, None] * 5
    trial = fit.Trial(nn.Linear(1, 1), None, lambda y_pred, y_true: y_true.mean(), metrics=[Y_TRUE, "mae"])
    with torch.no_grad():
        trial.model.weight.zero_(), trial.model.bias.zero_()
    values = trial.evaluate([(x[:4], x[:4]), (x[4:], x[4:])])
    assert values == {"loss": 10.0, "y_true": 10.0, "mae": 10.0}


@given(seed=seeds, sizes=st.lists(st.integers(2, 40), min_size=1, max_size=6), unbiased=st.booleans())
def test_d14_a_small_variance_about_a_large_mean_is_found(seed, sizes, unbiased):
    values = 1e4 + torch.randn(sum(sizes), generator=torch.Generator().manual_seed(seed))
    assert values.dtype == torch.float32
    moments = fit.var(unbiased=unbiased)(fit.std(unbiased=unbiased)(fit.mean(Y_PRED)))
    exact, ddof = values.double().numpy(), int(unbiased)
    assert over(moments, values, values, sizes) == {
        "y_pred": pytest.approx(exact.mean(), rel=1e-12),
        "y_pred_std": pytest.approx(exact.std(ddof=ddof), rel=1e-9),
        "y_pred_var": pytest.approx(exact.var(ddof=ddof), rel=1e-9),
    }


def scalars(metric: Metric, values: list[float], counts: list[int]) -> dict[str, float]:
    for value, n in zip(values, counts, strict=True):
        metric.update(State({LOSS: torch.tensor(value), COUNT: n}))
    return metric.compute()


@given(st.lists(st.tuples(st.floats(-100, 100, width=32), st.integers(1, 9)), min_size=2, max_size=9))
def test_the_variance_of_a_scalar_weighs_batches_by_their_samples(pairs):
    values, weights = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    centre = np.average(values, weights=weights)
    spread = (weights * (values - centre) ** 2).sum()
    biased = scalars(fit.Var("v", LOSS, unbiased=False), *zip(*pairs, strict=True))["v"]
    assert biased == pytest.approx(spread / weights.sum(), abs=1e-9)
    unbiased = scalars(fit.Var("v", LOSS), *zip(*pairs, strict=True))["v"]
    assert unbiased == pytest.approx(spread / (weights.sum() - (weights**2).sum() / weights.sum()), abs=1e-9)
    plain = fit.Var("v", lambda state: state[LOSS].item())
    assert scalars(plain, *zip(*pairs, strict=True))["v"] == pytest.approx(unbiased, abs=1e-9)


def test_the_spread_of_equal_batches_is_the_familiar_estimate():
    assert scalars(fit.Std("s", LOSS), [1.0, 2.0, 4.0], [8, 8, 8])["s"] == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert math.isnan(scalars(fit.Std("s", LOSS), [1.0], [8])["s"])


@given(st.lists(st.tuples(st.floats(-9, 9, width=32), st.integers(1, 9)), min_size=1, max_size=9), st.integers(1, 5))
def test_a_running_mean_is_over_the_last_batches(pairs, batches):
    values, counts = zip(*pairs, strict=True)
    found = scalars(fit.running_mean(batches=batches)(LOSS), values, counts)
    assert found == {"running_loss": pytest.approx(np.average(values[-batches:], weights=counts[-batches:]))}


def test_d15_a_running_mean_forgets_the_epoch_before():
    for metric in (fit.running_mean(LOSS), named("running_loss"), fit.running_mean("loss")):
        assert scalars(metric, [98.0] * 60, [1] * 60) == {"running_loss": 98.0}
        metric.reset()
        assert scalars(metric, [0.0], [1]) == {"running_loss": 0.0}


def test_a_running_accuracy_is_exact():
    y_pred, y_true = torch.randn(13, 3), torch.randint(3, (13,))
    found = over(fit.running_mean(batches=2)("acc"), y_pred, y_true, [5, 5, 3], nn.CrossEntropyLoss())
    assert found == {"running_acc": (y_pred[5:].argmax(1) == y_true[5:]).double().mean().item()}


def test_decorated_aggregates_share_one_evaluation():
    calls = []

    @fit.mean
    @fit.std
    @fit.var(unbiased=False)
    @fit.running_mean(batches=1)
    def height(state):
        calls.append(1)
        return state[LOSS]

    found = scalars(height, [1.0, 3.0], [1, 1])
    assert len(calls) == 2
    assert found == {"height": 2.0, "height_std": pytest.approx(2**0.5), "height_var": 1.0, "running_height": 3.0}
    assert list(found) == ["height", "height_std", "height_var", "running_height"]


def test_a_metric_may_be_decorated_further():
    @fit.std
    @fit.metric
    def height(state):
        return state[LOSS]

    assert scalars(height, [1.0, 3.0], [1, 1]) == {"height_std": pytest.approx(2**0.5), "height": 2.0}


def test_several_values_go_by_their_own_names():
    @fit.to_dict
    def both(state):
        return {"once": state[LOSS], "twice": 2 * state[LOSS].item()}

    assert scalars(both, [1.0, 4.0], [2, 1]) == {"once": 2.0, "twice": 4.0}
    assert scalars(fit.std(both), [1.0, 3.0], [1, 1]).keys() == {"once_std", "twice_std"}


def test_a_mean_may_be_weighed_by_something_else():
    mean = fit.Mean("m", LOSS, weight=lambda state: torch.tensor(state[COUNT] - 1))
    assert scalars(mean, [5.0, 1.0, 2.0], [1, 2, 4]) == {"m": pytest.approx((1 * 1 + 3 * 2) / 4)}
    nothing = fit.Mean("m", LOSS, weight=lambda state: torch.tensor(0))
    assert math.isnan(scalars(nothing, [5.0], [1])["m"])


def test_d24_an_epoch_metric_joins_once(monkeypatch):
    joins, cat = [], torch.cat
    monkeypatch.setattr(torch, "cat", lambda tensors: joins.append(len(tensors)) or cat(tensors))

    @fit.epoch_metric(cpu=True)
    def middle(y_pred, y_true):
        return (y_pred - y_true).median()

    y_pred = torch.arange(99.0)
    assert over(middle, y_pred, torch.zeros(99), [1] * 99) == {"middle": 49.0}
    assert joins == [99, 99]
    middle.compute()
    assert joins == [99, 99]


@pytest.mark.parametrize("cpu", [True, False])
def test_an_epoch_metric_leaves_the_device_only_when_asked(cpu, monkeypatch):
    moved, move = [], Tensor.cpu
    monkeypatch.setattr(Tensor, "cpu", lambda tensor: moved.append(1) or move(tensor))
    over(fit.RocAuc(cpu=cpu), torch.rand(4), torch.zeros(4), [2, 2])
    assert len(moved) == (4 if cpu else 0)


def test_an_epoch_metric_may_give_several_values_of_anything_kept():
    @fit.epoch_metric(keep=(LOSS, COUNT))
    def extremes(losses, counts):
        return {"low": losses.min(), "range": torch.stack([losses.min(), losses.max()]), "n": counts.sum().item()}

    found = scalars(extremes, [3.0, 1.0, 2.0], [1, 2, 3])
    assert found == {"low": 1.0, "range_0": 1.0, "range_1": 3.0, "n": 6.0}
