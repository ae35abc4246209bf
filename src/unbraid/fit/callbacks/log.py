"""What every log has in common: one row a record, or one every so many steps, and no waiting for the device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import is_main
from unbraid.fit.data import kept_randomness
from unbraid.fit.state import EPOCH, HISTORY, LOSS, OPTIMIZERS, PLAYER, STEP, TERMS, Key, State

__all__ = ["Log", "Row"]

Row: TypeAlias = dict[str, float]
"""Step, epoch, and numbers by name."""
BUFFER = 100
"""Rows that wait on the device, at most: reading a number makes it finish what it does, so they are read together."""


class Log(Callback, ABC):
    """Gathers rows and hands them to :meth:`write`; of several processes only the first one writes.

    A row of a step holds the loss, the named terms of every player, and ``values``; where a step takes several batches
    or tries, it holds the mean over the batches of the first try.

    List a log before the checkpoint, so that what is saved includes the row of the same step.

    Args:
        steps: One row every so many steps, at least 1; None takes the rows of the history as they come.
        values: More columns of a step's row: name to key, or to function of the state.
    """

    def __init__(
        self, *, steps: int | None = None, values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None
    ) -> None:
        if steps is not None:
            require_at_least(1, steps=steps)
        self.steps, self.values = steps, dict(values or {})
        self.open = False
        self._parts: dict[str, list[Any]] = {}
        self._turned: set[str] = set()
        self._waiting: list[dict[str, Any]] = []

    @abstractmethod
    def begin(self, state: State) -> None:
        """Open what is written to; a resumed trial has rows before ``STEP`` already."""

    @abstractmethod
    def write(self, rows: Sequence[Row]) -> None:
        """Write new rows."""

    def finish(self) -> None:
        """Close what was opened."""

    def on_start(self, state: State) -> None:
        """Open, in the process that writes.

        Raises:
            InvalidOption: When steps are wanted of a history that is replayed.
        """
        if self.steps is not None and OPTIMIZERS not in state:  # nobody moves: this is a replay
            name = type(self).__name__
            raise InvalidOption(
                f"{name} with steps={self.steps} takes the loss of every step, which a history does not hold: leave "
                "out steps to have its rows"
            )
        self._parts, self._waiting = {}, []
        self._turned.clear()
        if is_main():
            # Whatever a tracking service draws at random must not shift what the trial draws.
            with kept_randomness():
                self.begin(state)
            self.open = True

    def on_criterion(self, state: State) -> None:
        """Keep the loss and its terms, where they are."""
        if self.steps is None or not self.open or state[PLAYER] in self._turned:
            return
        players, terms = [*state[OPTIMIZERS]], state[TERMS]
        for name, value in ({"loss": state[LOSS], **terms} if state[PLAYER] == players[0] else terms).items():
            self._parts.setdefault(name, []).append(value.detach() if isinstance(value, Tensor) else value)

    def on_backward(self, state: State) -> None:
        """Whatever else an optimiser tries in this step is not counted."""
        if self.steps is not None:
            self._turned.add(state[PLAYER])

    def on_step(self, state: State) -> None:
        """Make a row of the step, if it is due."""
        if self.steps is None or not self.open:
            return
        self._turned.clear()
        if state[STEP] % self.steps == 0:
            row = {"step": state[STEP], "epoch": state[EPOCH]}
            row |= {name: sum(parts) / len(parts) for name, parts in self._parts.items()}
            row |= {name: state[of] if isinstance(of, Key) else of(state) for name, of in self.values.items()}
            self._waiting.append(row)
        self._parts = {}
        if len(self._waiting) >= BUFFER:
            self.flush()

    def on_record(self, state: State) -> None:
        """Write the new row of the history, or the steps' rows that wait."""
        if self.steps is None and self.open:
            self.write([state[HISTORY][-1]])
        self.flush()

    def on_end(self, state: State) -> None:
        """Write what waits, and close."""
        if self.open:
            self.flush()
            self.open = False
            self.finish()

    def flush(self) -> None:
        """Write what waits."""
        if self.open and self._waiting:
            rows = [{name: _number(value) for name, value in row.items()} for row in self._waiting]
            self._waiting = []
            self.write(rows)

    def state_dict(self) -> dict[str, Any]:
        """Nothing, but every row before this moment is written."""
        self.flush()
        return {}


def _number(value: Any) -> float:
    if isinstance(value, Tensor):
        return float(value.item())
    return value if isinstance(value, int) else float(value)
