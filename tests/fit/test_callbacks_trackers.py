"""TensorBoard and tracking services: all can be read back, and a resumed trial goes on in the same place."""

from __future__ import annotations

import io
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from unbraid.errors import InvalidOption
from unbraid.fit import Tensors, Trial, hook
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.tensorboard import WRITER, Embeddings, TensorBoard, to_tensorboard
from unbraid.fit.callbacks.trackers import MLflow, WandB
from unbraid.fit.state import STEP, Y_TRUE, State, X

INPUTS = torch.linspace(-1, 1, 20)[:, None]
DATA = Tensors(INPUTS, 3 * INPUTS + 1, batch_size=4)  # 5 batches an epoch


def trial(*callbacks: Callback, seed: int = 0, **options: Any) -> Trial:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    return Trial(model, lambda p: torch.optim.SGD(p, lr=0.1), nn.functional.mse_loss, callbacks=callbacks, **options)


class Broken(Exception):
    """What stops a trial in these tests."""


def breaks_at(step: int) -> Callback:
    @hook("on_step")
    def stop(state: State) -> None:
        if state[STEP] == step:
            raise Broken

    return stop


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


def test_event_files_of_one_second_are_read_in_the_order_in_which_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.summary.writer import event_file_writer

    monkeypatch.setattr(event_file_writer, "_global_uid", SimpleNamespace(get=iter((9, 10)).__next__))
    log = trial(TensorBoard(tmp_path))
    log.fit(DATA, epochs=1)
    log.fit(DATA, epochs=2)
    assert [event.step for event in events(tmp_path).Scalars("loss")] == [5, 10]


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


def test_hyper_parameters_of_a_trial_that_failed_are_not_called_a_success(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with pytest.raises(Broken):
        trial(TensorBoard(tmp_path, parameters={"rate": 0.1}), breaks_at(7)).fit(DATA, epochs=2)
    content = events(tmp_path).summary_metadata
    assert "_hparams_/session_start_info" in content
    assert "_hparams_/session_end_info" not in content


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

    class Two(Own):
        def players(self) -> dict[str, list[nn.Parameter]]:
            return {"weight": [self.layer.weight], "bias": [self.layer.bias]}

        def loss(self, batch: torch.Tensor, step: int, player: str = "") -> torch.Tensor:
            return super().loss(batch, step) * (1 if player == "weight" else torch.tensor(0.5).exp())

    for kind in (Own, Two):
        folder = tmp_path / kind.__name__
        Trial(kind(), callbacks=[TensorBoard(folder, graph=True)]).fit([INPUTS], epochs=1)
        names = {node.name for node in events(folder).Graph().node}
        assert {"layer/linear", "square", "mean"} <= names
        assert ("exp" in names) == (kind is Two), "every player's loss is drawn"


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
    made.evaluate(data)
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
