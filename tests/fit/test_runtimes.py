"""Every runtime keeps the same promises: one suite for all. This file is also the script of two processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from unbraid.errors import InvalidOption, MissingExtra
from unbraid.fit import EMA, Best, Checkpoint, ClipGradients, Distributed, FabricRuntime, Runtime, Trial, hook, resume
from unbraid.fit.state import STEP

FABRIC = {"float32": "32-true", "bfloat16": "bf16-mixed"}
CASES = {
    "adam": {},
    "accumulated": {"accumulate": 2, "optimizer": torch.optim.SGD},  # Adam would not notice a wrong scale
    "clipped": {"max_norm": 0.1},
    "bfloat16": {"precision": "bfloat16"},
    "float16": {"precision": "float16", "accumulate": 2, "max_norm": 0.5},
    "duel": {"model": "duel", "accumulate": 2},
}
STEPS = 7


class Killed(Exception):
    """Stands for whatever ends a process."""


class Net(nn.Sequential):
    """Draws noise where asked."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))


class Duel(nn.Module):
    """Two players, each of whose losses reaches the parameters of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.maker, self.judge = nn.Linear(3, 2), nn.Linear(2, 1)

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {"maker": list(self.maker.parameters()), "judge": list(self.judge.parameters())}

    def loss(self, batch: tuple[Tensor, Tensor], step: int, player: str = "maker") -> Tensor:
        error = (self.judge(self.maker(batch[0])) - batch[1]).square().mean()
        return error if player == "maker" else -error / (step + 1)


def batches(dtype: torch.dtype = torch.float32) -> list[tuple[Tensor, Tensor]]:
    """Three batches of 6, 6 and 3 samples."""
    x = torch.randn(15, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return list(zip(x.to(dtype).split(6), x.prod(1, keepdim=True).sin().to(dtype).split(6), strict=True))


def native(precision: str) -> Runtime:
    return Runtime("cpu", precision=precision)


def fabric(precision: str) -> Runtime:
    plugins = pytest.importorskip("lightning_fabric.plugins")
    if precision == "float16":  # by name, Fabric would take bfloat16 on the CPU
        return FabricRuntime(accelerator="cpu", devices=1, plugins=plugins.MixedPrecision("16-mixed", "cpu"))
    return FabricRuntime(accelerator="cpu", devices=1, precision=FABRIC[precision])


@pytest.fixture(params=[native, fabric])
def maker(request) -> Callable[[str], Runtime]:
    return request.param


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.05)


def made(runtime, *, model="net", optimizer=adam, max_norm=None, dropout=0.0, dtype=None, callbacks=(), **how):
    """The trial of a case."""
    torch.manual_seed(0)
    net = (Duel() if model == "duel" else Net(dropout)).to(dtype)
    how.pop("precision", None)
    clip = [] if max_norm is None else [ClipGradients(max_norm)]
    criterion = None if model == "duel" else mse_loss
    return Trial(net, optimizer, criterion, callbacks=[*clip, *callbacks], runtime=runtime, **how)


def weights(trial: Trial) -> list[Tensor]:
    return [value.clone() for value in trial.state_dict()["model"].values()]


def windows(size: int) -> Iterator[list[tuple[Tensor, Tensor]]]:
    while True:
        yield from (batches()[first : first + size] for first in range(0, 3, size))


def plain(
    *, model="net", optimizer=adam, precision="float32", accumulate=1, max_norm=None, dropout=0.5
) -> list[Tensor]:
    """What a loop in plain PyTorch makes of a case."""
    torch.manual_seed(0)
    net = Duel() if model == "duel" else Net(dropout)
    players = net.players() if model == "duel" else {"maker": list(net.parameters())}
    optimizers = {name: optimizer(parameters) for name, parameters in players.items()}
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "float16")
    for step, window in zip(range(STEPS), windows(accumulate), strict=False):
        for name, parameters in players.items():
            net.zero_grad()
            for x, y in window:
                with torch.autocast("cpu", getattr(torch, precision), enabled=precision != "float32"):
                    loss = net.loss((x, y), step, name) if model == "duel" else mse_loss(net(x), y)
                scaler.scale(loss / len(window)).backward(inputs=parameters)
            scaler.unscale_(optimizers[name])
            if max_norm is not None:
                nn.utils.clip_grad_norm_(parameters, max_norm)
            scaler.step(optimizers[name])
            scaler.update()
    return list(net.state_dict().values())


def same(some: list[Tensor], others: list[Tensor]) -> bool:
    return len(some) == len(others) and all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_trial_ends_with_the_weights_of_a_plain_loop(maker, case):
    options = CASES[case]
    trial = made(maker(options.get("precision", "float32")), dropout=0.5, **options)
    trial.fit(batches(), steps=STEPS)
    assert same(weights(trial), plain(**options))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dies", [1, 4])
def test_a_trial_that_is_saved_and_resumed_ends_with_the_same_bits(maker, case, dies, tmp_path):
    options = {**CASES[case], "dropout": 0.5}
    precision = options.get("precision", "float32")
    whole = made(maker(precision), **options)
    history = whole.fit(batches(), steps=STEPS)

    @hook("on_step")
    def die(state):
        if state[STEP] == dies:
            raise Killed

    die.last = True
    save = Checkpoint(tmp_path / "checkpoint.pt", steps=1, seconds=None)
    with pytest.raises(Killed):
        made(maker(precision), callbacks=[save, die], **options).fit(batches(), steps=STEPS)
    trial = made(maker(precision), **options)
    torch.manual_seed(99)
    assert resume(trial, tmp_path / "checkpoint.pt") is None
    assert trial.fit(batches(), steps=STEPS) == history
    assert same(weights(trial), weights(whole))


def test_trials_that_share_a_runtime_know_nothing_of_each_other(maker):
    runtime, alone = maker("float16"), made(maker("float16"))
    big = [(1e4 * x, y) for x, y in batches()]  # overflows, after which gradients are scaled less
    alone.fit(big, steps=STEPS)
    first, second = made(runtime), made(runtime)
    for steps in range(1, STEPS + 1):
        first.fit(big, steps=steps)
        second.fit(big, steps=steps)
    assert alone.runtime.scaler.get_scale() < 65536
    assert same(weights(first), weights(alone))
    assert same(weights(second), weights(alone))
    third = made(first.runtime)
    third.fit(big, steps=STEPS)
    assert same(weights(third), weights(alone))


def test_one_runtime_takes_up_what_another_saved():
    whole = made(native("float16"), dropout=0.5)
    whole.fit(batches(), steps=STEPS)
    first, second = made(native("float16"), dropout=0.5), made(fabric("float16"), dropout=0.5)
    first.fit(batches(), steps=4)
    second.load_state_dict(first.state_dict())
    second.fit(batches(), steps=STEPS)
    assert same(weights(second), weights(whole))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_predictions_and_evaluations_are_those_of_the_model(maker, precision):
    trial = made(maker(precision))
    with torch.no_grad(), torch.autocast("cpu", enabled=precision == "bfloat16"):
        expected = [trial.model(x) for x, _ in batches()]
        losses = [mse_loss(y, target).item() for y, (_, target) in zip(expected, batches(), strict=True)]
    found = trial.predict(batches())
    assert found.dtype == getattr(torch, precision)
    assert torch.equal(found, torch.cat(expected))
    mean = (6 * losses[0] + 6 * losses[1] + 3 * losses[2]) / 15
    assert trial.evaluate(batches())["loss"] == pytest.approx(mean)


@pytest.mark.parametrize("name", ["on_sample", "on_forward", "on_criterion", "on_backward", "on_step"])
def test_an_error_says_at_which_hook_in_which_epoch_and_at_which_step(maker, name):
    @hook(name)
    def fail(state):
        if state[STEP] == 4:
            raise ValueError("no reason")

    trial = made(maker("float32"), callbacks=[fail])
    with pytest.raises(ValueError, match="no reason") as raised:
        trial.fit(batches(), steps=STEPS)
    assert raised.value.__notes__ == [f"raised in the callback {name} of fail at {name}, epoch 1, step 4"]


@dataclass(frozen=True)
class Batch:
    x: Tensor
    labels: Tensor


@pytest.mark.parametrize(("precision", "dtype"), [("64-true", torch.float64), ("bf16-true", torch.bfloat16)])
def test_a_precision_of_fabric_that_holds_for_weights_holds_for_batches(precision, dtype):
    pytest.importorskip("lightning_fabric")
    runtime = FabricRuntime(accelerator="cpu", devices=1, precision=precision, channels_last=True)
    assert runtime.place(torch.ones(2, 3, 4, 4)).is_contiguous(memory_format=torch.channels_last)
    placed = runtime.place((Batch(torch.ones(2), torch.ones(2).long()), {"x": torch.ones(2)}))
    assert placed[0].x.dtype == placed[1]["x"].dtype == dtype
    assert placed[0].labels.dtype == torch.int64
    trial = made(runtime)
    history = trial.fit(batches(), epochs=20)
    assert all(value.dtype == dtype for value in weights(trial))
    assert history[-1]["loss"] < history[0]["loss"]


def test_what_is_no_fabric_is_answered_with_a_sentence():
    pytest.importorskip("lightning_fabric")
    with pytest.raises(InvalidOption, match=r"give a lightning_fabric.Fabric or options to make one, but not str"):
        FabricRuntime("cpu")


def test_a_fabric_that_was_not_launched_is_answered_with_a_sentence():
    lightning = pytest.importorskip("lightning_fabric")
    with pytest.raises(InvalidOption, match=r"call its launch\(\) before"):
        FabricRuntime(lightning.Fabric(accelerator="cpu", strategy="ddp", devices=1))


def test_a_strategy_that_cannot_be_carried_is_answered_with_a_sentence():
    strategies = pytest.importorskip("lightning_fabric.strategies")
    strategy = strategies.DataParallelStrategy(parallel_devices=[torch.device("cpu")])
    with pytest.raises(InvalidOption, match="a trial cannot be carried by DataParallelStrategy: take one device, ddp"):
        FabricRuntime(accelerator="cpu", strategy=strategy)


def test_without_lightning_fabric_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(MissingExtra, match=r"FabricRuntime needs: pip install 'unbraid\[fabric\]'"):
        FabricRuntime(accelerator="cpu")


# Two processes. Weights and batches are float64, so that a tolerance of 1e-10 tells a sum in another order from a bug.
TOGETHER = {name: options for name, options in CASES.items() if "precision" not in options}
RUNTIMES = ["Distributed", "ddp", "sharded"]
NEEDED = ["lightning_fabric", "torch.distributed.fsdp", "torch.distributed.checkpoint"]


def pieces(model: nn.Module, mesh) -> nn.Module:
    from torch.distributed.fsdp import fully_shard

    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            fully_shard(layer, mesh=mesh["data_parallel"])
    return fully_shard(model, mesh=mesh["data_parallel"])


def averaged(runtime, path=None, callbacks=()):
    """A trial whose history holds evaluations of an average of the weights."""
    trial = made(runtime, dtype=torch.float64, accumulate=2, callbacks=[EMA(0.5), *callbacks])
    if path is not None:
        resume(trial, path)
    history = trial.fit(batches(torch.float64), steps=STEPS, validation=batches(torch.float64)[:1])
    return {"weights": weights(trial), "history": history}


def looked(runtime, options):
    trial = made(runtime, dtype=torch.float64, **options)
    data = batches(torch.float64)
    history = trial.fit(data, steps=STEPS)
    predicted = None if options.get("model") == "duel" else trial.predict(data)
    return {"weights": weights(trial), "history": history, "predicted": predicted, "values": trial.evaluate(data)}


def script(folder: Path) -> None:
    """What each of the two processes does."""
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import ModelParallelStrategy

    shared = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    shared.launch()
    sharded = ModelParallelStrategy(pieces, data_parallel_size=2, tensor_parallel_size=1)
    runtimes = {
        "Distributed": Distributed("cpu"),
        "ddp": FabricRuntime(shared),
        "sharded": FabricRuntime(accelerator="cpu", devices=2, strategy=sharded),
    }
    found = {}
    for name, runtime in runtimes.items():
        found[name] = {case: looked(runtime, options) for case, options in TOGETHER.items()}
        best = Best(folder / f"{name}.best")
        found[name]["averaged"] = averaged(runtime, callbacks=[best])
        trial = made(runtime, dtype=torch.float64)
        best.restore(trial.model)
        found[name]["best"] = weights(trial)
        path = folder / f"{name}.pt"

        @hook("on_step")
        def die(state):
            if state[STEP] == 3:
                raise Killed

        die.last = True
        with suppress(Killed):
            averaged(runtime, callbacks=[Checkpoint(path, steps=1, seconds=None), die])
        found[name]["resumed"] = averaged(runtime, path)
    try:
        trial = Trial(Net(), torch.optim.LBFGS, mse_loss, runtime=runtimes["sharded"])
        trial.fit(batches(), steps=1)
    except InvalidOption as error:
        found["lbfgs"] = str(error)
    torch.save(found, folder / f"{runtime.rank}.found")


@pytest.fixture(scope="module")
def both(pair, tmp_path_factory):
    pytest.importorskip("lightning_fabric")
    folder = tmp_path_factory.mktemp("runtimes")
    return folder, pair(__file__, folder, *NEEDED)


def close(some: list[Tensor], others: list[Tensor]) -> None:
    for a, b in zip(some, others, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("case", TOGETHER)
@pytest.mark.parametrize("name", RUNTIMES)
def test_two_processes_end_where_one_does_under_every_runtime(both, name, case):
    alone = looked(Runtime("cpu"), TOGETHER[case])
    for found in both[1]:
        here = found[name][case]
        close(here["weights"], alone["weights"])
        assert here["values"] == pytest.approx(alone["values"], rel=1e-10)
        for row, expected in zip(here["history"], alone["history"], strict=True):
            assert row == pytest.approx(expected, rel=1e-10)
        if alone["predicted"] is not None:
            close([here["predicted"]], [alone["predicted"]])


@pytest.mark.slow
@pytest.mark.parametrize("case", TOGETHER)
def test_ddp_by_fabric_ends_with_the_bits_of_distributed(both, case):
    for found in both[1]:
        assert same(found["ddp"][case]["weights"], found["Distributed"][case]["weights"])
        assert found["ddp"][case]["history"] == found["Distributed"][case]["history"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNTIMES)
def test_two_processes_that_are_killed_and_resumed_end_with_the_same_bits(both, name):
    for found in both[1]:
        assert same(found[name]["resumed"]["weights"], found[name]["averaged"]["weights"])
        assert found[name]["resumed"]["history"] == found[name]["averaged"]["history"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNTIMES)
def test_one_process_takes_up_what_two_saved(both, name):
    alone = averaged(Runtime("cpu"), both[0] / f"{name}.pt")
    close(alone["weights"], both[1][0][name]["averaged"]["weights"])


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNTIMES)
def test_the_best_weights_are_whole_on_disk(both, name):
    saved = torch.load(both[0] / f"{name}.best", weights_only=True)
    for found in both[1]:
        assert same(list(saved.values()), found[name]["best"])
    close(list(saved.values()), both[1][0]["Distributed"]["best"])


@pytest.mark.slow
def test_an_optimiser_that_needs_one_vector_is_refused_where_there_are_pieces(both):
    assert both[1][0]["lbfgs"].startswith("LBFGS needs all parameters in one vector, but every process holds pieces")


if __name__ == "__main__":
    torch.set_num_threads(1)
    script(Path(sys.argv[1]))
