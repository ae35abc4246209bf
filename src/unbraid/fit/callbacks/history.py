"""The history as a file: one JSON object a line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import IO

from unbraid.errors import InvalidData
from unbraid.fit.callback import Callback
from unbraid.fit.processes import is_main
from unbraid.fit.state import HISTORY, State

__all__ = ["History", "read"]


class History(Callback):
    """Writes every row of the history to a file as it comes; of several processes the first one does.

    A resumed trial rewrites the file with the rows it still remembers, so that no row appears twice.

    Args:
        path: The file, usually ``history.jsonl``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: IO[str] | None = None

    def on_start(self, state: State) -> None:
        """Open the file with what is already history."""
        if not is_main():
            return
        self._file = self.path.open("w", encoding="utf-8")
        for row in state[HISTORY]:
            self._write(row)

    def on_record(self, state: State) -> None:
        """Write the new row."""
        self._write(state[HISTORY][-1])

    def on_end(self, state: State) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, row: dict[str, float]) -> None:
        if self._file is not None:
            # JSON knows no NaN; null keeps the file readable everywhere.
            clean = {name: value if math.isfinite(value) else None for name, value in row.items()}
            print(json.dumps(clean), file=self._file, flush=True)


def read(path: str | Path) -> list[dict[str, float]]:
    """The rows of a history file; a last line that was cut off is left out.

    Raises:
        InvalidData: When a line before the last is no JSON object.
    """
    lines = Path(path).read_text("utf-8", errors="replace").splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            rows.append({name: math.nan if value is None else float(value) for name, value in row.items()})
        except (ValueError, AttributeError, TypeError):
            if number < len(lines):
                raise InvalidData(f"{path}, line {number} is not a row of a history") from None
    return rows
