"""What a study asks: worlds x models with grids x seeds, said in one short file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unbraid.errors import InvalidData
from unbraid.study.marked import read
from unbraid.study.sought import Search

__all__ = ["Cell", "Spec", "load", "parse"]


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
        cells: Every run of its grid, in the order of the file.
        scores: What is measured of each.
        samples: How many images are encoded for that.
        text: The file itself.
        searches: What is to be searched; which runs that will be is not known before.
    """

    name: str
    cells: tuple[Cell, ...]
    scores: tuple[str, ...] = ("mig", "dci")
    samples: int = 10_000
    text: str = ""
    searches: tuple[Search, ...] = ()

    @property
    def total(self) -> int:
        """How many cells there will be, those of the searches included."""
        return len(self.cells) + sum(one.size for one in self.searches)


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
    from unbraid.study.reader import Reader  # which makes a Spec

    return Reader(read(text, file), file).spec(text)
