"""A study's file made into a study: every name, option and range in it is checked before anything runs."""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unbraid import registry
from unbraid.errors import InvalidData, UnbraidError, UnknownName, nearest
from unbraid.study.marked import Marked
from unbraid.study.sought import GOAL, SAMPLERS, Goal, Range, Search
from unbraid.study.spec import Cell, Spec

__all__ = ["Reader"]

FIELDS = ("name", "worlds", "models", "seeds", "steps", "fit", "view", "scores", "samples", "search")
OWN = ("steps", "seed", "out", "view", "progress", "preset", "budget", "until")
KNOWN = ("elbo", "loss", "loss.reconstruction", "kl")
"""What is known of every cell without being asked for."""
"""Options of training that a study sets itself, or says elsewhere."""

TYPES = {
    "int": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "bool": ("true or false", (bool,)),
    "str": ("text", (str,)),
}


class Reader:
    """From a file's content to a study; whatever is wrong is said with its line.

    Args:
        marked: The content.
        file: The file's name.
    """

    def __init__(self, marked: Marked, file: str) -> None:
        self._marked, self._file = marked, file

    def _wrong(self, message: str, *place: str | int) -> InvalidData:
        return InvalidData(f"{self._file}, line {self._marked.line(*place)}: {message}")

    def spec(self, text: str) -> Spec:
        """The study.

        Args:
            text: The content, as it is kept beside the results.

        Raises:
            InvalidData: When it says something that cannot be.
        """
        said = self._marked.value
        if not isinstance(said, dict):
            raise self._wrong(f"a study says what it asks by name ({', '.join(FIELDS)}), but this is no mapping")
        self._known("field", said, FIELDS)
        for name in ("models", "worlds"):
            if not said.get(name):
                raise self._wrong(f"a study needs {name}: a list of names from `unbraid list {name}`")
        seeds = self._seeds(said.get("seeds", 1))
        fit, view = self._mapping(said.get("fit"), "fit"), self._mapping(said.get("view"), "view")
        self._fixed(view, "view")
        self._known("option of fit", fit, list(_training()), "fit")
        self._typed(fit, _training(), "fit")
        for one in _grid(fit):
            self._fitting(one)
        steps = self._whole(said.get("steps", 5000), "steps", least=1)
        settings = [
            Cell(model, world, options, world_options, view_options, fit_options, steps, seeds[0])
            for world, world_options in self._entries("worlds")
            for model, options in self._entries("models")
            for view_options in _grid(view)
            for fit_options in _grid(self._ranges(fit, _whole(_training()), "fit"))
        ]
        scores = self._scores(said.get("scores", ["mig", "dci"]))
        searches = self._searches([one for one in settings if _sought(one)], tuple(seeds), scores)
        grid = [one for one in settings if not _sought(one)]
        self._built([*grid, *(end for one in searches for end in one.ends())])
        cells = [replace(one, seed=seed) for one in grid for seed in seeds]
        return Spec(
            name=self._name(str(said.get("name", Path(self._file).stem))),
            cells=tuple({cell.key: cell for cell in cells}.values()),
            scores=scores,
            samples=self._whole(said.get("samples", 10_000), "samples", least=2),
            text=text,
            searches=searches,
        )

    def _name(self, value: str) -> str:
        if not value.strip() or set(value) & set("/\\:"):
            raise self._wrong(
                f"name is also that of a folder, and so must be without / \\ and :, but is {value!r}", "name"
            )
        return value

    def _searches(self, sought: Sequence[Cell], seeds: tuple[int, ...], scores: tuple[str, ...]) -> tuple[Search, ...]:
        """A search for every setting that has a range in it."""
        said = self._marked.value.get("search")
        if said is None:
            if sought:
                ranges = " ".join(f"{k}={v}" for k, v in Search(sought[0], seeds).ranges.items())
                raise self._wrong(f"{ranges} is to be searched: add search: {{score: {scores[0]}, trials: 20}}")
            return ()
        if not sought:
            raise self._wrong("there is nothing to search: give an option a range, as {low: 1, high: 100}", "search")
        goal = self._goal(self._mapping(said, "search"), scores)
        return tuple({str(cell): Search(cell, seeds, goal) for cell in sought}.values())

    def _goal(self, said: Mapping[str, Any], scores: tuple[str, ...]) -> Goal:
        self._known("field of search", said, GOAL, "search")
        score = said.get("score", scores[0])
        name = str(score).partition(".")[0]
        if score not in KNOWN and name not in scores and "all" not in scores:
            known = [*scores, *KNOWN]
            close = nearest(str(score), known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"it must be one of {', '.join(known)}"
            raise self._wrong(f"search cannot go by {score!r}, which is not measured: {hint}", "search", "score")
        lower = score != "elbo" if score in KNOWN else registry.load("scores", name).declaration.direction == "lower"
        sampler = said.get("sampler", "tpe")
        if sampler not in SAMPLERS:
            raise self._wrong(f"sampler must be one of {', '.join(SAMPLERS)}, but is {sampler!r}", "search", "sampler")
        least = {"trials": 1, "ahead": 1, "seed": 0, "after": 1, "eta": 2}
        numbers = {n: self._whole(said[n], n, "search", n, least=least[n]) for n in least if n in said}
        return Goal(str(score), lower=lower, sampler=sampler, **numbers)

    def _ranges(self, given: Mapping[str, Any], whole: Sequence[str], *place: str | int) -> dict[str, Any]:
        """Options in which ``{low: ..., high: ...}`` is a range; those of ``whole`` are whole numbers."""
        found: dict[str, Any] = {}
        for name, value in given.items():
            at = (*place, name)
            if isinstance(value, list):
                found[name] = [self._range(one, name, name in whole, *at, i) for i, one in enumerate(value)]
            else:
                found[name] = self._range(value, name, name in whole, *at)
        return found

    def _fitting(self, given: Mapping[str, Any]) -> None:
        """Options of training, none of which is a list; ends of ranges are looked at like other values."""
        from unbraid.runs.train import check

        for end in ("low", "high"):
            values: dict[str, Any] = {
                name: one.get(end) if isinstance(one, dict) else one for name, one in given.items()
            }
            for name, value in values.items():
                try:
                    check(**{name: value})
                except (UnbraidError, TypeError) as error:
                    raise self._wrong(f"fit: {error}", "fit", name) from None

    def _typed(self, given: Mapping[str, Any], known: Mapping[str, inspect.Parameter], *place: str | int) -> None:
        """Plain values must be of the type that the option's annotation names; whatever else is left to the option."""
        for name, value in given.items():
            kind, _, rest = str(known[name].annotation).partition(" ")
            for one in value if isinstance(value, list) else [value]:
                right = isinstance(one, dict) or (one is None and "None" in rest)
                if kind in TYPES and not right and type(one) not in TYPES[kind][1]:
                    raise self._wrong(f"{name} must be {TYPES[kind][0]}, but is {one!r}", *place, name)

    def _fixed(self, given: Mapping[str, Any], *place: str | int) -> None:
        for name, value in given.items():
            if isinstance(value, dict) and {"low", "high"} & set(value):
                raise self._wrong(f"{name} cannot be searched, only options of models and of fit", *place, name)

    def _range(self, value: Any, name: str, whole: bool, *place: str | int) -> Any:
        if not isinstance(value, dict):
            return value
        self._known("field of a range", value, ("low", "high", "log"), *place)
        low, high, log = (value.get(key, False) for key in ("low", "high", "log"))
        kinds = (int,) if whole else (int, float)
        if not (type(low) in kinds and type(high) in kinds and low < high):
            what = "whole numbers" if whole else "numbers"
            raise self._wrong(f"a range of {name} is {what}, {{low: 1, high: 100}} with low below high", *place)
        if not isinstance(log, bool) or (log and low <= 0):
            raise self._wrong(f"log of a range is true or false, and true only where low is above 0: {name}", *place)
        return Range(low, high, log=log, whole=whole)

    def _known(self, kind: str, given: Mapping[str, Any], names: Sequence[str], *place: str | int) -> None:
        for name in given:
            if name not in names:
                close = nearest(name, names)
                hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}."
                raise self._wrong(f"unknown {kind} {name!r}: {hint}", *place, name)

    def _mapping(self, value: Any, *place: str | int) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise self._wrong(f"{place[-1]} must be options by name, but is {value!r}", *place)
        return dict(value or {})

    def _whole(self, value: Any, name: str, *place: str | int, least: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._wrong(
                f"{name} must be a whole number of at least {least}, but is {value!r}", *(place or (name,))
            )
        return value

    def _seeds(self, value: Any) -> list[int]:
        if isinstance(value, list):
            if not value or not all(isinstance(one, int) and one >= 0 for one in value):
                raise self._wrong(f"seeds must be whole numbers of at least 0, but are {value!r}", "seeds")
            return list(dict.fromkeys(value))
        return list(range(self._whole(value, "seeds", least=1)))

    def _scores(self, value: Any) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise self._wrong(f"scores must be a list of names, but are {value!r}", "scores")
        for i, name in enumerate(names):
            if name == "all":
                continue
            self._named("scores", name, "scores", i)
            if registry.load("scores", str(name)).declaration.needs == "runs":
                raise self._wrong(f"{name} compares several runs: no run has one, leave it out", "scores", i)
        return tuple(map(str, names))

    def _named(self, shelf: str, name: Any, *place: str | int) -> None:
        try:
            registry.check(shelf, str(name))
        except UnknownName as error:
            raise self._wrong(str(error), *place) from None

    def _entries(self, shelf: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every model (or world) with every combination of its options."""
        said = self._marked.value[shelf]
        rows: list[tuple[Any, Any, tuple[str | int, ...]]] = []
        if isinstance(said, dict):
            rows = [(name, options, (shelf, name)) for name, options in said.items()]
        else:
            for i, one in enumerate(said if isinstance(said, list) else [said]):
                pairs = one.items() if isinstance(one, dict) else [(one, None)]
                rows += [(name, options, (shelf, i, name)) for name, options in pairs]
        for name, options, place in rows:
            self._named(shelf, name, *place)
            given, known = self._mapping(options, *place), registry.parameters(registry.load(shelf, name))
            self._known(f"option of {name}", given, list(known), *place)
            self._typed(given, known, *place)
            if shelf == "models":
                given = self._ranges(given, _whole(known), *place)
            else:
                self._fixed(given, *place)
            for chosen in _grid(given):
                yield str(name), chosen

    def _built(self, cells: Sequence[Cell]) -> None:
        """Make every model once, so that an option out of range is found before anything runs."""
        import torch

        from unbraid.view import View, view

        worlds: dict[str, Any] = {}
        done = set()
        for cell in cells:
            where = json.dumps([cell.world, cell.world_options], default=list)
            what = json.dumps([where, cell.model, cell.options], default=list)
            if what in done:
                continue
            done.add(what)
            try:
                if where not in worlds:
                    worlds[where] = registry.load("worlds", cell.world)(**cell.world_options)
                with torch.random.fork_rng(devices=[]):
                    model = registry.load("models", cell.model)(worlds[where].shape, **cell.options)
            except (UnbraidError, TypeError, ValueError, AttributeError) as error:
                shelf, name = ("models", cell.model) if where in worlds else ("worlds", cell.world)
                raise self._wrong(f"{name}: {error}", *self._found(shelf, name)) from None
            own = [name for name in registry.parameters(view(model.view)) if name not in registry.parameters(View)]
            self._known(f"option of the view in which {cell.model} sees ({model.view})", cell.view, own, "view")

    def _found(self, shelf: str, name: str) -> tuple[str | int, ...]:
        """Where a model or world is said."""
        ends = [place for place in self._marked.lines if place[:1] == (shelf,) and place[-1:] == (name,)]
        return ends[0] if ends else (shelf,)


def _grid(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the values of those options that are lists."""
    axes = [value if isinstance(value, list) else [value] for value in options.values()]
    for values in itertools.product(*axes):
        yield dict(zip(options, values, strict=True))


def _sought(cell: Cell) -> bool:
    return any(isinstance(value, Range) for value in (*cell.options.values(), *cell.fit.values()))


def _whole(known: Mapping[str, inspect.Parameter]) -> list[str]:
    return [name for name, one in known.items() if str(one.annotation).partition(" ")[0] == "int"]


def _training() -> dict[str, inspect.Parameter]:
    from unbraid.runs.train import train

    return {name: one for name, one in registry.parameters(train).items() if name not in OWN}
