"""The usual schedules of the learning rate, ready made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LinearLR, LRScheduler, OneCycleLR

from unbraid.errors import InvalidOption, require_at_least
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.state import EPOCH_LENGTH, EPOCHS, STEPS, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["Cosine", "Lasting", "OneCycle", "Warmup"]


class Warmup(Schedule):
    r"""Lets the learning rate grow from almost nothing to its own value, linearly over the first steps.

    At step :math:`t < T` the rate is :math:`(t + 1) / T` of what it would be. It multiplies what the chainable
    schedulers of torch do (``StepLR``, ``ExponentialLR``, ``ReduceLROnPlateau``), in a
    :class:`~unbraid.fit.callbacks.schedule.Schedule` beside it; :class:`Cosine` and :class:`OneCycle` have a warm-up of
    their own.

    Args:
        steps: :math:`T`, at least 1.
        player: Whose optimiser; None means everybody's.

    References:
        P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.
    """

    def __init__(self, steps: int, *, player: str | None = None) -> None:
        require_at_least(1, steps=steps)
        super().__init__(LinearLR, on="step", player=player, start_factor=1 / steps, total_iters=steps - 1)


class Lasting(Schedule):
    """A schedule as long as the trial, unless it is told how long.

    Args:
        steps: Its length; None means as many as the trial has when it first starts, which a resumed one keeps.
        player: Whose optimiser; None means everybody's.
        options: For the scheduler.
    """

    def __init__(self, steps: int | None, *, player: str | None, **options: Any) -> None:
        if steps is not None:
            require_at_least(1, steps=steps)
        super().__init__(LRScheduler, on="step", player=player, **options)
        self.steps = steps
        self.total = steps or 1
        """How many steps it lasts, once the trial has started."""
        self._accumulate = 1
        self._kept: int | None = None

    def scheduler(self, optimizer: Optimizer) -> LRScheduler:
        """The scheduler of one optimiser over ``total`` steps."""
        raise NotImplementedError  # abstract

    def build(self, optimizer: Optimizer, state: State) -> LRScheduler:
        """The scheduler of one optimiser."""
        self.total = self._kept or self.steps or self._length(state)
        return self.scheduler(optimizer)

    def bind(self, trial: Trial) -> None:
        """Learn how many batches make a step."""
        self._accumulate = trial.accumulate

    def on_start(self, state: State) -> None:
        """Make the schedulers, unless they are there from an earlier part of the trial."""
        super().on_start(state)
        self._kept = None

    def state_dict(self) -> dict[str, Any]:
        """The schedulers' states and the length."""
        return {**super().state_dict(), "total": self._kept or self.total}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up states and length."""
        super().load_state_dict(state)
        if self.schedulers:
            self.total = state["total"]
        else:
            self._kept = state["total"]

    def _length(self, state: State) -> int:
        if (steps := state[STEPS]) is not None:
            return steps
        epochs, length = state[EPOCHS], state[EPOCH_LENGTH]
        if epochs is None or length is None:
            raise InvalidOption(f"nobody knows how long this trial is: give {type(self).__name__}(steps=...)")
        return epochs * -(-length // self._accumulate)


class Cosine(Lasting):
    r"""Lets the learning rate fall along half a cosine over the whole trial, after an optional linear warm-up.

    .. math:: \eta_t = \eta \left(f + (1 - f) \tfrac{1}{2} (1 + \cos \pi \tfrac{t - W}{T - W})\right)

    Args:
        steps: :math:`T`; by default as many as the trial has when it first starts, which a resumed one keeps.
        warmup: :math:`W`, the steps of warm-up, at least 0.
        floor: :math:`f`, the part of the rate that is left in the end, 0 to 1.
        player: Whose optimiser; None means everybody's.

    References:
        I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(
        self, steps: int | None = None, *, warmup: int = 0, floor: float = 0.0, player: str | None = None
    ) -> None:
        require_at_least(0, warmup=warmup, floor=floor)
        if floor > 1:
            raise InvalidOption(f"floor is a part of the learning rate, 0 to 1, but is {floor}")
        super().__init__(steps, player=player)
        self.warmup, self.floor = warmup, floor

    def scheduler(self, optimizer: Optimizer) -> LRScheduler:
        """The scheduler of one optimiser."""
        if self.warmup >= self.total:
            raise InvalidOption(f"a warm-up of {self.warmup} steps leaves nothing of {self.total} steps")
        return LambdaLR(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """The part of the learning rate at a step.

        >>> [round(Cosine(4).factor(step), 2) for step in range(6)]
        [1.0, 0.85, 0.5, 0.15, 0.0, 0.0]
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = min(1.0, (step - self.warmup) / (self.total - self.warmup))
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2


class OneCycle(Lasting):
    """Lets the learning rate rise to a peak and fall to almost nothing, once in the whole trial, momentum against it.

    Momentum moves only where the optimiser has some: plain SGD is given none, other than by torch itself.

    Args:
        peak: The highest learning rate, above 0.
        steps: The length; by default as many as the trial has when it first starts, which a resumed one keeps.
        player: Whose optimiser; None means everybody's.
        options: For ``torch.optim.lr_scheduler.OneCycleLR``: ``pct_start``, ``div_factor`` ...

    References:
        L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks", 2018.
    """

    def __init__(self, peak: float, steps: int | None = None, *, player: str | None = None, **options: Any) -> None:
        require_at_least(0, peak=peak)
        super().__init__(steps, player=player, **options)
        self.peak = peak

    def scheduler(self, optimizer: Optimizer) -> LRScheduler:
        """The scheduler of one optimiser."""
        momentum = any(group.get("momentum") or "betas" in group for group in optimizer.param_groups)
        return OneCycleLR(optimizer, self.peak, total_steps=self.total, **{"cycle_momentum": momentum, **self.options})

    def over(self, scheduler: Any) -> bool:
        """Whether the cycle is complete; the rate then stays at its end."""
        return bool(scheduler.last_epoch >= scheduler.total_steps - 1)
