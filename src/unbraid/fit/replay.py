"""Callbacks after the fact: shown what a history holds, as if the trial ran again, with nothing computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.callback import HOOKS, Callback, Hooks
from unbraid.fit.callbacks.history import read
from unbraid.fit.state import (
    EPOCH,
    EPOCH_LENGTH,
    EPOCHS,
    HISTORY,
    METRICS,
    POSITION,
    STEP,
    STEPS,
    STOP,
    TRAINING,
    Key,
    State,
)

__all__ = ["Recorded", "replay"]

REPLAYED = (
    "on_start",
    "on_start_epoch",
    "on_step",
    "on_start_validation",
    "on_end_validation",
    "on_record",
    "on_end_epoch",
    "on_end",
)
"""The hooks that need no batch."""
VALIDATION = "validation_"


class Recorded(State):
    """A state that holds what a history does, and says so when asked for more."""

    def __missing__(self, key: Key[Any]) -> Any:
        raise InvalidOption(
            f"a replay knows no {getattr(key, 'name', key)!r}: a history holds steps, epochs and metrics, and neither "
            "batches nor weights"
        )


def replay(
    history: str | Path | Iterable[Mapping[str, float]], callbacks: Iterable[Callback]
) -> list[dict[str, float]]:
    """Show callbacks a history, row by row, as if the trial ran again: to draw, to log, to try when to stop.

    They hear ``on_start``, ``on_start_epoch``, ``on_step`` (at the steps that have a row), ``on_start_validation`` and
    ``on_end_validation`` (where a row has metrics of an evaluation), ``on_record``, ``on_end_epoch`` and ``on_end``; no
    hook of a batch, for there is none. One that sets ``STOP`` ends the replay. An epoch that ended between two rows
    counts as ended at the later one.

    Args:
        history: What ``Trial.fit`` gave, or the file that the callback ``History`` wrote.
        callbacks: Which; those that need batches, weights or optimisers are refused.

    Returns:
        The rows that were shown: all, unless a callback stopped it.

    Raises:
        InvalidData: When there is no row, or one without step and epoch.
        InvalidOption: When a callback needs what a history does not hold.

    >>> from unbraid.fit import EarlyStopping
    >>> losses = [3.0, 2.0, 2.1, 2.2, 1.0]
    >>> history = [{"step": 10 * i, "epoch": i, "loss": loss} for i, loss in enumerate(losses, 1)]
    >>> replay(history, [EarlyStopping("loss", patience=2)])[-1]
    {'step': 40, 'epoch': 4, 'loss': 2.2}
    """
    rows, callbacks = _rows(history), list(callbacks)
    for callback in callbacks:
        _check(callback)
    state, hooks = _before(rows), Hooks(callbacks)
    try:
        hooks.fire("on_start", state)
        begun = False
        for row in rows:
            if state[STOP]:
                break
            ended = int(row["epoch"]) - state[EPOCH]
            for _ in range(ended - 1):  # these have no row of their own
                if not begun:
                    hooks.fire("on_start_epoch", state)
                state.update({EPOCH: state[EPOCH] + 1, POSITION: 0})
                hooks.fire("on_end_epoch", state)
                begun = False
            if not begun:
                hooks.fire("on_start_epoch", state)
            _show(row, state, hooks, ends=ended > 0)
            begun = ended <= 0
    except BaseException:
        hooks.fire("on_exception", state)
        raise
    finally:
        hooks.end(state)
    return state[HISTORY]


def _show(row: dict[str, float], state: State, hooks: Hooks, *, ends: bool) -> None:
    """One row, in the order in which a fit would have called the hooks."""
    step = int(row["step"])
    state.update({STEP: step, POSITION: state[POSITION] + step - state[STEP]})
    if ends:
        hooks.fire("on_step", state)
        state.update({EPOCH: int(row["epoch"]), POSITION: 0})
    values = {name: value for name, value in row.items() if name not in ("step", "epoch")}
    evaluated = {name.removeprefix(VALIDATION): v for name, v in values.items() if name.startswith(VALIDATION)}
    if evaluated:
        state[TRAINING] = False
        hooks.fire("on_start_validation", state)
        state[METRICS] = evaluated
        hooks.fire("on_end_validation", state)
        state[TRAINING] = True
    state[METRICS] = values
    state[HISTORY].append(row)
    hooks.fire("on_record", state)
    hooks.fire("on_end_epoch" if ends else "on_step", state)


def _rows(history: str | Path | Iterable[Mapping[str, float]]) -> list[dict[str, float]]:
    """The rows, each with whole numbers for step and epoch."""
    given = read(history) if isinstance(history, (str, Path)) else history
    rows = []
    for number, row in enumerate(given, 1):
        if "step" not in row or "epoch" not in row:
            raise InvalidData(f"row {number} of the history has no step and epoch, but {', '.join(row) or 'nothing'}")
        rows.append({**row, "step": int(row["step"]), "epoch": int(row["epoch"])})
    if not rows:
        raise InvalidData("there is no history to replay: fit first, or give its rows or its file")
    return rows


def _check(callback: Callback) -> None:
    name = type(callback).__name__
    if callback.last:
        raise InvalidOption(f"{name} saves the trial, which a replay does not bring back: leave it out")
    hooks = Hooks([callback])
    used = [hook for hook in HOOKS if hook in hooks]
    if used and not set(used) & set(REPLAYED):
        raise InvalidOption(f"{callback!r} hears only {', '.join(used)}, which a replay has no batch for: leave it out")


def _before(rows: list[dict[str, float]]) -> State:
    last = rows[-1]
    state = Recorded({STEP: 0, EPOCH: 0, POSITION: 0, STEPS: int(last["step"]), EPOCHS: int(last["epoch"]) or None})
    state.update({EPOCH_LENGTH: None, METRICS: {}, HISTORY: [], STOP: False, TRAINING: True})
    return state
