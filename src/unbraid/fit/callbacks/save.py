"""Weights on disk: the best, and those of every so many steps or epochs."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unbraid.errors import InvalidData, InvalidOption, UnknownName, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import is_main, write_whole
from unbraid.fit.callbacks.average import Average
from unbraid.fit.callbacks.monitor import Mode, Monitor
from unbraid.fit.state import EPOCH, METRICS, MODEL, STEP, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["Best", "Interval"]


class Best(Callback):
    """Saves the model's weights whenever a quantity is better than ever, and keeps the best few.

    A file is what ``model.state_dict()`` gives, read by ``torch.load(path, weights_only=True)`` or :meth:`restore`; at
    every moment the old or the new one is there, whole. The trial itself is not changed.

    Args:
        path: The file; fields such as ``{step}``, ``{epoch:02d}`` and ``{validation_loss:.3f}`` are filled in.
        monitor: What is watched, by its name in the history.
        mode: Whether small or large is good.
        min_delta: By how much a value must be better to be saved, at least 0.
        keep: How many files are kept, at least 1; the worse ones are removed.
        average: An EMA or SWA whose weights are saved in place of the model's.
    """

    def __init__(
        self,
        path: str | Path,
        monitor: str = "validation_loss",
        *,
        mode: Mode = "auto",
        min_delta: float = 0.0,
        keep: int = 1,
        average: Average | None = None,
    ) -> None:
        require_at_least(1, keep=keep)
        _check_fields(path, keep)
        self.monitor = Monitor(monitor, mode=mode, min_delta=min_delta)
        self.path, self.keep, self.average = Path(path), keep, average
        self.kept: list[tuple[float, Path]] = []
        """Values and files, best first."""

    def on_record(self, state: State) -> None:
        """Save, if it is good enough."""
        value = self.monitor.read(state)
        if value is None or not math.isfinite(value):
            return
        worst = self.kept[-1][0] if len(self.kept) == self.keep else None
        if not self.monitor.better(value, worst):
            return
        path = _filled(self.path, state)
        if self.average is None:
            _write(path, state[MODEL].state_dict())
        else:
            with self.average.swap(state[MODEL]):
                _write(path, state[MODEL].state_dict())
        self.kept = [entry for entry in self.kept if entry[1] != path]
        place = sum(not self.monitor.better(value, other) for other, _ in self.kept)
        self.kept.insert(place, (value, path))
        for _, old in self.kept[self.keep :]:
            _remove(old)
        del self.kept[self.keep :]

    def on_end_epoch(self, state: State) -> None:
        """Make sure that the quantity exists."""
        self.monitor.end_epoch(state)

    def restore(self, model: nn.Module) -> None:
        """Give a model the best weights.

        Raises:
            InvalidData: When nothing has been saved yet.
        """
        if not self.kept:
            raise InvalidData(f"nothing has been saved to {self.path} yet: fit first")
        model.load_state_dict(torch.load(self.kept[0][1], map_location="cpu", weights_only=True))

    def state_dict(self) -> dict[str, Any]:
        """Values and files."""
        return {"kept": [[value, str(path)] for value, path in self.kept]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up values and files."""
        self.kept = [(value, Path(path)) for value, path in state["kept"]]


class Interval(Callback):
    """Saves the model's weights, or the whole trial, every so many steps or epochs.

    Args:
        path: The file; ``{step}``, ``{epoch:02d}`` and the metrics of the last record are filled in.
        steps: Steps between two files, at least 1.
        epochs: Epochs between two files, at least 1; give one of the two.
        keep: How many files are kept, at least 1; None keeps all.
        whole: Whether the whole trial is saved, to be taken up by ``resume``, or its weights only.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        keep: int | None = None,
        whole: bool = False,
    ) -> None:
        if (steps is None) == (epochs is None):
            raise InvalidOption("give either steps or epochs, as in Interval('{step}.pt', steps=1000)")
        require_at_least(1, every=steps or epochs or 0, keep=keep or 1)
        _check_fields(path, 2 if keep is None else keep)
        self.path, self.steps, self.epochs, self.keep, self.whole = Path(path), steps, epochs, keep, whole
        self.last = whole
        self.kept: list[Path] = []
        """The files, newest last."""
        self.trial: Trial | None = None

    def bind(self, trial: Trial) -> None:
        """Called by the trial when it starts: what is to be saved."""
        self.trial = trial

    def on_step(self, state: State) -> None:
        """Save when it is time."""
        if self.steps and state[STEP] % self.steps == 0:
            self._save(state)

    def on_end_epoch(self, state: State) -> None:
        """Save when it is time."""
        if self.epochs and state[EPOCH] % self.epochs == 0:
            self._save(state)

    def state_dict(self) -> dict[str, Any]:
        """The files."""
        return {"kept": [str(path) for path in self.kept]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the files."""
        self.kept = [Path(path) for path in state["kept"]]

    def _save(self, state: State) -> None:
        path = _filled(self.path, state)
        self.kept = [*(old for old in self.kept if old != path), path]
        surplus = self.kept[: -self.keep] if self.keep else []
        self.kept = self.kept[len(surplus) :]
        _write(path, self.trial.state_dict() if self.whole and self.trial else state[MODEL].state_dict())
        for old in surplus:
            _remove(old)


def _check_fields(path: str | Path, keep: int) -> None:
    if keep > 1 and "{" not in str(path):
        raise InvalidOption(f"several files need several names: {path} has no field such as {{step}}")


def _filled(path: Path, state: State) -> Path:
    metrics: dict[str, float] = state[METRICS]
    fields = {**metrics, "step": state[STEP], "epoch": state[EPOCH]}
    try:
        return Path(str(path).format_map(fields))
    except KeyError as error:
        raise UnknownName("field of a file name", str(error.args[0]), fields) from None


def _write(path: Path, saved: dict[str, Any]) -> None:
    if is_main():
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        write_whole(path, buffer.getvalue())


def _remove(path: Path) -> None:
    if is_main():
        path.unlink(missing_ok=True)
