"""Logs: every row once, in every format, whatever happens to the trial."""

from __future__ import annotations

import builtins
import io
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

from unbraid.errors import InvalidData, InvalidOption, MissingExtra
from unbraid.fit import Tensors, Trial, hook
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.liveplot import LivePlot
from unbraid.fit.callbacks.log import BUFFER
from unbraid.fit.callbacks.tables import CSV, Parquet, read_csv
from unbraid.fit.callbacks.tensorboard import WRITER, Embeddings, TensorBoard, to_tensorboard
from unbraid.fit.callbacks.trackers import MLflow, WandB
from unbraid.fit.state import LOSS, STEP, Y_TRUE, State, X

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


def test_the_loss_of_a_step_is_the_mean_over_its_window(tmp_path: Path) -> None:
    losses: list[float] = []

    @hook("on_criterion")
    def watch(state: State) -> None:
        losses.append(state[LOSS].item())

    trial(watch, CSV(tmp_path / "log.csv", steps=1), accumulate=2).fit(DATA, epochs=1)
    expected = [np.mean(losses[0:2]), np.mean(losses[2:4]), losses[4]]
    assert [row["loss"] for row in read_csv(tmp_path / "log.csv")] == pytest.approx(expected)


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


# TensorBoard


def events(folder: Path) -> Any:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0}).Reload()


def test_tensorboard_holds_the_history_once_also_after_a_resumption(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    first = trial(TensorBoard(tmp_path))
    first.fit(DATA, epochs=2)
    saved = deepcopy(first.state_dict())
    first.fit(DATA, epochs=3)
    second = trial(TensorBoard(tmp_path))
    second.load_state_dict(saved)
    history = second.fit(DATA, epochs=4, validation=[(INPUTS, INPUTS)])
    written = events(tmp_path)
    assert set(written.Tags()["scalars"]) == {"epoch", "loss", "validation_loss"}
    losses = written.Scalars("loss")
    assert [event.step for event in losses] == [5, 10, 15, 20]
    assert [event.value for event in losses] == pytest.approx([row["loss"] for row in history])


def test_tensorboard_takes_every_step_and_hyper_parameters(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    trial(TensorBoard(tmp_path, steps=2, parameters={"rate": 0.1, "name": "tanh", "shape": (8, 1)})).fit(DATA, epochs=2)
    written = events(tmp_path)
    assert [event.step for event in written.Scalars("loss")] == [2, 4, 6, 8, 10]
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = written.summary_metadata
    assert set(content) >= {"_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"}
    experiment = HParamsPluginData.FromString(content["_hparams_/experiment"].plugin_data.content).experiment
    assert {info.name.tag for info in experiment.metric_infos} == {"epoch", "loss"}
    begun = HParamsPluginData.FromString(content["_hparams_/session_start_info"].plugin_data.content)
    values = begun.session_start_info.hparams
    assert values["rate"].number_value == 0.1
    assert values["name"].string_value == "tanh"
    assert values["shape"].string_value == "(8, 1)"


class Branching(nn.Module):
    """A model that no tracer follows: Python decides on values, and randomness and state are about."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.drop, self.last = nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.drop(self.norm(self.first(x)))
        return self.last(hidden.relu() if hidden.sum().item() != float("inf") else hidden) + 0 * torch.rand(1)


def test_d26_the_graph_is_drawn_without_a_tracer_and_leaves_no_trace(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    results = []
    for graph in (False, True):
        torch.manual_seed(0)
        model = Branching()
        log = TensorBoard(tmp_path / str(graph), graph=graph)
        Trial(model, criterion=nn.functional.mse_loss, callbacks=[log]).fit(DATA, epochs=2)
        results.append([value.clone() for value in model.state_dict().values()])
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    nodes = {node.name: node for node in events(tmp_path / "True").Graph().node}
    assert nodes["first/linear"].input[:] == ["input", "first/weight", "first/bias"]
    assert nodes["norm/batch_norm"].input[0] == "first/linear"
    assert nodes["relu"].op == "relu"
    assert nodes["last/linear"].input[0] == "relu"
    assert [d.size for d in nodes["last/linear"].attr["_output_shapes"].list.shape[0].dim] == [4, 1]
    names = set(nodes)
    assert all(source in names for node in nodes.values() for source in node.input), "every edge has two ends"


def test_the_graph_of_a_model_with_a_loss_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def loss(self, batch: torch.Tensor, step: int) -> torch.Tensor:
            return self.layer(batch).square().mean()

    Trial(Own(), callbacks=[TensorBoard(tmp_path, graph=True)]).fit([INPUTS], epochs=1)
    assert {"layer/linear", "square", "mean"} <= {node.name for node in events(tmp_path).Graph().node}


def test_pictures_and_whatever_else_go_to_the_open_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)

    @hook("on_record")
    def draw(state: State) -> None:
        to_tensorboard("drawn")(picture, state)
        state[WRITER].add_text("note", "written")

    made = trial(draw, TensorBoard(tmp_path))
    made.fit(DATA, epochs=2)
    written = events(tmp_path)
    assert [image.step for image in written.Images("drawn")] == [5, 10]
    stored = np.asarray(Image.open(io.BytesIO(written.Images("drawn")[0].encoded_image_string)))
    assert np.array_equal(stored, picture)
    with pytest.raises(InvalidOption, match="no TensorBoard is open"):
        draw(made.state)


def test_embeddings_can_be_read_by_the_projector(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    images = torch.rand(20, 1, 4, 6)
    data = [(images[:8], torch.arange(8)), (images[8:16], torch.arange(8, 16)), (images[16:], torch.arange(16, 20))]
    codes = Embeddings(of=lambda s: s[X].flatten(1)[:, :3], labels=Y_TRUE, images=X, count=10, name="pixels")
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 20))
    made = Trial(model, criterion=nn.functional.cross_entropy, callbacks=[TensorBoard(tmp_path), codes])
    made.evaluate(data)  # outside of a fit: nothing to write to, and no error
    made.fit(data, epochs=1, validation=data)
    Trial(model, criterion=nn.functional.cross_entropy, callbacks=[TensorBoard(tmp_path), codes]).fit(
        data, epochs=2, validation=data
    )
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert [entry.tensor_name for entry in config.embeddings] == ["0000003/pixels", "0000006/pixels"]
    entry = config.embeddings[0]
    vectors = np.loadtxt(tmp_path / entry.tensor_path, delimiter="\t")
    assert np.allclose(vectors, images[:10].flatten(1)[:, :3])
    assert (tmp_path / entry.metadata_path).read_text().split() == [str(n) for n in range(10)]
    assert list(entry.sprite.single_image_dim) == [6, 4]
    sprite = np.asarray(Image.open(tmp_path / entry.sprite.image_path))
    assert sprite.shape == (16, 24, 3), "a square of 4 by 4 images"
    assert np.abs(sprite[4:8, 6:12, 0] / 255 - images[5, 0].numpy()).max() < 0.003


# Tracking services


class FakeRun:
    def __init__(self, options: dict[str, Any]) -> None:
        self.id, self.options = options.get("id", "run-7"), options
        self.logged: list[dict[str, float]] = []
        self.defined: list[Any] = []
        self.ended: int | None = None

    def log(self, row: dict[str, float]) -> None:
        self.logged.append(row)

    def define_metric(self, name: str, **options: Any) -> None:
        self.defined.append((name, options))

    def finish(self, exit_code: int) -> None:
        self.ended = exit_code


def test_wandb_gets_every_row_and_a_resumed_trial_goes_on_in_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[FakeRun] = []
    module = ModuleType("wandb")
    module.init = lambda **options: runs.append(FakeRun(options)) or runs[-1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    first = trial(WandB("curves", parameters={"rate": 0.1}, name="one"))
    history = first.fit(DATA, epochs=2)
    assert runs[0].logged == history
    assert runs[0].options == {"project": "curves", "config": {"rate": 0.1}, "name": "one"}
    assert ("*", {"step_metric": "step"}) in runs[0].defined
    assert runs[0].ended == 0
    second = trial(WandB("curves", steps=1), breaks_at(12))
    second.load_state_dict(first.state_dict())
    with pytest.raises(Broken):
        second.fit(DATA, epochs=4)
    assert (runs[1].id, runs[1].options["resume"]) == ("run-7", "allow")
    assert [row["step"] for row in runs[1].logged] == [11, 12]
    assert runs[1].ended == 1


def test_mlflow_gets_every_row_and_a_resumed_trial_goes_on_in_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []
    module: Any = ModuleType("mlflow")
    for name in ("set_tracking_uri", "set_experiment", "log_params", "end_run"):
        setattr(module, name, lambda *args, name=name: calls.append((name, *args)))
    module.log_metrics = lambda values, step: calls.append(("log_metrics", step, values))

    def start_run(**options: Any) -> Any:
        calls.append(("start_run", options))
        return SimpleNamespace(info=SimpleNamespace(run_id=options.get("run_id", "r1")))

    module.start_run = start_run
    monkeypatch.setitem(sys.modules, "mlflow", module)
    first = trial(MLflow("curves", parameters={"rate": 0.1}, uri="file:x", name="one"))
    history = first.fit(DATA, epochs=1)
    assert calls == [
        ("set_tracking_uri", "file:x"),
        ("set_experiment", "curves"),
        ("start_run", {"run_name": "one"}),
        ("log_params", {"rate": 0.1}),
        ("log_metrics", 5, {"epoch": 1.0, "loss": history[0]["loss"]}),
        ("end_run", "FINISHED"),
    ]
    saved = deepcopy(first.state_dict())
    calls.clear()
    second = trial(MLflow("curves", parameters={"rate": 0.1}), breaks_at(7))
    second.load_state_dict(saved)
    with pytest.raises(Broken):
        second.fit(DATA, epochs=4)
    assert ("start_run", {"run_id": "r1"}) in calls
    assert not any(call[0] == "log_params" for call in calls)
    assert calls[-1] == ("end_run", "FAILED")


# Live plot


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
