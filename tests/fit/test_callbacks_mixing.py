"""Data callbacks: what is changed, what is not, and that an interruption makes no difference."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.fit import Tensors, Trial, hook
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.augment import Cutout, LabelSmoothing, RandomErase
from unbraid.fit.callbacks.mixing import Mixed, Mixing, mixed_loss
from unbraid.fit.state import LOSS, TRAINING, Y_PRED, Y_TRUE, State, X
from unbraid.mix import Alternate, CutMix, FMix, ManifoldMixUp, MixUp, RandomChoice

DIGITS = load_digits()
PIXELS = torch.tensor(DIGITS.images / 16, dtype=torch.float32)[:320, None]
LABELS = torch.tensor(DIGITS.target)[:320]
DATA = Tensors(PIXELS, LABELS, batch_size=32)
LOSS_OF_MIXED = mixed_loss(nn.CrossEntropyLoss(reduction="none"))
MAKERS: dict[str, Callable[[], list[Callback]]] = {
    "smoothing": lambda: [LabelSmoothing(10)],
    "cutout": lambda: [Cutout(4, holes=2)],
    "erase": lambda: [RandomErase(probability=0.7)],
    "function": lambda: [Mixing(MixUp(shared=True), probability=0.6)],
    "mixup": lambda: [MixUp(probability=0.6)],
    "cutmix": lambda: [CutMix()],
    "fmix": lambda: [FMix(alpha=1)],
    "choice": lambda: [RandomChoice([Alternate([FMix(alpha=0.5), MixUp()], batches=[1, 2]), CutMix(shared=True)])],
    "soft": lambda: [FMix(classes=10)],
    "manifold": lambda: [ManifoldMixUp(["", "1", "3"])],
    "all": lambda: [RandomErase(), Cutout(2), CutMix(), LabelSmoothing(10, epsilon=0.2)],
    "manifold smoothed": lambda: [ManifoldMixUp(), LabelSmoothing(10)],
}
everything = pytest.mark.parametrize("name", MAKERS)


def classify(*callbacks: Callback, seed: int = 0, **options: Any) -> Trial:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
    rate = options.pop("optimizer", lambda p: torch.optim.Adam(p, lr=1e-2))
    criterion = options.pop("criterion", LOSS_OF_MIXED)
    return Trial(model, rate, criterion, callbacks=callbacks, **options)


def sampled(callback: Callback, x: Tensor, y: Any = None) -> State:
    state = State({X: x, Y_TRUE: y, TRAINING: True})
    callback.on_sample(state)
    return state


def weights(trial: Trial) -> Tensor:
    return torch.cat([p.detach().flatten() for p in trial.model.parameters()])


@everything
def test_every_data_callback_changes_the_fit(name: str) -> None:
    bare, changed = classify(), classify(*MAKERS[name]())
    for trial in (bare, changed):
        trial.fit(DATA, epochs=1)
    assert not torch.equal(weights(bare), weights(changed))
    assert torch.isfinite(weights(changed)).all()


@everything
def test_d19_data_is_never_damaged(name: str) -> None:
    x, y = PIXELS[:64].clone(), LABELS[:64].clone()
    whole = [(x, y)]  # the very tensors of the data set come as the batch
    classify(*MAKERS[name]()).fit(whole, epochs=3)
    loader = DataLoader(TensorDataset(x, y), batch_size=None, sampler=[slice(0, 32), slice(32, 64)])
    classify(*MAKERS[name]()).fit(loader, epochs=2)
    assert torch.equal(x, PIXELS[:64])
    assert torch.equal(y, LABELS[:64])


@everything
def test_an_interruption_makes_no_difference(name: str, tmp_path: Path) -> None:
    whole = classify(*MAKERS[name]())
    whole.fit(DATA, steps=17)
    first = classify(*MAKERS[name]())
    first.fit(DATA, steps=7)
    torch.save(first.state_dict(), tmp_path / "saved.pt")
    torch.manual_seed(99)
    second = classify(*MAKERS[name](), seed=5)
    second.load_state_dict(torch.load(tmp_path / "saved.pt", weights_only=True))
    second.fit(DATA, steps=17)
    assert torch.equal(weights(second), weights(whole))


@everything
def test_evaluations_are_left_alone(name: str) -> None:
    bare, changed = classify(metrics=["acc"]), classify(*MAKERS[name](), metrics=["acc"])
    changed.model.load_state_dict(bare.model.state_dict())
    data = [(PIXELS, LABELS)]
    assert changed.evaluate(data) == bare.evaluate(data)
    changed.fit(DATA, epochs=1)
    bare.model.load_state_dict(changed.model.state_dict())
    assert changed.evaluate(data) == bare.evaluate(data)


@everything
def test_metrics_see_plain_labels(name: str) -> None:
    targets: list[Tensor] = []

    @hook("on_step")
    def watch(state: State) -> None:
        targets.append(state[Y_TRUE])

    history = classify(*MAKERS[name](), watch, metrics=["acc"]).fit(DATA, epochs=8)
    assert all(target.dtype == torch.int64 and target.shape == (32,) for target in targets)
    assert history[-1]["acc"] > 0.4, "chance is 0.1"


@everything
def test_accumulation_mixes_each_batch_by_itself(name: str) -> None:
    trial = classify(*MAKERS[name](), accumulate=4, metrics=["acc"])
    history = trial.fit(DATA, epochs=8)
    assert history[-1]["loss"] < history[0]["loss"]


@everything
def test_an_optimiser_with_several_tries_sees_the_same_targets_in_each(name: str) -> None:
    losses: list[list[float]] = []

    @hook("on_sample")
    def begin(state: State) -> None:
        losses.append([])

    @hook("on_criterion")
    def watch(state: State) -> None:
        losses[-1].append(state[LOSS].item())

    # A step of length 0 evaluates the same loss again and again.
    optimiser = lambda p: torch.optim.LBFGS(p, lr=0.0, max_iter=3, tolerance_change=-1)  # noqa: E731
    classify(begin, *MAKERS[name](), watch, optimizer=optimiser).fit(DATA, steps=3)
    assert all(len(tries) == 3 and len(set(tries)) == 1 for tries in losses)


@given(seed=st.integers(0, 1000))
def test_the_loss_of_mixed_targets_is_that_of_mixed_probabilities(seed: int) -> None:
    torch.manual_seed(seed)
    scores, first, second = torch.randn(8, 5), torch.randint(5, (8,)), torch.randint(5, (8,))
    for weight, criterion in (
        (torch.rand(()), nn.CrossEntropyLoss()),
        (torch.rand(8), nn.CrossEntropyLoss(reduction="none")),
    ):
        share = weight[..., None]
        soft = share * F.one_hot(first, 5) + (1 - share) * F.one_hot(second, 5)
        loss = mixed_loss(criterion)(scores, Mixed(first, second, weight))
        assert torch.isclose(loss, F.cross_entropy(scores, soft), atol=1e-6)
        assert torch.isclose(mixed_loss(criterion)(scores, first), F.cross_entropy(scores, first))


@pytest.mark.parametrize("shared", [False, True])
@given(alpha=st.floats(0.05, 5.0), seed=st.integers(0, 1000))
def test_d20_the_weight_of_cutmix_is_the_share_that_is_kept(shared: bool, alpha: float, seed: int) -> None:
    x = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 2, 9, 13)
    generator = torch.Generator().manual_seed(seed)
    mixed, target = CutMix(alpha=alpha, shared=shared)(x, torch.arange(6), generator=generator)
    weights = target.weight.expand(6)
    # Every image is flat, so each pixel says whose it is.
    for row in range(6):
        first, second = int(target.first[row]), int(target.second[row])
        assert set(mixed[row].unique().long().tolist()) <= {first, second}
        if first != second:
            assert abs((mixed[row] == first).float().mean().item() - weights[row].item()) < 1e-6


def test_one_weight_a_sample_needs_one_loss_a_sample() -> None:
    with pytest.raises(InvalidOption, match='reduction="none"'):
        mixed_loss(F.cross_entropy)(
            torch.zeros(3, 2), Mixed(torch.zeros(3).long(), torch.zeros(3).long(), torch.rand(3))
        )


def test_the_plain_target_is_that_of_the_larger_part() -> None:
    first, second = torch.tensor([0, 1, 2]), torch.tensor([5, 6, 7])
    assert Mixed(first, second, torch.tensor(0.6)).plain().tolist() == [0, 1, 2]
    assert Mixed(first, second, torch.tensor(0.4)).plain().tolist() == [5, 6, 7]
    assert Mixed(first, second, torch.tensor([0.6, 0.4, 0.9])).plain().tolist() == [0, 6, 2]
    rows = Mixed(torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([1.0, 0.0])).plain()
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_any_function_of_a_batch_can_mix() -> None:
    state = sampled(Mixing(lambda x: x.flip(0)), PIXELS[:4])
    assert torch.equal(state[X], PIXELS[:4].flip(0))
    soft = torch.rand(4, 10)
    state = sampled(Mixing(lambda batch: (batch[0] * 2, soft)), PIXELS[:4], LABELS[:4])
    assert torch.equal(state[X], PIXELS[:4] * 2)
    assert state[Y_TRUE] is soft
    state = sampled(Mixing(lambda b: (b[0], (b[1], b[1], torch.tensor(1.0)))), PIXELS[:4], LABELS[:4])
    assert isinstance(state[Y_TRUE], Mixed)


def test_d19_a_function_that_writes_into_its_batch_is_refused() -> None:
    def spoil(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        batch[0][0] = 0
        return batch

    with pytest.raises(InvalidData, match="spoil wrote into the batch"):
        sampled(Mixing(spoil), PIXELS[:4].clone(), LABELS[:4])


def test_a_batch_is_mixed_as_often_as_asked() -> None:
    torch.manual_seed(0)
    mixing = Mixing(lambda x: x + 1, probability=0.3)
    times = sum(float(sampled(mixing, torch.zeros(1))[X]) for _ in range(1000))
    assert 250 < times < 350


def test_smoothing_before_or_after_mixing_gives_the_same_loss() -> None:
    losses = []
    for callbacks in ([LabelSmoothing(10), MixUp()], [MixUp(), LabelSmoothing(10)]):
        trial = classify(*callbacks, metrics=["acc"])
        losses.append(trial.fit(DATA, epochs=1)[0])
    assert losses[0]["loss"] == pytest.approx(losses[1]["loss"], rel=1e-5)
    assert losses[0]["acc"] == losses[1]["acc"]


def test_two_mixings_of_one_batch_are_refused() -> None:
    for second in (CutMix(), ManifoldMixUp()):
        with pytest.raises(InvalidData, match=r"mixed already|targets that are tensors"):
            classify(MixUp(), second).fit(DATA, epochs=1)


def test_manifold_mixup_mixes_after_the_drawn_layer() -> None:
    seen: dict[str, Any] = {}

    @hook("on_sample")
    def before(state: State) -> None:
        seen["target"] = state[Y_TRUE]

    @hook("on_forward")
    def after(state: State) -> None:
        model, target = seen["model"], state[Y_TRUE]
        order = next(order for _, _, order in mixup._draws.values())
        with torch.no_grad():
            model.eval()
            hidden = model[:3](state[X])
            expected = model[3:](target.weight * hidden + (1 - target.weight) * hidden[order])
            model.train()
        assert torch.allclose(state[Y_PRED], expected, atol=1e-6)
        assert torch.equal(target.second, seen["target"][order])
        seen["checked"] = True

    mixup = ManifoldMixUp(["2"])
    trial = classify(before, mixup, after)
    seen["model"] = trial.model
    trial.fit(DATA, steps=3)
    assert seen["checked"]


def test_manifold_mixup_draws_every_layer() -> None:
    mixup = ManifoldMixUp(lambda name, module: isinstance(module, nn.Linear))
    drawn: list[str] = []

    @hook("on_forward")
    def watch(state: State) -> None:
        drawn.extend(name for name, _, _ in mixup._draws.values())

    classify(mixup, watch).fit(DATA, epochs=3)
    assert set(drawn) == {"1", "3", "5"}
    assert ManifoldMixUp().selected(classify().model) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("breaks", [False, True])
def test_d21_manifold_mixup_leaves_the_model_as_it_was(breaks: bool) -> None:
    class Broken(Exception):
        pass

    @hook("on_step")
    def stop(state: State) -> None:
        if breaks:
            raise Broken

    trial = classify(ManifoldMixUp(["", "1", "2"]), stop)
    forwards = {name: module.forward.__func__ for name, module in trial.model.named_modules()}
    for epochs in (1, 2):
        try:
            trial.fit(DATA, epochs=epochs)
        except Broken:
            assert breaks
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in trial.model.modules())
        assert {name: module.forward.__func__ for name, module in trial.model.named_modules()} == forwards
    copied = deepcopy(trial.model)
    assert torch.equal(copied(PIXELS), trial.model(PIXELS))


def test_manifold_mixup_mixes_a_shared_layer_once() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.turn, self.last = nn.Identity(), nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.turn(self.turn(x.flatten(1))))

    outputs: list[Tensor] = []

    @hook("on_forward")
    def watch(state: State) -> None:
        weight, order = state[Y_TRUE].weight, next(order for _, _, order in mixup._draws.values())
        hidden = state[X].flatten(1)
        expected = model.last(weight * hidden + (1 - weight) * hidden[order])
        outputs.append((expected - state[Y_PRED]).detach().abs().max())

    mixup, model = ManifoldMixUp(["turn"]), Shared()
    Trial(model, criterion=LOSS_OF_MIXED, callbacks=[mixup, watch]).fit(DATA, steps=2)
    assert float(torch.stack(outputs).max()) < 1e-5


def test_manifold_mixup_names_layers_that_are_not_there_or_do_not_run() -> None:
    with pytest.raises(UnknownName, match="unknown layer '9'"):
        classify(ManifoldMixUp(["9"])).fit(DATA, steps=1)
    with pytest.raises(InvalidOption, match="no such layer"):
        classify(ManifoldMixUp(lambda name, module: False)).fit(DATA, steps=1)

    class Idle(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return self[1](x.flatten(1))

    idle = Idle(nn.Identity(), nn.Linear(64, 10))
    with pytest.raises(InvalidOption, match="layer '0' did not run"):
        Trial(idle, criterion=LOSS_OF_MIXED, callbacks=[ManifoldMixUp(["0"])]).fit(DATA, steps=1)
