"""Progress: lines where there is no terminal, a bar where there is one, both with the time that is left."""

from __future__ import annotations

import io
import re

import pytest
import torch
from rich.console import Console
from torch import nn

from unbraid.fit import Progress, Trial, hook
from unbraid.fit.callbacks import progress

PAIR = (torch.ones(2, 1), torch.zeros(2, 1))


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by half a second a step."""

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def shown(clock, *, terminal: bool, batches: int = 60, accumulate: int = 1, **how) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, legacy_windows=False, color_system=None)

    @hook("on_sample")
    def tick(state):
        clock.now += 0.5

    model = nn.Linear(1, 1)
    callbacks = [tick, Progress("a line", console=console)]
    trial = Trial(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        nn.MSELoss(),
        callbacks=callbacks,
        accumulate=accumulate,
    )
    trial.fit([PAIR] * batches, **how)
    return file.getvalue()


def test_without_a_terminal_lines_tell_speed_and_the_time_left(clock):
    lines = shown(clock, terminal=False, steps=60, record_every=1).splitlines()
    assert re.fullmatch(r"a line  1/60  2\.0 steps/s  ETA 0:(29|30)  loss \S+", lines[0])
    assert re.fullmatch(r"a line  60/60  2\.0 steps/s  took 0:30  loss \S+", lines[-1])
    assert 3 <= len(lines) <= 8, "a line now and then"


def test_the_last_line_is_shown_once(clock):
    assert len(shown(clock, terminal=False, steps=1).splitlines()) == 1


def test_on_a_terminal_there_is_a_bar_with_the_time_left(clock):
    text = shown(clock, terminal=True, steps=60)
    assert "━" in text
    assert "30/60" in text
    assert "ETA 0:15" in text
    assert "took 0:30" in text


def test_epochs_have_an_end_in_sight(clock):
    assert "20/20" in shown(clock, terminal=False, epochs=2, batches=10)


def test_accumulated_batches_are_not_counted_as_steps(clock):
    text = shown(clock, terminal=False, epochs=2, batches=10, accumulate=3)
    assert "8/8" in text
    assert "took" in text


def test_markup_in_a_label_is_shown_as_it_is(clock, capsys):
    file = io.StringIO()
    model = nn.Linear(1, 1)
    bar = Progress("a [red]label[/red]", console=Console(file=file))
    Trial(model, None, nn.MSELoss(), callbacks=[bar]).fit([PAIR], steps=1)
    assert "a [red]label[/red]" in file.getvalue()


def test_what_failed_is_shown_where_it_stopped(clock):
    file = io.StringIO()

    @hook("on_backward")
    def fail(state):
        raise ArithmeticError

    bar = Progress("a line", console=Console(file=file, force_terminal=True, color_system=None))
    with pytest.raises(ArithmeticError):
        Trial(nn.Linear(1, 1), None, nn.MSELoss(), callbacks=[bar, fail]).fit([PAIR], steps=5)
    assert "0/5" in file.getvalue()
    assert file.getvalue().endswith("\x1b[?25h"), "the cursor is shown again"


def test_seconds_are_read_as_people_read_them():
    assert [progress.duration(s) for s in (0, 59.6, 3600)] == ["0:00", "1:00", "1:00:00"]
