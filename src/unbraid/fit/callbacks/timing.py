"""Where the time goes: by phase, and by operation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from unbraid.errors import require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.state import COUNT, DEVICE, STEP, State

__all__ = ["Profile", "Timer"]


class Timer(Callback):
    """Measures the time of every phase of a trial, and the samples a second.

    A phase is what lies between one hook and the next: ``data`` (drawing batches), ``forward``, ``loss`` (the
    criterion; with the forward pass where the model states its own loss), ``backward`` (with the metrics), ``step``
    (the optimiser, and records), ``validation`` and ``other`` (the ends of epochs). Put it last among the callbacks:
    their time then counts for the phase they follow.

    Args:
        report: What is done with the table at the end, such as ``print``; nothing by default.
        synchronize: Whether the device is waited for at every hook. On a GPU phases are only true if it is, but the
            whole is slower.
    """

    def __init__(self, report: Callable[[str], object] | None = None, *, synchronize: bool = False) -> None:
        self.report, self.synchronize = report, synchronize
        self.seconds: dict[str, float] = {}
        """The sum of each phase, over all parts of an interrupted trial."""
        self.times: dict[str, int] = {}
        """How often each phase took place."""
        self.samples = 0
        """How many samples were fitted."""
        self._at = 0.0
        self._evaluating = False

    @property
    def rate(self) -> float:
        """Samples a second, evaluations left out."""
        spent = sum(value for phase, value in self.seconds.items() if phase != "validation")
        return self.samples / spent if spent else 0.0

    def table(self) -> str:
        """Phase, seconds, share and milliseconds a time, the longest first."""
        whole = sum(self.seconds.values()) or 1.0
        rows = [
            f"{phase:<12}{value:>10.2f} s{value / whole:>8.1%}{1000 * value / self.times[phase]:>12.3f} ms"
            for phase, value in sorted(self.seconds.items(), key=lambda item: -item[1])
        ]
        return "\n".join([*rows, f"{self.samples:,} samples, {self.rate:,.0f} a second"])

    def on_start(self, state: State) -> None:
        """Begin."""
        self._at, self._evaluating = self._now(state), False

    def on_start_epoch(self, state: State) -> None:
        """Something else has ended."""
        self._end("other", state)

    def on_sample(self, state: State) -> None:
        """A batch has come."""
        self._end("data", state)
        self.samples += state[COUNT]

    def on_forward(self, state: State) -> None:
        """The forward pass has ended."""
        self._end("forward", state)

    def on_criterion(self, state: State) -> None:
        """The loss is known."""
        self._end("loss", state)

    def on_backward(self, state: State) -> None:
        """The backward pass has ended."""
        self._end("backward", state)

    def on_step(self, state: State) -> None:
        """The step has ended."""
        self._end("step", state)

    def on_end_epoch(self, state: State) -> None:
        """Something else has ended."""
        self._end("other", state)

    def on_start_validation(self, state: State) -> None:
        """Something else has ended."""
        self._end("other", state)

    def on_end_validation(self, state: State) -> None:
        """An evaluation has ended."""
        self._end("validation", state)

    def on_end(self, state: State) -> None:
        """Report."""
        self._end("other", state)
        if self.report is not None:
            self.report(self.table())

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {"seconds": dict(self.seconds), "times": dict(self.times), "samples": self.samples}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the sums."""
        self.seconds, self.times, self.samples = dict(state["seconds"]), dict(state["times"]), state["samples"]

    def _end(self, phase: str, state: State) -> None:
        now = self._now(state)
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._at
        self.times[phase] = self.times.get(phase, 0) + 1
        self._at = now

    def _now(self, state: State) -> float:
        if self.synchronize and state[DEVICE].type == "cuda":
            torch.cuda.synchronize(state[DEVICE])
        return time.perf_counter()


class Profile(Callback):
    """Runs torch's profiler over a few steps and writes what it saw.

    Args:
        path: The file: a trace for ``chrome://tracing`` or Perfetto if it ends in ``.json``, else a table as text.
        skip: Steps before it begins, counted from the start of the fit, at least 0: the first ones are slower.
        steps: How many steps it sees, at least 1.
        rows: Rows of the table, at least 1.
    """

    def __init__(self, path: str | Path, *, skip: int = 10, steps: int = 10, rows: int = 30) -> None:
        require_at_least(0, skip=skip)
        require_at_least(1, steps=steps, rows=rows)
        self.path, self.skip, self.steps, self.rows = Path(path), skip, steps, rows
        self._first = 0
        self._profiler: torch.profiler.profile | None = None

    def on_start(self, state: State) -> None:
        """Count from here."""
        self._first = state[STEP] + self.skip
        self._begin(state)

    def on_step(self, state: State) -> None:
        """Begin or end when it is time."""
        if self._profiler is not None and state[STEP] >= self._first + self.steps:
            self._finish()
        self._begin(state)

    def on_end(self, state: State) -> None:
        """End, if the trial was too short."""
        self._finish()

    def _begin(self, state: State) -> None:
        if state[STEP] == self._first and self._profiler is None:
            kinds = [torch.profiler.ProfilerActivity.CPU]
            if state[DEVICE].type == "cuda":
                kinds.append(torch.profiler.ProfilerActivity.CUDA)
            self._profiler = torch.profiler.profile(activities=kinds)
            self._profiler.start()

    def _finish(self) -> None:
        if self._profiler is None:
            return
        self._profiler.stop()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.suffix == ".json":
            self._profiler.export_chrome_trace(str(self.path))
        else:
            averages = self._profiler.key_averages()
            self.path.write_text(averages.table(sort_by="self_cpu_time_total", row_limit=self.rows), "utf-8")
        self._profiler = None
