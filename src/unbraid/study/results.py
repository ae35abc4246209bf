"""What a study has found: rows read from the records of its cells, an index of them in SQLite, tables for export.

The records are the truth. The index holds nothing that is not in them and is made anew whenever it is asked for, so no
two processes ever write to it at once.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unbraid.errors import InvalidOption, MissingExtra, UnbraidError, nearest
from unbraid.study.agenda import Agenda
from unbraid.study.spec import Cell, Spec
from unbraid.study.store import Store
from unbraid.study.work import Outcome, record

__all__ = ["Row", "ask", "columns", "hunted", "index", "median", "pivot", "rows", "to_csv", "to_parquet"]

BASE = ("key", "world", "model", "options", "steps", "seed", "state", "kind", "reason", "seconds", "host")


@dataclass(frozen=True)
class Row:
    """One cell and what came of it.

    Args:
        cell: The cell.
        outcome: What came of it; None while it has not ended.
        trial: Which trial of its search it belongs to; None outside of one.
    """

    cell: Cell
    outcome: Outcome | None
    trial: int | None = None

    @property
    def state(self) -> str:
        """``"done"``, ``"failed"``, ``"stopped"`` by its search, or ``"open"``."""
        return self.outcome.state if self.outcome else "open"

    def flat(self) -> dict[str, Any]:
        """Its columns by name: what was asked, then what was measured."""
        cell, outcome = self.cell, self.outcome or Outcome("held")
        said = {**{f"world.{k}": v for k, v in cell.world_options.items()}, **dict(cell.options)}
        said |= {f"view.{k}": v for k, v in cell.view.items()} | {f"fit.{k}": v for k, v in cell.fit.items()}
        base = {
            "key": cell.key,
            "world": cell.world,
            "model": cell.model,
            "options": cell.varied,
            "steps": cell.steps,
            "seed": cell.seed,
            "state": self.state,
            "kind": outcome.kind,
            "reason": outcome.reason,
            "seconds": outcome.seconds,
            "host": outcome.host,
        }
        base |= {} if self.trial is None else {"trial": self.trial}
        return base | {name: _plain(value) for name, value in said.items()} | dict(outcome.values or {})


def rows(spec: Spec, root: str | Path) -> list[Row]:
    """Every cell of a study, in its order, and what came of it; of searches, those that are known by now."""
    store = Store(root)
    found = [Row(cell, record(store, cell)) for cell in spec.cells]
    if not spec.searches:
        return found
    tried = [Row(cell, outcome, trial.number) for _, trial, cell, outcome in hunted(spec, store).tried()]
    # Two searches may come upon the same cell: it is one row.
    return list({row.cell.key: row for row in (*found, *tried)}.values())


def hunted(spec: Spec, store: Store) -> Agenda:
    """A study's searches, as far as its records go."""
    agenda = Agenda(spec, store)
    for _ in agenda.follow():
        pass
    return agenda


def columns(found: Sequence[Row]) -> list[str]:
    """The columns of all rows together: those that every row has first, then in the order of their appearance."""
    return list(dict.fromkeys([*BASE, *(name for row in found for name in row.flat())]))


def index(found: Sequence[Row]) -> sqlite3.Connection:
    """An index in memory: a table ``cells`` with a column for everything, and ``scores`` with a row for each value."""
    connection = sqlite3.connect(":memory:")
    names = columns(found)
    connection.execute(f"create table cells ({', '.join(map(_quoted, names))})")
    flat = [row.flat() for row in found]
    marks = ", ".join("?" * len(names))
    connection.executemany(f"insert into cells values ({marks})", [[row.get(name) for name in names] for row in flat])
    connection.execute("create table scores (key, world, model, options, steps, seed, score, value)")
    connection.executemany(
        "insert into scores values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (c.key, c.world, c.model, c.varied, c.steps, c.seed, name, value)
            for row in found
            for c in [row.cell]
            for name, value in ((row.outcome.values if row.outcome else None) or {}).items()
        ],
    )
    connection.commit()
    connection.execute("pragma query_only = on")
    return connection


def ask(found: Sequence[Row], question: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Answer a question in SQL over the tables ``cells`` and ``scores``.

    Returns:
        The names of the columns, and the rows.

    Raises:
        InvalidOption: When it is no question that SQLite understands, or would change something.
    """
    connection = index(found)
    try:
        # No way to the file system: ATTACH is the only one there is, and VACUUM INTO.
        connection.set_authorizer(lambda action, *rest: sqlite3.SQLITE_DENY if action in DENIED else sqlite3.SQLITE_OK)
        cursor = connection.execute(question)
        return [column[0] for column in cursor.description or ()], cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise InvalidOption(
            f"this cannot be answered ({error}); the tables are cells ({', '.join(columns(found)[:8])}, ...) and "
            "scores (key, world, model, options, steps, seed, score, value)"
        ) from None
    finally:
        connection.close()


DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}


def pivot(found: Sequence[Row], value: str, *, by: Sequence[str] = ("model", "options")) -> list[tuple[Any, ...]]:
    """The median of a value over all runs that are alike, with its interval and how many there are.

    Args:
        found: The rows.
        value: A column, as ``"mig"`` or ``"dci.completeness"``.
        by: The columns by which runs are alike.

    Returns:
        Rows of the ``by`` columns, the median, the ends of its 95 % bootstrap interval, the least, the greatest, and
        the number of runs.

    Raises:
        InvalidOption: When there is no such column, or no run that is finished.
    """
    flat = [row.flat() for row in found if row.state == "done"]
    if not flat:
        raise InvalidOption(f"no cell is finished, so there is no {value} yet: give `unbraid study run` first")
    names = columns(found)
    for name in (value, *by):
        if name not in names:
            close = nearest(name, names)
            raise InvalidOption(
                f"no run has {name!r}: {f'did you mean {close[0]}?' if close else 'known: ' + ', '.join(names) + '.'}"
            )
    groups: dict[tuple[Any, ...], list[float]] = {}
    for row in flat:
        if row.get(value) is not None:
            groups.setdefault(tuple(row.get(name) for name in by), []).append(float(row[value]))
    return [(*group, *median(values), min(values), max(values), len(values)) for group, values in groups.items()]


def median(values: Iterable[float], *, draws: int = 2000) -> tuple[float, float, float]:
    """The median and its 95 % interval by the bootstrap, always the same for the same values.

    >>> median([1.0, 2.0, 9.0])
    (2.0, 1.0, 9.0)
    """
    given = np.asarray(list(values), dtype=np.float64)
    drawn = np.random.default_rng(0).choice(given, (draws, len(given)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(np.median(given)), float(low), float(high)


def to_csv(found: Sequence[Row]) -> str:
    """All rows as comma-separated values; numbers to the last digit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(found), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.flat() for row in found)
    return text.getvalue()


def to_parquet(found: Sequence[Row], path: str | Path) -> None:
    """All rows as a Parquet file.

    Raises:
        MissingExtra: When polars is not installed.
    """
    try:
        import polars
    except ImportError:
        raise MissingExtra("a table as Parquet", "parquet") from None
    flat, names = [row.flat() for row in found], columns(found)
    try:
        table = polars.DataFrame({name: [row.get(name) for row in flat] for name in names}, strict=False)
        table.write_parquet(path)
    except (OSError, polars.exceptions.PolarsError) as error:
        raise UnbraidError(f"{path} cannot be written ({error})") from None


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
