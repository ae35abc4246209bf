"""Training: a model, a world, a folder."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch.optim.lr_scheduler import LambdaLR

import unbraid
from unbraid import registry
from unbraid.errors import InvalidOption, RunError, nearest, require_at_least
from unbraid.fit import Checkpoint, History, Progress, Schedule, StopOnNaN, resume
from unbraid.fit.callback import Callback
from unbraid.fit.data import kept_randomness
from unbraid.fit.runtime import PRECISIONS, Precision, find_device
from unbraid.fit.state import STEP
from unbraid.model import Model
from unbraid.runs import folder
from unbraid.runs.config import FORMAT
from unbraid.runs.encode import check_shape
from unbraid.runs.preset import settled
from unbraid.runs.run import Run
from unbraid.runs.speed import SPEEDS, Speed, Way, choose
from unbraid.runs.unseen import UNSEEN
from unbraid.runs.watch import LOOKED_AT, Filming, Symptoms, held_out, nats
from unbraid.seed import derive
from unbraid.view import View
from unbraid.view import view as viewed
from unbraid.views.classes import Classes
from unbraid.world import World

__all__ = ["check", "train"]

RECORDS = 100
"""Rows of history that a run aims at."""
WEAK = ("pairs", "ranked", "classes")
"""Views whose loss says, on what a model is not fitted to, how well it has set things apart."""
MADE = ("model", "world", "view")
"""What of a configuration has options of its own."""


def train(
    model: str | Model,
    world: str | World,
    *,
    steps: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    preset: str | None = None,
    budget: int | None = None,
    until: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    decay: int = 0,
    view: Mapping[str, Any] | None = None,
    device: str = "auto",
    speed: Speed = "exact",
    precision: Precision | None = None,
    checkpoint_seconds: float = 30.0,
    progress: bool = True,
    film: int = 0,
    **options: Any,
) -> Run:
    """Fit a model to a world and keep everything in a run folder; the same call in the same folder continues it.

    An interrupted run (Ctrl-C, ``kill -9``, a power cut) that is continued ends with the same weights, to the last bit,
    as one that was never interrupted.

    Args:
        model: A name from ``unbraid list models``, or a model.
        world: A name from ``unbraid list worlds``, or a world.
        steps: Optimisation steps in total, at least 1; 5000 unless a preset says otherwise.
        seed: What initial weights, batches and noise depend on, at least 0.
        out: The folder; ``runs/<model>-<world>-<seed>`` by default.
        preset: The settings of a paper, by a name that the model knows; what else is given counts more.
        budget: Steps to do in place of those that the settings are meant for, at least 1; options of the model that
            count steps are scaled in proportion.
        until: The step to stop at for now, at least 1; the same call with a later one, or without, goes on from there.
        batch_size: Images in a batch, at least 1; 64 unless a preset says otherwise.
        learning_rate: Of Adam, above 0; 0.0005 unless a preset says otherwise. Weights decay (as in AdamW) only where
            the model asks for it.
        decay: Steps at the end over which the learning rate falls linearly to 0; none by default, all of them at most.
        view: Options of the view in which the model sees the world (:mod:`unbraid.views`), as ``{"k": 1}`` for pairs.
        device: ``auto`` (CUDA, else MPS, else CPU), or a device by name.
        speed: ``exact`` computes as written, in float32; ``fast`` as this machine is known to be fastest, which rounds
            otherwise (bfloat16 where the hardware multiplies it, channels last, fused Adam); ``auto`` measures for a
            few seconds and takes what turns out fastest. What was taken is kept, and a continued run keeps to it.
        precision: float32, or bfloat16 or float16 by autocast, whatever the speed; by default what the speed takes.
        checkpoint_seconds: Time between two checkpoints, at least 0.
        progress: Whether to show how far it is.
        film: Frames of a film of what latents do as they are learned, ``figures/film.gif``, 200 at most; 0 for none.
        **options: The model's own options, when it is given by name.

    Returns:
        The run, finished unless it was to stop before its last step.

    Raises:
        UnknownName: When there is no such model, world or option.
        InvalidOption: When an option is out of range.
        RunError: When the folder holds a finished run or a different one, or cannot be written.
        NotFinite: When the loss is not a finite number any more.
    """
    settings = settled(model, preset, budget, options, steps=steps, batch_size=batch_size, learning_rate=learning_rate)
    steps, batch_size, learning_rate = settings.steps, settings.batch_size, settings.learning_rate
    require_at_least(1, steps=steps, until=1 if until is None else until)
    require_at_least(0, seed=seed)
    check(
        batch_size=batch_size, learning_rate=learning_rate, decay=decay, device=device, speed=speed,
        precision=precision, checkpoint_seconds=checkpoint_seconds, film=film,
    )  # fmt: skip
    if decay > steps:
        raise InvalidOption(f"decay must be at most as many steps as there are, {steps}, but is {decay}")
    where = find_device(device)
    if isinstance(world, str):
        world = _world(world)
    with kept_randomness():
        torch.manual_seed(derive(seed, "initialise"))
        model = _model(model, world, settings.options)
        stream = _stream(model, world, batch_size, seed, dict(view or {}))
        config: dict[str, Any] = {
            "format": FORMAT,
            "model": _described("models", model),
            "world": _described("worlds", world),
            "view": _seen(stream),
            "shape": list(world.shape),
            "steps": steps,
            "seed": seed,
            **{name: value for name, value in {"preset": preset, "budget": budget}.items() if value is not None},
            "fit": {
                "batch_size": batch_size,
                "learning_rate": learning_rate,
                "decay": decay,
                "device": device,
                "speed": speed,
                "precision": precision or ("float32" if speed == "exact" else None),
            },
        }
        path = (
            Path(out)
            if out is not None
            else Path("runs") / f"{config['model']['name']}-{config['world']['name']}-{seed}"
        )
        _check(path, config)
        if settings.said and progress:
            print(f"unbraid: {settings.said}", file=sys.stderr)
        folder.make(path)
        with folder.exclusive(path):
            _check(path, config)  # again: another process may have been here before the folder was ours
            watching: list[Callback] = [nats(model, world, seed=seed)]
            if model.view in WEAK:
                watching.append(
                    held_out(model, _stream(model, world, LOOKED_AT // 2, UNSEEN, dict(view or {})).batch(0))
                )
            if type(model).symptoms is not Model.symptoms:
                watching.append(
                    Symptoms(model, stream.batch(0), lambda said: print(f"unbraid: {said}", file=sys.stderr))
                )
            if film:
                watching.append(Filming(model, world, path / folder.FIGURES / "film.gif", frames=film, seed=seed))
            _fit(path, config, model, stream, where, checkpoint_seconds, progress, watching, until or steps)
    return Run(path, model=model if registry.name_of("models", model) is None else None, world=world)


def check(
    *,
    batch_size: int = 64,
    learning_rate: float = 5e-4,
    decay: int = 0,
    device: str = "auto",
    speed: str = "exact",
    precision: str | None = None,
    checkpoint_seconds: float = 30.0,
    film: int = 0,
) -> None:
    """See whether options of training can be; arguments as for :func:`train`.

    Raises:
        InvalidOption: When one is out of range.
    """
    require_at_least(1, batch_size=batch_size)
    require_at_least(0, checkpoint_seconds=checkpoint_seconds, film=film, decay=decay)
    if not 0 < learning_rate < float("inf"):
        raise InvalidOption(f"learning_rate must be a finite number above 0, but is {learning_rate}")
    if speed not in SPEEDS:
        raise InvalidOption(f"speed must be one of {', '.join(SPEEDS)}, but is {speed!r}")
    if precision not in (None, *PRECISIONS):
        raise InvalidOption(f"precision must be one of {', '.join(PRECISIONS)}, but is {precision!r}")
    find_device(device)


def _fit(
    path: Path,
    config: dict[str, Any],
    model: Model,
    stream: View,
    where: torch.device,
    seconds: float,
    progress: bool,
    watching: list[Callback],
    until: int,
) -> None:
    began = time.monotonic()
    fit, steps, seed = config["fit"], config["steps"], config["seed"]
    begun = (path / folder.RUN).exists()
    if begun:
        way = Way(**folder.read_json(path / folder.RUN).get("way", {"precision": fit["precision"]}))
    else:
        way, spent = choose(fit["speed"], fit["precision"], where, model, stream, fit["learning_rate"])
        if spent and progress:
            each = "; ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in spent.items())
            print(f"unbraid: a step takes: {each}; computing in {way}", file=sys.stderr)
        about = {**config, "way": asdict(way), "measured": spent, **_circumstances(where), "created": _now()}
        if isinstance(stream, Classes):  # which they are by default depends on the world, which may be on no shelf
            about["view"] = {**config["view"], "classes": list(stream.classes.names)}
        folder.write_json(path / folder.RUN, about)
    trial = way.trial(model, fit["learning_rate"], where)
    if fit["decay"]:
        trial.callbacks.append(Schedule(LambdaLR, "step", lr_lambda=_lowered(steps, fit["decay"])))
    trial.callbacks += [StopOnNaN(gradients=False), *watching, History(path / folder.HISTORY)]
    checkpoint = Checkpoint(path / folder.CHECKPOINT, seconds=seconds)
    trial.callbacks.append(checkpoint)
    if progress:
        trial.callbacks.append(Progress(f"{config['model']['name']} on {config['world']['name']}"))
    torch.manual_seed(derive(seed, "noise"))
    if begun:
        warning = resume(trial, path / folder.CHECKPOINT)
        if warning:
            print(f"unbraid: {warning}", file=sys.stderr)
    trial.fit(stream, steps=min(until, steps), record_every=max(1, steps // RECORDS))
    if trial.state[STEP] < steps:
        checkpoint.on_checkpoint(trial.state)
        return
    # Contiguous copies on the CPU: the file is the same whatever device or layout the model was trained in.
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    about = {**folder.read_json(path / folder.RUN), "finished": _now(), "seconds": round(time.monotonic() - began, 1)}
    folder.write_json(path / folder.RUN, about)
    folder.write_bytes(path / folder.MODEL, safetensors.torch.save(weights))


def _lowered(steps: int, decay: int) -> Callable[[int], float]:
    """What the learning rate is multiplied by once so many steps are done: 1, then linearly down to 0 at the end."""
    return lambda done: min(1.0, (steps - done) / decay)


def _check(path: Path, config: dict[str, Any]) -> None:
    """Refuse a folder that holds something else."""
    try:
        begun, foreign = (path / folder.RUN).exists(), folder.foreign(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror}): choose another folder with out") from None
    if not begun:
        if foreign:
            raise RunError(f"{path} holds files but no run: choose an empty or a new folder with out")
        return
    run = Run(path)
    if run.finished:
        raise RunError(f"{path} holds a finished run: choose another folder with out, or remove it first")
    # By way of JSON, in which a tuple is a list.
    here = json.loads(json.dumps(config))
    there = {**run.config, **{part: _completed(run.config[part], here[part], f"{part}s") for part in MADE}}
    different = [f"{k} is {a}, not {b}" for k, a, b in _differences(there, here)]
    if different:
        raise RunError(f"{path} holds a different run ({'; '.join(different)}): choose another folder with out")


def _completed(there: dict[str, Any], here: dict[str, Any], shelf: str) -> dict[str, Any]:
    """What a run was begun with; options that came later have their defaults, with which they change nothing."""
    if there["name"] != here["name"] or here["name"] not in registry.names(shelf):
        return there
    known = registry.parameters(registry.load(shelf, here["name"]))
    later = {name: known[name].default for name in here["options"] if name in known and name not in there["options"]}
    return {**there, "options": there["options"] | json.loads(json.dumps(later))}


def _differences(there: Any, here: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(here, dict) and isinstance(there, dict):
        return [row for key in here for row in _differences(there.get(key), here[key], key if key != "name" else name)]
    return [] if there == here else [(name, there, here)]


def _model(model: str | Model, world: World, options: dict[str, Any]) -> Model:
    if isinstance(model, Model):
        if options:
            raise InvalidOption(
                f"the model is made already: {', '.join(options)} can only be given with a model's name"
            )
        check_shape(model, world)
        return model
    cls: Callable[..., Model] = registry.load("models", model)
    _check_options(
        model, options, [name for name in registry.parameters(cls) if name not in registry.parameters(train)]
    )
    return cls(world.shape, **options)


def _stream(model: Model, world: World, batch_size: int, seed: int, options: dict[str, Any]) -> View:
    cls = viewed(model.view)
    _check_options(f"the view {model.view}", options, _own(cls))
    return cls(world, batch_size=batch_size, seed=seed, **options)


def _own(cls: type[View]) -> list[str]:
    """The options of a view that are not those of every view."""
    return [name for name in registry.parameters(cls) if name not in registry.parameters(View)]


def _check_options(what: str, options: Mapping[str, Any], known: list[str]) -> None:
    for name in options:
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known) or 'none'}."
            raise InvalidOption(f"{what} has no option {name!r}: {hint}")


def _world(name: str) -> World:
    cls: Callable[[], World] = registry.load("worlds", name)
    try:
        return cls()
    except TypeError:
        needed = [p for p, parameter in registry.parameters(cls).items() if parameter.default is parameter.empty]
        raise InvalidOption(
            f"the world {name} needs {', '.join(needed)}: give it as --world.{needed[0]}, or make it yourself"
        ) from None


def _described(shelf: str, made: object) -> dict[str, Any]:
    name = registry.name_of(shelf, made)
    return {"name": name or type(made).__name__, "options": registry.options(made) if name else {}}


def _seen(stream: View) -> dict[str, Any]:
    options = {name: getattr(stream, name) for name in _own(type(stream))}
    worlds = {name: _described("worlds", value) for name, value in options.items() if isinstance(value, World)}
    return {"name": stream.name, "options": {**options, **worlds}}


def _circumstances(where: torch.device) -> dict[str, Any]:
    return {
        "versions": {
            "unbraid": unbraid.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "host": {"platform": platform.platform(), "device": str(where), "threads": torch.get_num_threads()},
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
