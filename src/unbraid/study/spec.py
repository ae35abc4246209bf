"""What a study asks: worlds x models with grids x seeds, said in one short file."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unbraid import registry
from unbraid.errors import InvalidData, UnbraidError, UnknownName, nearest
from unbraid.study.marked import Marked, read

__all__ = ["Cell", "Spec", "load", "parse"]

FIELDS = ("name", "worlds", "models", "seeds", "steps", "fit", "view", "scores", "samples")
OWN = ("steps", "seed", "out", "view", "progress", "preset", "budget")
"""Options of training that a study sets itself, or says elsewhere."""


@dataclass(frozen=True)
class Cell:
    """One run of a study: everything that its weights depend on.

    Args:
        model: Its name on the shelf.
        world: Likewise.
        options: The model's.
        world_options: The world's.
        view: Options of the view.
        fit: Options of training.
        steps: How many.
        seed: Which.
    """

    model: str
    world: str
    options: Mapping[str, Any] = field(default_factory=dict)
    world_options: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    fit: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 5000
    seed: int = 0

    @property
    def key(self) -> str:
        """A name for it: a digest of all it says, the same on every machine.

        >>> Cell("vae", "digits").key == Cell("vae", "digits", {}).key != Cell("vae", "digits", seed=1).key
        True
        """
        said = json.dumps(vars(self), sort_keys=True, default=list).encode()
        return hashlib.blake2b(said, digest_size=8).hexdigest()

    @property
    def varied(self) -> str:
        """Its options, briefly: ``beta=4 anneal=100``."""
        return " ".join(f"{name}={value}" for name, value in {**self.world_options, **self.options}.items())

    def __str__(self) -> str:
        options = f" ({self.varied})" if self.varied else ""
        return f"{self.model}{options} on {self.world}, {self.steps:,} steps, seed {self.seed}"


@dataclass(frozen=True)
class Spec:
    """A study.

    Args:
        name: What it is called.
        cells: Every run, in the order of the file.
        scores: What is measured of each.
        samples: How many images are encoded for that.
        text: The file itself.
    """

    name: str
    cells: tuple[Cell, ...]
    scores: tuple[str, ...] = ("mig", "dci")
    samples: int = 10_000
    text: str = ""


def load(path: str | Path) -> Spec:
    """Read a study's file.

    Raises:
        InvalidData: When it cannot be read, or says something that cannot be; with the line, and what would fit.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidData(f"{path} cannot be read ({reason}): give a study's file, as studies/smoke.yaml") from None
    return parse(text, path.name)


def parse(text: str, file: str = "study.yaml") -> Spec:
    """Read a study from text; arguments and errors as for :func:`load`.

    >>> spec = parse("{models: [{betavae: {beta: [1, 4]}}], worlds: [digits], seeds: 3, steps: 10}")
    >>> len(spec.cells), str(spec.cells[4])
    (6, 'betavae (beta=4) on digits, 10 steps, seed 1')
    """
    return _Reader(read(text, file), file).spec(text)


class _Reader:
    def __init__(self, marked: Marked, file: str) -> None:
        self.marked, self.file = marked, file

    def wrong(self, message: str, *place: str | int) -> InvalidData:
        return InvalidData(f"{self.file}, line {self.marked.line(*place)}: {message}")

    def spec(self, text: str) -> Spec:
        said = self.marked.value
        if not isinstance(said, dict):
            raise self.wrong(f"a study says what it asks by name ({', '.join(FIELDS)}), but this is no mapping")
        self.known("field", said, FIELDS)
        for name in ("models", "worlds"):
            if not said.get(name):
                raise self.wrong(f"a study needs {name}: a list of names from `unbraid list {name}`")
        seeds = self.seeds(said.get("seeds", 1))
        fit, view = self.mapping(said.get("fit"), "fit"), self.mapping(said.get("view"), "view")
        self.known("option of fit", fit, _training(), "fit")
        steps = self.whole(said.get("steps", 5000), "steps", least=1)
        cells = [
            Cell(model, world, options, world_options, view_options, fit_options, steps, seed)
            for world, world_options in self.entries("worlds")
            for model, options in self.entries("models")
            for view_options in _grid(view)
            for fit_options in _grid(fit)
            for seed in seeds
        ]
        self.built(cells)
        return Spec(
            name=str(said.get("name", Path(self.file).stem)),
            cells=tuple({cell.key: cell for cell in cells}.values()),
            scores=self.scores(said.get("scores", ["mig", "dci"])),
            samples=self.whole(said.get("samples", 10_000), "samples", least=2),
            text=text,
        )

    def known(self, kind: str, given: Mapping[str, Any], names: Sequence[str], *place: str | int) -> None:
        for name in given:
            if name not in names:
                close = nearest(name, names)
                hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}."
                raise self.wrong(f"unknown {kind} {name!r}: {hint}", *place, name)

    def mapping(self, value: Any, *place: str | int) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise self.wrong(f"{place[-1]} must be options by name, but is {value!r}", *place)
        return dict(value or {})

    def whole(self, value: Any, name: str, *, least: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(f"{name} must be a whole number of at least {least}, but is {value!r}", name)
        return value

    def seeds(self, value: Any) -> list[int]:
        if isinstance(value, list):
            if not value or not all(isinstance(one, int) and one >= 0 for one in value):
                raise self.wrong(f"seeds must be whole numbers of at least 0, but are {value!r}", "seeds")
            return list(dict.fromkeys(value))
        return list(range(self.whole(value, "seeds", least=1)))

    def scores(self, value: Any) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise self.wrong(f"scores must be a list of names, but are {value!r}", "scores")
        for i, name in enumerate(names):
            if name != "all":
                self.named("scores", name, "scores", i)
        return tuple(map(str, names))

    def named(self, shelf: str, name: Any, *place: str | int) -> None:
        try:
            registry.check(shelf, str(name))
        except UnknownName as error:
            raise self.wrong(str(error), *place) from None

    def entries(self, shelf: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every model (or world) with every combination of its options."""
        said = self.marked.value[shelf]
        rows: list[tuple[Any, Any, tuple[str | int, ...]]] = []
        if isinstance(said, dict):
            rows = [(name, options, (shelf, name)) for name, options in said.items()]
        else:
            for i, one in enumerate(said if isinstance(said, list) else [said]):
                pairs = one.items() if isinstance(one, dict) else [(one, None)]
                rows += [(name, options, (shelf, i, name)) for name, options in pairs]
        for name, options, place in rows:
            self.named(shelf, name, *place)
            given = self.mapping(options, *place)
            self.known(f"option of {name}", given, list(registry.parameters(registry.load(shelf, name))), *place)
            for chosen in _grid(given):
                yield str(name), chosen

    def built(self, cells: Sequence[Cell]) -> None:
        """Make every model once, so that an option out of range is found before anything runs."""
        import torch

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
                    registry.load("models", cell.model)(worlds[where].shape, **cell.options)
            except (UnbraidError, TypeError) as error:
                shelf, name = ("models", cell.model) if where in worlds else ("worlds", cell.world)
                raise self.wrong(f"{name}: {error}", *self.found(shelf, name)) from None

    def found(self, shelf: str, name: str) -> tuple[str | int, ...]:
        """Where a model or world is said."""
        ends = [place for place in self.marked.lines if place[:1] == (shelf,) and place[-1:] == (name,)]
        return ends[0] if ends else (shelf,)


def _grid(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the values of those options that are lists."""
    axes = [value if isinstance(value, list) else [value] for value in options.values()]
    for values in itertools.product(*axes):
        yield dict(zip(options, values, strict=True))


def _training() -> list[str]:
    from unbraid.runs.train import train

    return [name for name in registry.parameters(train) if name not in OWN]
