"""The history, or every step, as a table in a file: CSV for people, Parquet for data frames."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from unbraid.errors import InvalidData, require_at_least
from unbraid.fit.callbacks._shared import extra, write_whole
from unbraid.fit.callbacks.log import Log, Row
from unbraid.fit.state import HISTORY, STEP, Key, State

__all__ = ["CSV", "Parquet", "read_csv"]


class CSV(Log):
    """Writes a row a record, or a row every so many steps, under one header.

    A resumed trial goes on in the same file, without a second header and with no row twice. A column that appears
    later (a validation) is added to the whole file; where a row has no value, the field is empty.

    Args:
        path: The file.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        append: Whether a new trial keeps the rows of an earlier one that the file holds.
        separator: What stands between two fields, one character.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        append: bool = False,
        separator: str = ",",
    ) -> None:
        super().__init__(steps=steps, values=values)
        self.path, self.append, self.separator = Path(path), append, separator
        self.columns: list[str] = []
        self._earlier: int | None = None
        self._file: IO[str] | None = None

    def begin(self, state: State) -> None:
        """Open the file with the rows that are to be kept."""
        there = read_csv(self.path, separator=self.separator) if self.path.exists() else []
        if self._earlier is None:
            self._earlier = len(there) if self.append else 0
        own = state[HISTORY] if self.steps is None else [r for r in there[self._earlier :] if r["step"] <= state[STEP]]
        self._rewrite([*there[: self._earlier], *own])

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows; a new column rewrites the file."""
        if self._file is None:
            return
        if any(name not in self.columns for row in rows for name in row):
            self._rewrite([*read_csv(self.path, separator=self.separator), *rows])
        else:
            self._file.write(self._text(rows))
            self._file.flush()

    def finish(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def state_dict(self) -> dict[str, Any]:
        """How many rows of the file are an earlier trial's."""
        super().state_dict()
        return {"earlier": self._earlier}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self._earlier = state["earlier"]

    def _rewrite(self, rows: Sequence[Row]) -> None:
        self.finish()
        self.columns = list(dict.fromkeys(name for row in rows for name in row))
        header = f"{self._line(self.columns)}" if rows else ""
        write_whole(self.path, (header + self._text(rows)).encode())
        self._file = self.path.open("a", encoding="utf-8", newline="")

    def _text(self, rows: Sequence[Row]) -> str:
        return "".join(self._line([str(row.get(name, "")) for name in self.columns]) for row in rows)

    def _line(self, fields: Sequence[str]) -> str:
        line = io.StringIO()
        csv.writer(line, delimiter=self.separator, lineterminator="\n").writerow(fields)
        return line.getvalue()


def read_csv(path: str | Path, *, separator: str = ",") -> list[Row]:
    """The rows of a file that :class:`CSV` wrote; a last line that was cut off is left out.

    Raises:
        InvalidData: When a field is no number.
    """
    text = Path(path).read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    rows = []
    for number, fields in enumerate(csv.DictReader(io.StringIO(whole), delimiter=separator), 2):
        try:
            rows.append({name: _parsed(field) for name, field in fields.items() if field})
        except (TypeError, ValueError):
            raise InvalidData(f"{path}, line {number} is not a row of numbers under its header") from None
    return rows


def _parsed(field: str) -> float:
    return int(field) if field.lstrip("-").isdigit() else float(field)


class Parquet(Log):
    """Writes the rows as a Parquet table, whole: at intervals, with every checkpoint, and at the end.

    Args:
        path: The file, usually ``history.parquet``.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        seconds: Write when this much time has passed since the last time, at least 0.

    Raises:
        MissingExtra: When polars is not installed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        seconds: float = 30.0,
    ) -> None:
        super().__init__(steps=steps, values=values)
        require_at_least(0, seconds=seconds)
        self.path, self.seconds = Path(path), seconds
        self.rows: list[Row] = []
        self._polars = extra("polars", "the Parquet callback", "parquet")
        self._written_at, self._changed = 0.0, False

    def begin(self, state: State) -> None:
        """Take up the rows before this moment."""
        if self.steps is None:
            self.rows = [dict(row) for row in state[HISTORY]]
        elif state[STEP] and self.path.exists():
            there = self._polars.read_parquet(self.path).to_dicts()
            rows = [{name: value for name, value in row.items() if value is not None} for row in there]
            self.rows = [row for row in rows if row["step"] <= state[STEP]]
        else:
            self.rows = []
        self._written_at, self._changed = time.monotonic(), True

    def write(self, rows: Sequence[Row]) -> None:
        """Keep rows, and write the table if it is due."""
        self.rows += [dict(row) for row in rows]
        self._changed = True
        if time.monotonic() - self._written_at >= self.seconds:
            self._save()

    def finish(self) -> None:
        """Write the table."""
        self._save()

    def state_dict(self) -> dict[str, Any]:
        """Nothing, but every row before this moment is in the file."""
        super().state_dict()
        if self.open:
            self._save()
        return {}

    def _save(self) -> None:
        if not self._changed:
            return
        names = dict.fromkeys(name for row in self.rows for name in row)
        integer, real = self._polars.Int64, self._polars.Float64
        table = self._polars.DataFrame(
            {name: [row.get(name) for row in self.rows] for name in names},
            schema={name: integer if name in ("step", "epoch") else real for name in names},
            strict=False,
        )
        data = io.BytesIO()
        table.write_parquet(data)
        write_whole(self.path, data.getvalue())
        self._written_at, self._changed = time.monotonic(), False
