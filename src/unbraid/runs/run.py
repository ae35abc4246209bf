"""A run: one fitted model and everything about it, as a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, RunError, UnbraidError
from unbraid.fit.callbacks.checkpoint import previous
from unbraid.fit.callbacks.checkpoint import read as read_checkpoint
from unbraid.fit.callbacks.history import read as read_history
from unbraid.model import Model
from unbraid.runs import folder
from unbraid.runs.config import config
from unbraid.runs.encode import check_shape
from unbraid.views.classes import Classes
from unbraid.world import World

__all__ = ["Run", "measured"]


class Run:
    """One fitted model, its world, its history and its scores, read from a folder when they are asked for.

    Args:
        path: The folder.
        model: The model, for classes that are not on a shelf; weights are loaded into it.
        world: The world, likewise.

    Raises:
        RunError: When the folder is not a run.
    """

    def __init__(self, path: str | Path, *, model: Model | None = None, world: World | None = None) -> None:
        self.path = Path(path)
        self._model, self._world = model, world
        self.config: dict[str, Any] = config(self.path)

    @classmethod
    def load(cls, path: str | Path, *, model: Model | None = None, world: World | None = None) -> Run:
        """The run in a folder; arguments as for the class."""
        return cls(path, model=model, world=world)

    @property
    def name(self) -> str:
        """Model and world, for titles."""
        return f"{self.config['model']['name']} on {self.config['world']['name']}"

    @property
    def finished(self) -> bool:
        """Whether the training is complete."""
        return (self.path / folder.MODEL).is_file()

    @cached_property
    def world(self) -> World:
        """The world it was trained on."""
        if self._world is not None:
            return self._world
        made: World = _make("worlds", self.config["world"], self.path)()
        return made

    @cached_property
    def model(self) -> Model:
        """The fitted model, on the CPU, ready to encode and decode.

        Raises:
            RunError: When the training is not complete, or the weights are damaged or of another model.
        """
        if not self.finished:
            raise RunError(f"{self.path} is not finished: the command that began it, given again, continues it")
        return self._filled(folder.MODEL, safetensors.torch.load_file)

    def unfinished(self) -> Model:
        """The model as the newest checkpoint has it, on the CPU, ready to encode and decode.

        Raises:
            RunError: When there is no checkpoint, or it is damaged or of another model.
        """
        return self._filled(folder.CHECKPOINT, _checkpointed)

    def _filled(self, name: str, weights: Callable[[Path], dict[str, Any]]) -> Model:
        model = self._model
        if model is None:
            # The weights drawn here are replaced at once: nobody's random numbers are used up for them.
            with torch.random.fork_rng(devices=[]):
                model = _make("models", self.config["model"], self.path)(tuple(self.config["shape"]))
        try:
            model.load_state_dict(weights(self.path / name))
        except (SafetensorError, RuntimeError, OSError, InvalidData) as error:
            reason = str(error).partition("\n")[0]
            raise RunError(
                f"{self.path / name} is damaged or of another model ({reason}): restore it, or train again"
            ) from None
        return model.cpu().eval()

    @property
    def classes(self) -> tuple[str, ...]:
        """The factors that were the class where it saw the world as classes; none otherwise, or if nobody can tell."""
        view = self.config["view"]
        if view["name"] != Classes.name:
            return ()
        if view.get("classes") is not None:
            return tuple(view["classes"])
        given = tuple(view["options"].get("factors", ()))
        try:
            return given or Classes(self.world).classes.names
        except RunError:  # the world is on no shelf
            return ()

    @property
    def history(self) -> list[dict[str, float]]:
        """One row a record: step, loss and its terms in nats per image."""
        path = self.path / folder.HISTORY
        return read_history(path) if path.is_file() else []

    @property
    def scores(self) -> dict[str, Any]:
        """What ``evaluate`` has found so far, by score."""
        path = self.path / folder.SCORES
        kept = folder.read_json(path) if path.is_file() else {}
        if not isinstance(kept, dict) or not all(_valued(score) for score in kept.values()):
            raise RunError(f"{path} is damaged (every score must have a value): restore it, or remove it")
        return kept

    def __repr__(self) -> str:
        state = "finished" if self.finished else "not finished"
        seed, steps = self.config["seed"], self.config["steps"]
        return f"Run({str(self.path)!r})  # {self.name}, seed {seed}, {steps:,} steps, {state}"


def measured(run_or_model: Run | Model | str | Path, world: World | None) -> tuple[Run | None, Model, World]:
    """What is to be measured: the run, where it is one, its model, and the world, by default the run's own.

    Raises:
        InvalidOption: When a model is given without a world, or their shapes differ.
        RunError: When the run cannot be read.
    """
    found = Run(run_or_model) if isinstance(run_or_model, str | Path) else run_or_model
    run, model = (found, found.model) if isinstance(found, Run) else (None, found)
    world = world if world is not None else run.world if run is not None else None
    if world is None or not isinstance(model, Model):
        raise InvalidOption(
            "a model without a run must be given with the world it is measured on: evaluate(model, world)"
        )
    check_shape(model, world)
    return run, model, world


def _checkpointed(path: Path) -> dict[str, Any]:
    """The weights in a checkpoint, or in the one before it while a training puts the new one in its place."""
    try:
        saved = read_checkpoint(path)
    except FileNotFoundError:
        saved = read_checkpoint(previous(path))
    weights: dict[str, Any] = saved["model"]
    return weights


def _valued(score: Any) -> bool:
    value = score.get("value") if isinstance(score, dict) else None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _make(shelf: str, about: dict[str, Any], path: Path) -> Any:
    """What makes the object that a config describes, from the positional arguments it still needs."""
    if about["name"] not in registry.names(shelf):
        what = shelf.removesuffix("s")
        raise RunError(
            f"the {what} of {path} is {about['name']}, which is on no shelf: in Python, give Run.load(path, "
            f"{what}=...), and what it returns to plot, evaluate or judge"
        )
    cls = registry.load(shelf, about["name"])

    def made(*arguments: Any) -> Any:
        try:
            return cls(*arguments, **about["options"])
        except UnbraidError as error:
            raise RunError(f"{path}: {error}") from None
        except (TypeError, ValueError, AttributeError, LookupError, OverflowError, RuntimeError) as error:
            raise RunError(f"{path / folder.RUN} does not fit {cls.__name__} as it is today ({error})") from None

    return made
