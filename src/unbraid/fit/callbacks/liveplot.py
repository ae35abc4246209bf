"""Curves of a trial while it runs, in a picture file or in a notebook."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unbraid.errors import require_at_least
from unbraid.fit.callbacks._shared import Thinning, extra, write_whole
from unbraid.fit.callbacks.log import Log, Row
from unbraid.fit.state import HISTORY, STEP, Key, State

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LivePlot"]

POINTS = 2000
"""Rows that are kept, at most: more cannot be told apart on a page."""
COLOURS = ("#2f5d8a", "#c8553d")
VALIDATION = "validation_"


class LivePlot(Log):
    """Draws every column of the history, or of the steps, now and then and at the end.

    A quantity and the same one in validation share a panel. With many rows every second one is left out.

    Args:
        path: A picture file (``.png``, ``.svg``, ``.pdf``); None shows it in the notebook this runs in.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        names: What is drawn, or None for everything.
        seconds: Draw when this much time has passed since the last time, at least 0.
        log: Whether a scale is logarithmic where its values are all above 0.

    Raises:
        MissingExtra: When there is no path and no IPython.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        names: Sequence[str] | None = None,
        seconds: float = 5.0,
        log: bool = False,
    ) -> None:
        super().__init__(steps=steps, values=values)
        require_at_least(0, seconds=seconds)
        self._display: Any = None if path else extra("IPython.display", "LivePlot without a path", "notebook")
        self.path, self.names, self.seconds, self.log = Path(path) if path else None, names, seconds, log
        self._rows: Thinning[Row] = Thinning(POINTS)
        self._past: list[Row] = []
        self._drawn_at, self._new = 0.0, False
        self._handle: Any = None

    def begin(self, state: State) -> None:
        """Take up the rows before this moment."""
        self._past = state[HISTORY]
        if self.steps is None:
            self._rows.begin(self._past)
        elif state[STEP] == 0:
            self._rows.begin()
        self._drawn_at, self._new, self._handle = time.monotonic(), bool(self._rows.items), None

    def write(self, rows: Sequence[Row]) -> None:
        """Keep rows."""
        for row in rows:
            self._rows.add(dict(row))
        self._new = True

    def on_step(self, state: State) -> None:
        """Draw when it is time."""
        super().on_step(state)
        if self.open and time.monotonic() - self._drawn_at >= self.seconds:
            self.flush()
            self._draw()

    def finish(self) -> None:
        """Draw the end."""
        self._draw()

    def state_dict(self) -> dict[str, Any]:
        """The steps' rows; the history is kept by the trial."""
        super().state_dict()
        return {} if self.steps is None else self._rows.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        if state:
            self._rows.load_state_dict(dict(state))

    def figure(self) -> Figure:
        """The curves as they are now."""
        # Imported late: who fits without pictures need not wait for matplotlib.
        from matplotlib.figure import Figure

        rows = [*self._rows.items, *self._evaluations()]
        panels: dict[str, list[str]] = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            if name not in ("step", "epoch") and (self.names is None or name in self.names):
                panels.setdefault(name.removeprefix(VALIDATION), []).append(name)
        columns = max(1, min(3, len(panels)))
        lines = max(1, math.ceil(len(panels) / columns))
        figure = Figure(figsize=(4.2 * columns, 2.9 * lines), layout="constrained")
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, (title, names) in zip(grid, sorted(panels.items(), key=lambda item: item[0] != "loss"), strict=False):
            self._panel(axes, title, sorted(names, key=lambda name: name.startswith(VALIDATION)), rows)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        return figure

    def _evaluations(self) -> list[Row]:
        """What rows of steps do not hold: the history of evaluations."""
        if self.steps is None:
            return []
        return [
            {name: row[name] for name in row if name == "step" or name.startswith(VALIDATION)} for row in self._past
        ]

    def _panel(self, axes: Axes, title: str, names: Sequence[str], rows: Sequence[Row]) -> None:
        from matplotlib.ticker import MaxNLocator

        everything = []
        for name, colour in zip(names, COLOURS, strict=False):
            points = np.array([(row["step"], row[name]) for row in rows if name in row], dtype=np.float64)
            finite = points[np.isfinite(points[:, 1])]
            label = "validation" if name.startswith(VALIDATION) else "training"
            axes.plot(*points.T, color=colour, linewidth=1.4, label=label, marker="." if len(points) < 30 else "")
            everything.append(finite[:, 1])
        values = np.concatenate(everything)
        if self.log and values.size and values.min() > 0:
            axes.set_yscale("log")
        elif values.size > 20:
            # A few huge values at the beginning must not flatten the rest.
            low, high = values.min(), np.quantile(values, 0.98)
            if high > low:
                axes.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("step", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if len(names) > 1:
            axes.legend(frameon=False, fontsize=8)

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        if not self._new or not self._rows.items:
            return
        self._new = False
        data = io.BytesIO()
        kind = self.path.suffix[1:] if self.path else "png"
        self.figure().savefig(data, format=kind or "png", dpi=120)
        if self.path is not None:
            write_whole(self.path, data.getvalue())
            return
        picture = self._display.Image(data=data.getvalue())
        if self._handle is None:
            self._handle = self._display.display(picture, display_id=True)
        else:
            self._handle.update(picture)
