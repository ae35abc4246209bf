"""When a trial has done enough: no improvement any more, or the budget used."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.monitor import Mode, Monitor
from unbraid.fit.state import DEVICE, STEP, STOP, State

__all__ = ["Budget", "EarlyStopping"]


class EarlyStopping(Callback):
    """Ends the trial when a quantity has not improved for some records.

    The weights stay as they are at the end; :class:`~unbraid.fit.callbacks.save.Best` keeps the best ones. A trial that
    was stopped stays stopped when it is resumed.

    Args:
        monitor: What is watched, by its name in the history.
        patience: After how many records in a row without improvement it ends, at least 1.
        min_delta: By how much a value must be better to be an improvement, at least 0.
        mode: Whether small or large is good.

    References:
        L. Prechelt, "Early Stopping - But When?", 1998.
    """

    def __init__(
        self, monitor: str = "validation_loss", *, patience: int = 10, min_delta: float = 0.0, mode: Mode = "auto"
    ) -> None:
        require_at_least(1, patience=patience)
        self.monitor, self.patience = Monitor(monitor, mode=mode, min_delta=min_delta), patience
        self.best: float | None = None
        self.waited = 0

    def on_start(self, state: State) -> None:
        """A trial that was stopped stays stopped."""
        self._stop(state)

    def on_record(self, state: State) -> None:
        """Count the records without improvement."""
        value = self.monitor.read(state)
        if value is None:
            return
        if self.monitor.better(value, self.best):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
            self._stop(state)

    def on_end_epoch(self, state: State) -> None:
        """Make sure that the quantity exists."""
        self.monitor.end_epoch(state)

    def state_dict(self) -> dict[str, Any]:
        """The best value, and for how long there was none better."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up best value and count."""
        self.best, self.waited = state["best"], state["waited"]

    def _stop(self, state: State) -> None:
        if self.waited >= self.patience:
            state[STOP] = True


class Budget(Callback):
    """Ends the trial after so much time or so many steps, whatever ``fit`` was told.

    Time is that between ``on_start`` and ``on_end``, summed over all parts of a trial that is interrupted and resumed.
    Where several processes fit together, the clock of the first decides for all.

    Args:
        seconds: Time in all, at least 0; None sets no limit.
        steps: Steps in all, at least 1; None sets no limit.
    """

    def __init__(self, *, seconds: float | None = None, steps: int | None = None) -> None:
        if seconds is None and steps is None:
            raise InvalidOption("a budget needs seconds, steps, or both")
        if seconds is not None:
            require_at_least(0, seconds=seconds)
        if steps is not None:
            require_at_least(1, steps=steps)
        self.seconds, self.steps = seconds, steps
        self.used = 0.0
        """Seconds used by earlier parts of the trial."""
        self._began: float | None = None

    @property
    def spent(self) -> float:
        """Seconds used so far."""
        return self.used + (time.monotonic() - self._began if self._began is not None else 0.0)

    def on_start(self, state: State) -> None:
        """Begin to count."""
        self._began = time.monotonic()
        self._stop(state)

    def on_step(self, state: State) -> None:
        """Stop when it is used up."""
        self._stop(state)

    def on_end(self, state: State) -> None:
        """Keep what was used."""
        self.used, self._began = self.spent, None

    def state_dict(self) -> dict[str, Any]:
        """How much is used."""
        return {"used": self.spent}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what was used."""
        self.used = state["used"]
        if self._began is not None:
            self._began = time.monotonic()

    def _stop(self, state: State) -> None:
        late = self.seconds is not None and _agreed(self.spent >= self.seconds, state[DEVICE])
        if late or (self.steps is not None and state[STEP] >= self.steps):
            state[STOP] = True


def _agreed(late: bool, device: torch.device) -> bool:
    """What the first of several processes thinks: if each went by its own clock, the others would wait for ever."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return late
    flag = torch.tensor(late, dtype=torch.int32, device=device)
    distributed.broadcast(flag, 0)
    return bool(flag.item())
