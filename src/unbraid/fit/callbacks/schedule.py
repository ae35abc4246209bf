"""Learning rates that change: an adapter for every scheduler of torch."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

from torch import Tensor
from torch.optim import Optimizer

from unbraid.errors import InvalidOption, UnknownName
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.monitor import Monitor
from unbraid.fit.state import EPOCH_LENGTH, EPOCHS, OPTIMIZERS, State

__all__ = ["Schedule"]


class Schedule(Callback):
    """Lets a scheduler of ``torch.optim.lr_scheduler`` set the learning rate, after the optimiser has stepped.

    The scheduler is made when the trial starts, one for each player, and its state is part of a checkpoint.

    Args:
        builder: A scheduler's class, or a function from an optimiser to a scheduler.
        on: ``"step"`` or ``"epoch"``: what the scheduler counts.
        monitor: For schedulers that follow a quantity (``ReduceLROnPlateau``): its name in the history. They step at
            every record that holds it, which is once an epoch unless ``record_every`` says otherwise.
        player: Whose optimiser; None means everybody's.
        options: For the builder.

    Raises:
        InvalidOption: When the scheduler follows a quantity and none is given, or the other way round.

    >>> from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
    >>> slower = Schedule(StepLR, step_size=30)
    >>> plateau = Schedule(ReduceLROnPlateau, monitor="validation_loss", patience=5)
    """

    def __init__(
        self,
        builder: Callable[..., Any],
        on: Literal["step", "epoch"] = "epoch",
        *,
        monitor: str | None = None,
        player: str | None = None,
        **options: Any,
    ) -> None:
        if on not in ("step", "epoch"):
            raise InvalidOption(f"a schedule counts on 'step' or 'epoch', not {on!r}")
        if monitor is not None and on == "step":
            raise InvalidOption(f"{monitor!r} is new once a record, not every step: leave out on='step'")
        # The scheduler knows better what is good; here the quantity is only read.
        self.monitor = None if monitor is None else Monitor(monitor, mode="min")
        self.builder, self.on, self.player, self.options = builder, on, player, options
        self.schedulers: dict[str, Any] = {}
        """The scheduler of each player, once the trial has started."""
        self._optimizers: dict[str, Optimizer] = {}
        self._saved: Mapping[str, Any] = {}

    def build(self, optimizer: Optimizer, state: State) -> Any:
        """The scheduler of one optimiser."""
        return self.builder(optimizer, **self.options)

    def on_start(self, state: State) -> None:
        """Make the schedulers, unless they are there from an earlier part of the trial."""
        optimizers = state[OPTIMIZERS]
        if self.player is not None and self.player not in optimizers:
            raise UnknownName("player", self.player, optimizers)
        if self.on == "epoch" and self.monitor is None and state[EPOCH_LENGTH] is None and state[EPOCHS] is None:
            raise InvalidOption("nobody knows where an epoch of this data ends: give on='step', or an epoch_length")
        for name, optimizer in optimizers.items():
            if self.player not in (None, name) or self._optimizers.get(name) is optimizer:
                continue
            before = [_options(group) for group in optimizer.param_groups]
            self.schedulers[name] = scheduler = self.build(optimizer, state)
            self._optimizers[name] = optimizer
            self._check(scheduler)
            if name in self._saved:
                # Making it has set the rate of a fresh start: the resumed optimiser knows better.
                scheduler.load_state_dict(copy.deepcopy(self._saved[name]))
                for group, options in zip(optimizer.param_groups, before, strict=True):
                    _restore(group, options)
        self._saved = {}

    def on_step(self, state: State) -> None:
        """Count a step."""
        if self.on == "step":
            self._advance()

    def on_record(self, state: State) -> None:
        """Show a new value to schedulers that follow one."""
        if self.monitor is not None and (value := self.monitor.read(state)) is not None:
            self._advance(value)

    def on_end_epoch(self, state: State) -> None:
        """Count an epoch."""
        if self.monitor is not None:
            self.monitor.end_epoch(state)
        elif self.on == "epoch":
            self._advance()

    def over(self, scheduler: Any) -> bool:
        """Whether a scheduler has come to its end, and the rate stays as it is."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """The schedulers' own states, by player."""
        made = {name: copy.deepcopy(scheduler.state_dict()) for name, scheduler in self.schedulers.items()}
        return {"schedulers": made or dict(self._saved)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the schedulers' states."""
        self._saved = state["schedulers"]
        for name, scheduler in self.schedulers.items():
            if name in self._saved:
                scheduler.load_state_dict(copy.deepcopy(self._saved[name]))

    def _advance(self, *value: float) -> None:
        for scheduler in self.schedulers.values():
            if self.over(scheduler):
                continue
            if getattr(scheduler, "last_epoch", 0) > 0:
                scheduler.step(*value)
            else:
                with warnings.catch_warnings():
                    # Where float16 overflows, the first steps of the optimiser are left out on purpose.
                    warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step", UserWarning)
                    scheduler.step(*value)

    def _check(self, scheduler: Any) -> None:
        given = inspect.signature(scheduler.step).parameters.values()
        follows = any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in given)
        if follows and self.monitor is None:
            raise InvalidOption(f"{type(scheduler).__name__} follows a quantity: give monitor='validation_loss'")
        if self.monitor is not None and not follows:
            # Its step would take the value for the number of an epoch.
            raise InvalidOption(
                f"{type(scheduler).__name__} follows no quantity: leave out monitor={self.monitor.name!r}"
            )


def _options(group: dict[str, Any]) -> dict[str, Any]:
    return {name: copy.deepcopy(value) for name, value in group.items() if name != "params"}


def _restore(group: dict[str, Any], options: dict[str, Any]) -> None:
    for name, value in options.items():
        if isinstance(value, Tensor) and isinstance(group[name], Tensor):
            group[name].copy_(value)
        else:
            group[name] = value
