"""What the page shows of a study: every finished run by its scores, each of which can be opened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from unbraid.errors import InvalidData
from unbraid.explore.told import definition
from unbraid.study.analysis import Table, supervised, unsupervised, with_method
from unbraid.study.drive import SPEC
from unbraid.study.results import rows
from unbraid.study.spec import load
from unbraid.study.work import CELLS

__all__ = ["Studied", "is_study"]


def is_study(path: Path) -> bool:
    """Whether a folder is one that ``unbraid study run`` made."""
    return (path / SPEC).is_file()


class Studied:
    """The finished runs of a study, in the order of its cells.

    Args:
        root: The study's folder.

    Attributes:
        name: What the study is called.
        paths: The runs' folders.
        titles: What each run is called.

    Raises:
        InvalidData: When the study cannot be read, no cell of it is finished, or no score is known of all that are.
    """

    def __init__(self, root: Path) -> None:
        spec = load(root / SPEC)
        done = [row for row in rows(spec, root) if row.state == "done"]
        if not done:
            raise InvalidData(f"no cell of {root} is finished: give `unbraid study run` first")
        self.name, self.paths = spec.name, [root / CELLS / row.cell.key for row in done]
        self._table = with_method([row.flat() for row in done])
        self.titles = _titles(self._table)
        self._measured = supervised(self._table, spec.scores)
        self._scores = [*self._measured, *unsupervised(self._table)]
        if not self._scores:
            raise InvalidData(f"no score is known of every finished run of {root}: measured were {spec.scores}")

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def best(self) -> int:
        """The number of the run that is best by the first of the scores that compare codes with factors."""
        if not self._measured:
            return 0
        name = self._measured[0]
        sign = -1 if definition(name)["better"] == "lower" else 1
        return max(range(len(self)), key=lambda i: sign * self._table[i][name])

    def about(self, first: int) -> dict[str, Any]:
        """Its scores with their definitions, and of every run what it is and what it has.

        Args:
            first: The number that the page knows the first run by; the others follow.
        """
        return {
            "name": self.name,
            "scores": [definition(name) for name in self._scores],
            "runs": [
                {
                    "number": first + i,
                    "title": title,
                    "method": row["method"],
                    "options": row["options"],
                    "world": row["world"],
                    "values": {name: round(float(row[name]), 6) for name in self._scores},
                }
                for i, (title, row) in enumerate(zip(self.titles, self._table, strict=True))
            ],
        }


def _titles(table: Table) -> list[str]:
    """Of every run the model, and what is not the same for all.

    >>> rows = [{"model": "vae", "options": f"size=8 beta={b}", "world": "digits", "seed": 0} for b in (1, 4)]
    >>> _titles(rows)
    ['vae beta=1, seed 0', 'vae beta=4, seed 0']
    """
    said: dict[str, list[set[str]]] = {}
    for row in table:
        said.setdefault(row["model"], []).append(set(row["options"].split()))
    several = len({row["world"] for row in table}) > 1
    return [
        " ".join([row["model"], *(word for word in row["options"].split() if word not in common)])
        + (f" on {row['world']}" if several else "")
        + f", seed {row['seed']}"
        for row in table
        for common in [set.intersection(*said[row["model"]]) if len(said[row["model"]]) > 1 else set()]
    ]
