"""Logs: every row once, in every format, whatever happens to the trial."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from unbraid.errors import InvalidData, MissingExtra
from unbraid.fit import Tensors, Trial, hook
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import is_main
from unbraid.fit.callbacks.liveplot import LivePlot
from unbraid.fit.callbacks.log import BUFFER
from unbraid.fit.callbacks.tables import CSV, Parquet, read_csv
from unbraid.fit.callbacks.tensorboard import TensorBoard
from unbraid.fit.callbacks.trackers import MLflow, WandB
from unbraid.fit.state import LOSS, STEP, State

INPUTS = torch.linspace(-1, 1, 20)[:, None]
DATA = Tensors(INPUTS, 3 * INPUTS + 1, batch_size=4)  # 5 batches an epoch


def trial(*callbacks: Callback, seed: int = 0, **options: Any) -> Trial:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    return Trial(model, lambda p: torch.optim.SGD(p, lr=0.1), nn.functional.mse_loss, callbacks=callbacks, **options)


def same(rows: list[dict[str, float]], others: list[dict[str, float]]) -> bool:
    return len(rows) == len(others) and all(
        a.keys() == b.keys() and np.allclose([*a.values()], [*b.values()], equal_nan=True, rtol=0, atol=0)
        for a, b in zip(rows, others, strict=True)
    )


class Broken(Exception):
    """What stops a trial in these tests."""


def breaks_at(step: int) -> Callback:
    @hook("on_step")
    def stop(state: State) -> None:
        if state[STEP] == step:
            raise Broken

    return stop


def test_csv_holds_the_history(tmp_path: Path) -> None:
    history = trial(CSV(tmp_path / "log.csv")).fit(DATA, epochs=3)
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "step,epoch,loss"
    assert same(read_csv(tmp_path / "log.csv"), history)


def test_csv_has_a_row_for_each_step_with_its_loss(tmp_path: Path) -> None:
    losses: list[float] = []

    @hook("on_step")
    def watch(state: State) -> None:
        losses.append(state[LOSS].item())

    def rate(state: State) -> float:
        return 0.5 * state[STEP]

    trial(watch, CSV(tmp_path / "log.csv", steps=1, values={"half": rate})).fit(DATA, epochs=2)
    rows = read_csv(tmp_path / "log.csv")
    assert [row["step"] for row in rows] == list(range(1, 11))
    assert [row["loss"] for row in rows] == losses
    assert [row["half"] for row in rows] == [0.5 * step for step in range(1, 11)]


def test_rows_of_steps_wait_on_the_device_until_there_are_many(tmp_path: Path) -> None:
    seen: list[int] = []

    @hook("on_step")
    def watch(state: State) -> None:
        seen.append(len(read_csv(tmp_path / "log.csv")))

    trial(CSV(tmp_path / "log.csv", steps=1), watch).fit(DATA, steps=BUFFER + 5, epoch_length=None)
    assert max(seen) >= 5, "a record writes them"
    assert seen[:4] == [0, 0, 0, 0], "and nothing does so before"
    assert len(read_csv(tmp_path / "log.csv")) == BUFFER + 5


@pytest.mark.parametrize("steps", [None, 1])
def test_what_a_checkpoint_knows_is_in_the_files_even_when_nothing_is_ever_closed(
    tmp_path: Path, steps: int | None
) -> None:
    (tmp_path / "killed").mkdir()
    logs = [CSV(tmp_path / "log.csv", steps=steps), CSV(tmp_path / "more.csv", steps=steps, append=True)]
    first, saved = trial(*logs), {}

    @hook("on_step")
    def save_and_die(state: State) -> None:
        if state[STEP] == 7:
            saved.update(deepcopy(first.state_dict()))
            for file in tmp_path.glob("*.csv"):
                (tmp_path / "killed" / file.name).write_bytes(file.read_bytes())
            raise Broken

    first.callbacks.append(save_and_die)
    with pytest.raises(Broken):
        first.fit(DATA, epochs=3)
    logs = [CSV(tmp_path / "killed" / f"{name}.csv", steps=steps, append=name == "more") for name in ("log", "more")]
    second = trial(*logs, seed=1)
    second.load_state_dict(saved)
    second.fit(DATA, epochs=3)
    trial(CSV(tmp_path / "whole.csv", steps=steps)).fit(DATA, epochs=3)
    for log in logs:
        assert log.path.read_text() == (tmp_path / "whole.csv").read_text()


def test_of_several_processes_only_the_first_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in (0, 1):
        with monkeypatch.context() as patch:
            patch.setattr(torch.distributed, "is_initialized", lambda: True)
            patch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
            writes = is_main()
        monkeypatch.setattr("unbraid.fit.callbacks.log.is_main", lambda writes=writes: writes)
        trial(CSV(tmp_path / f"{rank}.csv", steps=1), LivePlot(tmp_path / f"{rank}.png")).fit(DATA, epochs=1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.csv", "0.png"]


def test_the_loss_of_a_step_is_the_mean_over_its_window(tmp_path: Path) -> None:
    losses: list[float] = []

    @hook("on_criterion")
    def watch(state: State) -> None:
        losses.append(state[LOSS].item())

    trial(watch, CSV(tmp_path / "log.csv", steps=1), accumulate=2).fit(DATA, epochs=1)
    expected = [np.mean(losses[0:2]), np.mean(losses[2:4]), losses[4]]
    assert [row["loss"] for row in read_csv(tmp_path / "log.csv")] == pytest.approx(expected)


def test_the_loss_of_a_step_is_that_before_it_whatever_the_optimiser_tries(tmp_path: Path) -> None:
    whole = [(INPUTS, 3 * INPUTS + 1)]
    torch.manual_seed(0)
    model, log = nn.Linear(1, 1), CSV(tmp_path / "log.csv", steps=1)
    before = nn.functional.mse_loss(model(INPUTS), whole[0][1]).item()
    Trial(model, torch.optim.LBFGS(model.parameters()), nn.functional.mse_loss, callbacks=[log]).fit(whole, epochs=1)
    assert read_csv(log.path)[0]["loss"] == pytest.approx(before)


def test_every_players_terms_are_in_the_row_of_a_step(tmp_path: Path) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(1, 1), nn.Linear(1, 1)

        def players(self) -> dict[str, list[nn.Parameter]]:
            return {"first": [*self.a.parameters()], "second": [*self.b.parameters()]}

        def loss(self, batch: torch.Tensor, step: int, player: str) -> dict[str, torch.Tensor]:
            part = self.a if player == "first" else self.b
            return {f"{player}_square": part(batch).square().mean(), f"{player}_two": torch.tensor(2.0)}

    Trial(Two(), callbacks=[CSV(tmp_path / "log.csv", steps=1)]).fit([INPUTS], epochs=2)
    for row in read_csv(tmp_path / "log.csv"):
        assert list(row) == ["step", "epoch", "loss", "first_square", "first_two", "second_square", "second_two"]
        assert row["loss"] == pytest.approx(row["first_square"] + 2)


@pytest.mark.parametrize("steps", [None, 1])
def test_d23_a_resumed_or_appended_csv_has_one_header_and_no_row_twice(tmp_path: Path, steps: int | None) -> None:
    whole, file = tmp_path / "whole.csv", tmp_path / "log.csv"
    trial(CSV(whole, steps=steps)).fit(DATA, epochs=4)
    first = trial(CSV(file, steps=steps))
    first.fit(DATA, epochs=2)
    saved = deepcopy(first.state_dict())
    first.callbacks.append(breaks_at(18))
    with pytest.raises(Broken):
        first.fit(DATA, epochs=4)  # goes beyond what was saved
    second = trial(CSV(file, steps=steps), seed=1)
    second.load_state_dict(saved)
    second.fit(DATA, epochs=4)
    assert file.read_text() == whole.read_text()
    trial(CSV(file, steps=steps, append=True)).fit(DATA, epochs=4)
    assert file.read_text().count("loss") == 1
    assert same(read_csv(file), 2 * read_csv(whole))
    trial(CSV(file, steps=steps)).fit(DATA, epochs=4)
    assert file.read_text() == whole.read_text(), "a new trial that does not append begins anew"


def test_an_appended_csv_is_resumed_behind_the_earlier_rows(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    trial(CSV(file)).fit(DATA, epochs=2)
    earlier = file.read_text()
    first = trial(CSV(file, append=True))
    first.fit(DATA, epochs=1)
    second = trial(CSV(file, append=True))
    second.load_state_dict(first.state_dict())
    second.fit(DATA, epochs=3)
    assert file.read_text().startswith(earlier)
    assert [row["epoch"] for row in read_csv(file)] == [1, 2, 1, 2, 3]


def test_a_column_that_appears_later_is_added_to_the_whole_file(tmp_path: Path) -> None:
    one = trial(CSV(tmp_path / "log.csv", separator=";"))
    one.fit(DATA, epochs=2)
    history = one.fit(DATA, epochs=3, validation=[(INPUTS, INPUTS)])
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "step;epoch;loss;validation_loss"
    assert same(read_csv(tmp_path / "log.csv", separator=";"), history)
    # ... and while the file is open.
    late = CSV(tmp_path / "late.csv")
    late.begin(State({STEP: 0, **{key: value for key, value in one.state.items() if key.name == "history"}}))
    late.write([{"step": 99, "epoch": 9, "new": float("nan")}])
    late.finish()
    assert same(read_csv(tmp_path / "late.csv"), [*history, {"step": 99, "epoch": 9, "new": float("nan")}])


def test_a_cut_off_line_is_left_out_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("step,loss\n1,0.5\n2,0.2")
    assert read_csv(file) == [{"step": 1, "loss": 0.5}]
    file.write_text("step,loss\n1,what\n")
    with pytest.raises(InvalidData, match="line 2"):
        read_csv(file)


def test_rows_are_written_and_files_closed_when_a_trial_fails(tmp_path: Path) -> None:
    log = CSV(tmp_path / "log.csv", steps=1)
    with pytest.raises(Broken):
        trial(log, breaks_at(3)).fit(DATA, epochs=1)
    assert [row["step"] for row in read_csv(tmp_path / "log.csv")] == [1, 2, 3]
    assert log._file is None


@pytest.mark.parametrize("steps", [None, 1])
def test_parquet_holds_every_row_also_after_a_resumption(tmp_path: Path, steps: int | None) -> None:
    polars = pytest.importorskip("polars")
    file, table = tmp_path / "log.parquet", tmp_path / "log.csv"
    first = trial(Parquet(file, steps=steps))
    first.fit(DATA, epochs=2)
    saved = deepcopy(first.state_dict())
    first.fit(DATA, epochs=3)
    second = trial(Parquet(file, steps=steps), CSV(table, steps=steps))
    second.load_state_dict(saved)
    second.fit(DATA, epochs=4, validation=[(INPUTS, INPUTS)])
    frame = polars.read_parquet(file)
    assert frame.schema["step"] == polars.Int64
    assert frame["step"].to_list() == (list(range(1, 21)) if steps else [5, 10, 15, 20])
    last = frame.to_dicts()[-1]
    assert same([last], read_csv(table)[-1:])
    assert steps or frame["validation_loss"].null_count() == 2


def test_parquet_is_written_at_intervals_and_with_a_checkpoint(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    heights: dict[str, list[int]] = {"now": [], "never": []}

    @hook("on_step")
    def watch(state: State) -> None:
        for name, seen in heights.items():
            file = tmp_path / f"{name}.parquet"
            seen.append(polars.read_parquet(file).height if file.exists() else 0)

    lazy = Parquet(tmp_path / "never.parquet", seconds=1e9)
    made = trial(Parquet(tmp_path / "now.parquet", seconds=0), lazy, watch)

    @hook("on_end_epoch")
    def save(state: State) -> None:
        if state[STEP] == 10:
            made.state_dict()

    made.callbacks.append(save)
    made.fit(DATA, epochs=3)
    assert heights["now"][3:11] == [0, 0, 1, 1, 1, 1, 1, 2]
    assert heights["never"][9:11] == [0, 2]


def test_a_missing_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    absent = ("polars", "wandb", "mlflow", "tensorboard", "IPython")
    for name in [name for name in sys.modules if name.partition(".")[0] in absent or "utils.tensorboard" in name]:
        monkeypatch.delitem(sys.modules, name)

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setattr("unbraid.fit.callbacks._shared.import_module", lambda name: refuse(name, None, None, ["x"]))
    makers: dict[str, Callable[[], Any]] = {
        "parquet": lambda: Parquet(tmp_path / "x.parquet"),
        "wandb": lambda: WandB("x"),
        "mlflow": lambda: MLflow(),
        "tensorboard": lambda: TensorBoard(tmp_path),
        "notebook": lambda: LivePlot(),
    }
    for name, make in makers.items():
        with pytest.raises(MissingExtra, match=rf"unbraid\[{name}\]"):
            make()


def test_d22_the_live_plot_needs_no_other_package_and_draws_by_the_clock(tmp_path: Path) -> None:
    times: list[int] = []

    @hook("on_step")
    def watch(state: State) -> None:
        file = tmp_path / "plot.png"
        times.append(file.stat().st_size if file.exists() else 0)

    plot = LivePlot(tmp_path / "plot.png", steps=1, seconds=0)
    trial(plot, watch).fit(DATA, epochs=1)
    assert all(times), "with no seconds between two pictures every step has one"
    drawn = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
    assert drawn.std() > 5
    calm = LivePlot(tmp_path / "calm.png", seconds=1e9)
    assert not (tmp_path / "calm.png").exists()
    trial(calm).fit(DATA, epochs=2)
    assert (tmp_path / "calm.png").exists(), "the end is always drawn"


def test_the_live_plot_shows_what_was_logged(tmp_path: Path) -> None:
    plot = LivePlot(tmp_path / "plot.svg", names=["loss", "validation_loss"], log=True)
    history = trial(plot, metrics=["mse"]).fit(DATA, epochs=4, validation=[(INPUTS, INPUTS)])
    (axes,) = [axes for axes in plot.figure().axes if axes.axison]
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["training"].get_ydata().tolist() == [row["loss"] for row in history]
    assert lines["validation"].get_ydata().tolist() == [row["validation_loss"] for row in history]
    assert lines["training"].get_xdata().tolist() == [5, 10, 15, 20]
    assert axes.get_yscale() == "log"


def test_the_live_plot_of_steps_shows_evaluations_too(tmp_path: Path) -> None:
    plot = LivePlot(tmp_path / "plot.png", steps=1)
    history = trial(plot).fit(DATA, epochs=3, validation=[(INPUTS, INPUTS)])
    lines = {line.get_label(): line for line in plot.figure().axes[0].lines}
    assert lines["training"].get_xdata().tolist() == list(range(1, 16))
    assert lines["validation"].get_ydata().tolist() == [row["validation_loss"] for row in history]


def test_the_live_plot_keeps_few_points_and_remembers_them() -> None:
    plot = LivePlot("unused.png", steps=1)
    plot.write([{"step": step, "epoch": 0, "loss": 1.0 / (step + 1)} for step in range(10_000)])
    steps = [int(row["step"]) for row in plot._rows.items]
    assert 1000 < len(steps) <= 2000
    assert len(set(np.diff(steps))) == 1, "evenly spread"
    again = LivePlot("unused.png", steps=1)
    again.load_state_dict(plot.state_dict())
    for one in (plot, again):
        one.write([{"step": step, "epoch": 0, "loss": 0.0} for step in range(10_000, 10_100)])
    assert plot._rows.items == again._rows.items


def test_the_live_plot_in_a_notebook_updates_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[bytes] = []
    module: Any = ModuleType("IPython.display")
    module.Image = lambda data: data
    handle = SimpleNamespace(update=lambda data: shown.append(data))
    displays: list[bytes] = []
    module.display = lambda data, display_id: displays.append(data) or handle
    package: Any = ModuleType("IPython")
    package.version_info = (9, 0)
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    trial(LivePlot(steps=1, seconds=0)).fit(DATA, epochs=1)
    assert len(displays) == 1
    assert len(shown) == 4
    assert shown[0].startswith(b"\x89PNG")
    assert shown[0] != shown[-1]


def test_looking_at_a_trial_does_not_change_it(tmp_path: Path) -> None:
    bare = trial()
    bare.fit(DATA, epochs=3)
    logged = trial(CSV(tmp_path / "a.csv", steps=1), LivePlot(tmp_path / "a.png", seconds=0))
    logged.fit(DATA, epochs=3)
    for a, b in zip(bare.model.parameters(), logged.model.parameters(), strict=True):
        assert torch.equal(a, b)
