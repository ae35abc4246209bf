"""TensorBoard: scalars, hyper-parameters, the model's graph, pictures and embeddings, in torch's own event files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._graph import recorded
from unbraid.fit.callbacks._shared import extra, is_main, own_loss, png, write_whole
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.callbacks.log import Log, Row
from unbraid.fit.state import CRITERION, MODEL, STEP, Key, State, X
from unbraid.types import Bytes

__all__ = ["WRITER", "Embeddings", "TensorBoard", "to_tensorboard"]

WRITER: Key[Any] = Key("tensorboard_writer")
"""The ``SummaryWriter`` of :class:`TensorBoard`, while a trial fits: write to it what you like."""


class TensorBoard(Log):
    """Writes the history, or steps, to event files; a resumed trial hides what was written after it was saved.

    The graph is recorded from one run of the model, with whatever Python decides in it; the model and the random
    generators are left as they were.

    Args:
        folder: Where the event files go, a folder for each trial.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        graph: Whether the model's graph is drawn at the first step: of ``model(x)``, or of ``model.loss(x, step)``
            where there is no criterion; or a function of the state that computes what is to be drawn.
        parameters: Hyper-parameters, to compare trials by; shown with every scalar of the first record.

    Raises:
        MissingExtra: When tensorboard is not installed.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        graph: bool | Callable[[State], Any] = False,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(steps=steps, values=values)
        self._torch = extra("torch.utils.tensorboard", "the TensorBoard callback", "tensorboard")
        self.folder, self.graph, self.parameters = Path(folder), graph, dict(parameters or {})
        self.writer: Any = None
        self._drawn = self._described = self._failed = False

    def begin(self, state: State) -> None:
        """Open an event file."""
        # Files are read in the order of their names, which two of one second may have the wrong way round.
        while any(self.folder.glob(f"events.out.tfevents.{int(time.time())}.*")):
            time.sleep(0.05)
        after = state[STEP] + 1 if state[STEP] else 0
        state[WRITER] = self.writer = self._torch.SummaryWriter(str(self.folder), purge_step=after)
        self._drawn, self._described, self._failed = not self.graph, not self.parameters, False

    def write(self, rows: Sequence[Row]) -> None:
        """Add scalars."""
        if not self._described and rows:
            self._describe([name for name in rows[0] if name != "step"])
        for row in rows:
            for name, value in row.items():
                if name != "step":
                    self.writer.add_scalar(name, value, int(row["step"]))

    def on_step(self, state: State) -> None:
        """Draw the graph once; make a row if it is due."""
        super().on_step(state)
        if self.open and not self._drawn:
            self._draw(state)

    def on_exception(self, state: State) -> None:
        """Remember that this was no success."""
        self._failed = True

    def on_end(self, state: State) -> None:
        """Close the event file."""
        super().on_end(state)
        state.pop(WRITER, None)

    def finish(self) -> None:
        """Say how it ended, and close."""
        if self.parameters and not self._failed:
            self.writer.file_writer.add_summary(self._hyper([])[2])
        self.writer.close()
        self.writer = None

    def state_dict(self) -> dict[str, Any]:
        """Nothing, but everything before this moment is in the file."""
        super().state_dict()
        if self.open:
            self.writer.flush()
        return {}

    def _hyper(self, names: Sequence[str]) -> Any:
        plain = {k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in self.parameters.items()}
        return extra("torch.utils.tensorboard.summary", "the parameters", "tensorboard").hparams(
            plain, dict.fromkeys(names, 0.0)
        )

    def _describe(self, names: Sequence[str]) -> None:
        experiment, begun, _ = self._hyper(names)
        self.writer.file_writer.add_summary(experiment)
        self.writer.file_writer.add_summary(begun)
        self._described = True

    def _draw(self, state: State) -> None:
        compat = "tensorboard.compat.proto"
        event, graph, node = (
            extra(f"{compat}.{name}_pb2", "the graph", "tensorboard") for name in ("event", "graph", "node_def")
        )
        attributes = extra("torch.utils.tensorboard._proto_graph", "the graph", "tensorboard").attr_value_proto
        made = graph.GraphDef(
            node=[
                node.NodeDef(name=n.name, op=n.kind, input=n.inputs, attr=attributes(None, n.shape, None))
                for n in recorded(state[MODEL], lambda: self._run(state))
            ]
        )
        made.versions.producer = 22
        self.writer.file_writer.add_event(event.Event(graph_def=made.SerializeToString()))
        self._drawn = True

    def _run(self, state: State) -> Any:
        if callable(self.graph):
            return self.graph(state)
        model: Any = state[MODEL]
        return model(state[X]) if state[CRITERION] is not None else own_loss(model, state[X], state[STEP])


def to_tensorboard(tag: str) -> Callable[[Bytes, State], None]:
    """A place for pictures: the trial's TensorBoard.

    Args:
        tag: Under which name.

    Raises:
        InvalidOption: When a picture comes and the trial has no open :class:`TensorBoard`.
    """

    def put(picture: Bytes, state: State) -> None:
        _writer(state).add_image(tag, picture, state[STEP], dataformats="HWC")

    return put


def _writer(state: State) -> Any:
    if WRITER not in state:
        raise InvalidOption("no TensorBoard is open: add the callback TensorBoard, after whatever writes at the end")
    return state[WRITER]


class Embeddings(Callback):
    """Gives TensorBoard's projector the codes of the first samples of every evaluation.

    Args:
        of: A key, or a function of the state, that gives codes ``(B, D)`` for a batch of an evaluation.
        labels: The same for ``(B,)`` labels.
        images: The same for the images ``(B, C, H, W)`` that stand for the samples.
        count: Samples at most, at least 1.
        name: What they are called.
    """

    def __init__(
        self,
        of: Key[Any] | Callable[[State], Any],
        *,
        labels: Key[Any] | Callable[[State], Any] | None = None,
        images: Key[Any] | Callable[[State], Any] | None = None,
        count: int = 1000,
        name: str = "embedding",
    ) -> None:
        require_at_least(1, count=count)
        self.sources = {"codes": of, "labels": labels, "images": images}
        self.count, self.name = count, name
        self._fitting = False
        self._parts: dict[str, list[Tensor]] = {}

    def on_start(self, state: State) -> None:
        """Begin: an evaluation outside of a fit is not written."""
        self._fitting = is_main()

    def on_end(self, state: State) -> None:
        """End."""
        self._fitting = False

    def on_start_validation(self, state: State) -> None:
        """Forget the last evaluation."""
        self._parts = {name: [] for name, of in self.sources.items() if of is not None}

    def on_step_validation(self, state: State) -> None:
        """Keep the batch, if more is wanted."""
        if self._fitting and sum(map(len, self._parts["codes"])) < self.count:
            for name, parts in self._parts.items():
                of = self.sources[name]
                value = state[of] if isinstance(of, Key) else of(state) if of else None
                parts.append(torch.as_tensor(value).detach().cpu())

    def on_end_validation(self, state: State) -> None:
        """Write what was kept."""
        if not self._fitting:
            return
        whole = {name: torch.cat(parts)[: self.count] for name, parts in self._parts.items()}
        if whole["codes"].ndim != 2 or len({len(values) for values in whole.values()}) != 1:
            shapes = ", ".join(f"{name} {tuple(values.shape)}" for name, values in whole.items())
            raise InvalidData(f"embeddings need codes (N, D), with as many labels and images, but have {shapes}")
        _project(Path(_writer(state).log_dir), f"{state[STEP]:07d}/{self.name}", whole)


def _project(folder: Path, where: str, whole: Mapping[str, Tensor]) -> None:
    """Write what the projector reads; an entry for the same step takes the place of an older one."""
    lines = [f'  tensor_name: "{where}"', f'  tensor_path: "{where}/codes.tsv"']
    write_whole(folder / where / "codes.tsv", _table(whole["codes"].double().numpy()))
    if "labels" in whole:
        write_whole(folder / where / "labels.tsv", _table(whole["labels"].numpy()[:, None]))
        lines.append(f'  metadata_path: "{where}/labels.tsv"')
    if "images" in whole:
        images = whole["images"]
        height, width = images.shape[-2:]
        side = int(np.ceil(np.sqrt(len(images))))
        sheet = np.full((side * height, side * width, 3), 255, dtype=np.uint8)
        picture = make_grid(images, columns=side, gap=0)
        sheet[: picture.shape[0], : picture.shape[1]] = picture
        write_whole(folder / where / "sprite.png", png(sheet))
        lines.append(f'  sprite {{ image_path: "{where}/sprite.png"')
        lines.append(f"    single_image_dim: {width} single_image_dim: {height} }}")
    file = folder / "projector_config.pbtxt"
    before = file.read_text("utf-8").split("\n\n") if file.exists() else []
    entries = [entry for entry in before if entry.strip() and f'"{where}"' not in entry]
    entries.append("\n".join(["embeddings {", *lines, "}"]))
    write_whole(file, "\n\n".join(entries).encode())


def _table(values: Any) -> bytes:
    return "".join("\t".join(str(value) for value in row) + "\n" for row in values.tolist()).encode()
