"""What a run begins with: settings given by hand, then a preset's, then the usual ones; and a budget of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unbraid import registry
from unbraid.errors import InvalidOption, UnknownName, require_at_least
from unbraid.model import Model

__all__ = ["USUAL", "Settings", "flags", "preset_of", "settled", "shortened"]

USUAL: Mapping[str, Any] = {"steps": 5000, "batch_size": 64, "learning_rate": 5e-4}
"""How a model is trained that has no preset, or whose preset does not say."""


@dataclass(frozen=True)
class Settings:
    """What a run begins with.

    Args:
        options: Those of the model that are not its defaults.
        steps: Optimisation steps in total.
        batch_size: Images in a batch.
        learning_rate: Of Adam.
        said: What a budget changed, in a sentence; empty without one.
    """

    options: dict[str, Any]
    steps: int
    batch_size: int
    learning_rate: float
    said: str = ""


def settled(
    model: str | Model, preset: str | None, budget: int | None, options: Mapping[str, Any], **training: Any
) -> Settings:
    """The settings of a run: what is given by hand counts first, then the preset, then what is usual.

    Args:
        model: A model's name, or a model.
        preset: The name of one of its presets, or None.
        budget: Steps to do in place of those that the settings are meant for, at least 1; what else counts steps is
            scaled likewise. None does them all.
        options: Options of the model that are given by hand.
        training: Steps, batch size and learning rate, or None where they are not given by hand.

    Raises:
        InvalidOption: When a model that is made already is to have a preset or a budget.
        UnknownName: When the model has no such preset.
    """
    given = {name: value for name, value in training.items() if value is not None}
    if isinstance(model, Model):
        if preset is not None or budget is not None:
            raise InvalidOption(
                "the model is made already: a preset or a budget, which set options, needs a model's name"
            )
        return Settings(dict(options), **{**USUAL, **given})
    cls: type[Model] = registry.load("models", model)
    held = {} if preset is None else preset_of(cls, preset)
    fit = {name: given.get(name, held.pop(name, usual)) for name, usual in USUAL.items()}
    chosen, said = {**held, **options}, ""
    if budget is not None:
        require_at_least(1, budget=budget, steps=fit["steps"])
        usual = {name: parameter.default for name, parameter in registry.parameters(cls).items()}
        before = {**usual, **chosen}
        scaled = shortened(before, cls.timed, fit["steps"], budget)
        said = _sentence(fit["steps"], budget, {name: (before[name], value) for name, value in scaled.items()})
        chosen, fit["steps"] = {**chosen, **scaled}, budget
    return Settings(chosen, said=said, **fit)


def preset_of(model: type[Model], name: str) -> dict[str, Any]:
    """The settings that a model calls so.

    Raises:
        UnknownName: When there are none, with the nearest names.
    """
    if name not in model.presets:
        raise UnknownName(f"preset of {model.__name__.lower()}", name, model.presets)
    return dict(model.presets[name])


def flags(preset: Mapping[str, Any]) -> str:
    """A preset as one would type it.

    >>> flags({"beta": 4.0, "steps": 300_000, "batch_size": 64})
    '--beta 4.0 --steps 300000 --fit.batch-size 64'
    """
    groups = {name: "" if name == "steps" else "fit." for name in USUAL}
    return " ".join(f"--{groups.get(name, '')}{name.replace('_', '-')} {value}" for name, value in preset.items())


def shortened(options: Mapping[str, Any], timed: tuple[str, ...], steps: int, budget: int) -> dict[str, Any]:
    """The options of a model that count steps, in proportion to a budget; a whole number stays one, of at least 1.

    What is 0 (never) stays so, and is left out.

    Args:
        options: All options of the model.
        timed: Which of them count steps.
        steps: The steps that they are meant for.
        budget: The steps that there are.

    >>> shortened({"beta": 4.0, "anneal": 100_000, "wait": 0}, ("anneal", "wait"), 300_000, 5000)
    {'anneal': 1667}
    """
    scaled: dict[str, Any] = {}
    for name in timed:
        value = options[name]
        if value:
            part = value * budget / steps
            scaled[name] = max(1, round(part)) if isinstance(value, int) else part
    return scaled


def _sentence(steps: int, budget: int, scaled: Mapping[str, tuple[float, float]]) -> str:
    changes = ", ".join(f"{name} from {old:,} to {new:,}" for name, (old, new) in scaled.items())
    text = f"{budget:,} steps in place of {steps:,}; {changes or 'no option in use counts steps'}"
    return text + (f"; what appears in {steps:,} steps need not appear in {budget:,}" if budget < steps else "")
