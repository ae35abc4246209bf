"""Fit a model to a world and keep it in a run folder; the same command continues it."""

from __future__ import annotations

from typing import Any

from unbraid import registry
from unbraid.cli import _flags
from unbraid.errors import InvalidOption

__all__ = ["main"]

TOP = ("steps", "seed", "out", "preset", "budget", "until")
PROG = "unbraid train"


def main(arguments: list[str]) -> None:
    """``unbraid train MODEL WORLD [--the-models-own ...] [--world.* ...] [--view.* ...] [--fit.* ...]``."""
    names = arguments[:2]
    if len(names) < 2 or any(name.startswith("-") for name in names):
        if {"-h", "--help"} & set(arguments):
            print(_usage(*(name for name in names[:1] if not name.startswith("-"))))
            return
        raise InvalidOption(
            f"train needs a model and a world, before any option: {PROG} betavae sprites --steps 5000 --out runs/b4"
        )
    # The names are looked up before torch is loaded, so that a typing error is answered at once.
    for shelf, name in zip(("models", "worlds"), names, strict=True):
        registry.check(shelf, name)
    from unbraid.runs.preset import preset_of
    from unbraid.runs.train import train
    from unbraid.view import View, view

    model, world = (registry.load(shelf, name) for shelf, name in zip(("models", "worlds"), names, strict=True))
    settings = registry.parameters(train)
    fit = [name for name in settings if name not in (*TOP, "view")]
    stream = view(model.view)
    seen = [name for name in registry.parameters(stream) if name not in registry.parameters(View)]
    preset = _preset(arguments)
    # A preset's options stand in place of the model's defaults: what is typed counts more, and the help shows them.
    held = {} if preset is None else preset_of(model, preset)
    given = _flags.parse(
        arguments[2:],
        _flags.fields(model, defaults=held) + _flags.fields(train, without=(*fit, "view")),
        prog=f"{PROG} {' '.join(names)}",
        description=_about(names[0]),
        groups={
            "world": _flags.fields(world),
            "view": _flags.fields(stream, without=registry.parameters(View)),
            "fit": _flags.fields(train, without=(*TOP, "view")),
        },
    )
    run = train(
        names[0],
        world(**_values(given, "world", registry.parameters(world))),
        **{name: getattr(given, name) for name in (*TOP, *registry.parameters(model))},
        view=_values(given, "view", seen),
        **_values(given, "fit", fit),
    )
    if not run.finished:
        print(f"{run.path} has come to step {given.until:,} of {run.config['steps']:,}: {run.name}.")
        print("next: the same command with a later --until, or without, goes on from there")
        return
    print(f"{run.path} is finished: {run.name}, {run.config['steps']:,} steps.")
    print(f"next: unbraid evaluate {run.path}   unbraid plot {run.path}")


def _values(given: Any, group: str, names: Any) -> dict[str, Any]:
    return {name: getattr(getattr(given, group), name) for name in names}


def _preset(arguments: list[str]) -> str | None:
    """The preset that is typed; whether it is typed well is checked with everything else."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        flag, equals, value = argument.partition("=")
        if flag == "--preset" and (equals or not following.startswith("-")):
            return value if equals else following or None
    return None


def _about(model: str) -> str:
    """What a model is, and one line for each of its presets."""
    from unbraid.runs.preset import flags

    presets = [f"  {name:<14} {flags(held)}" for name, held in registry.load("models", model).presets.items()]
    return registry.summary("models", model) + "\n".join(["\n\npresets:", *presets] if presets else [])


def _usage(model: str | None = None) -> str:
    lines = [
        f"usage: {PROG} {model or 'MODEL'} WORLD [OPTIONS]",
        "",
        "Fit a model to a world and keep it in a run folder; the same command continues it.",
    ]
    lines += ["", _about(model)] if model else []
    for shelf in ("worlds",) if model else ("models", "worlds"):
        lines += ["", f"{shelf}:"] + [f"  {name:<14} {registry.summary(shelf, name)}" for name in registry.names(shelf)]
    return "\n".join([*lines, "", f"`{PROG} {model or 'MODEL'} WORLD --help` shows the options of both."])
