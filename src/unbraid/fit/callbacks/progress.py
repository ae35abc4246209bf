"""How far a trial is, and how long it will take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from unbraid.fit.callback import Callback
from unbraid.fit.processes import is_main
from unbraid.fit.state import EPOCH_LENGTH, EPOCHS, METRICS, STEP, STEPS, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["Progress", "duration"]


class Progress(Callback):
    """A bar with speed, remaining time and the last metrics; one line now and then where there is no terminal.

    Args:
        label: What is being fitted.
        every: Seconds between two lines where there is no terminal, above 0.
        console: Where to show it; standard error by default.
    """

    def __init__(self, label: str = "", *, every: float = 10.0, console: Console | None = None) -> None:
        self.label, self.every = label, every
        self.console = console or Console(stderr=True)
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._accumulate = 1

    def bind(self, trial: Trial) -> None:
        """Called by the trial when it starts: how many batches make a step."""
        self._accumulate = trial.accumulate

    def on_start(self, state: State) -> None:
        """Begin to count."""
        self._first, self._began = state[STEP], time.monotonic()
        self._shown = -1
        self._due = self._began
        self._total = state[STEPS]
        if self._total is None and state[EPOCHS] is not None and state[EPOCH_LENGTH] is not None:
            self._total = (state[EPOCHS] or 0) * -(-(state[EPOCH_LENGTH] or 0) // self._accumulate)
        self._shows = is_main()
        if self.console.is_terminal and self._shows:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[text]}"),
                console=self.console,
                auto_refresh=False,
            )
            self._task = self._bar.add_task(self.label, total=self._total, text="")
            self._bar.start()

    def on_step(self, state: State) -> None:
        """Show where we are, at most ten times a second."""
        now = time.monotonic()
        if now < self._due:
            return
        # The first line comes early, so that a person soon sees how long it will take.
        self._due = now + (0.1 if self._bar else min(self.every, 1.0 if now - self._began < 2 else self.every))
        self._show(state, now)

    def on_end(self, state: State) -> None:
        """Show the end, unless it is shown already."""
        if self._bar or state[STEP] != self._shown:
            self._show(state, time.monotonic())
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _show(self, state: State, now: float) -> None:
        if not self._shows:
            return
        step, total = state[STEP], self._total
        self._shown = step
        speed = (step - self._first) / max(now - self._began, 1e-9)
        of = f"/{total:,}" if total else ""
        parts = [f"{step:,}{of}", f"{speed:,.1f} steps/s"]
        if total and speed and step < total:
            parts.append(f"ETA {duration((total - step) / speed)}")
        elif total and step >= total:
            parts.append(f"took {duration(now - self._began)}")
        parts += [f"{name} {value:.4g}" for name, value in state[METRICS].items()]
        if self._bar:
            self._bar.update(self._task, completed=step, text="  ".join(parts))
            self._bar.refresh()
        else:
            self.console.print(Text("  ".join([self.label, *parts])), soft_wrap=True)


def duration(seconds: float) -> str:
    """Seconds as people read them.

    >>> duration(75), duration(3725)
    ('1:15', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
