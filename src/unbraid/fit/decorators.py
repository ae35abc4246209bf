"""Decorators: one for every hook, and modifiers that say when a function or a whole callback runs.

.. code-block:: python

    @on_step
    @every(100)
    def report(state: State) -> None: ...


    averaging = only_if(lambda state: state[STEP] >= 1000)(EMA())

Modifiers stack in any order, above or below the decorator of the hook, and what they remember is part of a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar, overload

from torch import Tensor

from unbraid.errors import InvalidOption, UnknownName, require_at_least
from unbraid.fit.callback import HOOKS, Callback, FunctionCallback, Hook, hook
from unbraid.fit.callbacks.guard import (
    Every,
    EverySeconds,
    Guard,
    Guarded,
    GuardedCallback,
    Once,
    OncePerEpoch,
    OnlyIf,
    Wrapped,
)
from unbraid.fit.state import EPOCH, LOSS, STEP, TERMS, State

__all__ = [
    "Decorator",
    "Modifier",
    "add_to_loss",
    "bind",
    "every",
    "on_backward",
    "on_checkpoint",
    "on_criterion",
    "on_criterion_validation",
    "on_end",
    "on_end_epoch",
    "on_end_validation",
    "on_exception",
    "on_forward",
    "on_forward_validation",
    "on_record",
    "on_sample",
    "on_sample_validation",
    "on_start",
    "on_start_epoch",
    "on_start_validation",
    "on_step",
    "on_step_validation",
    "once",
    "once_per_epoch",
    "only_if",
]

R = TypeVar("R")
Decorator: TypeAlias = Callable[[Hook | FunctionCallback], FunctionCallback]
"""What makes a function of the state a callback."""

on_start: Decorator = hook("on_start")
"""Make a function of the state a callback at ``on_start``."""
on_start_epoch: Decorator = hook("on_start_epoch")
"""Make a function of the state a callback at ``on_start_epoch``."""
on_sample: Decorator = hook("on_sample")
"""Make a function of the state a callback at ``on_sample``."""
on_forward: Decorator = hook("on_forward")
"""Make a function of the state a callback at ``on_forward``."""
on_criterion: Decorator = hook("on_criterion")
"""Make a function of the state a callback at ``on_criterion``."""
on_backward: Decorator = hook("on_backward")
"""Make a function of the state a callback at ``on_backward``."""
on_step: Decorator = hook("on_step")
"""Make a function of the state a callback at ``on_step``."""
on_record: Decorator = hook("on_record")
"""Make a function of the state a callback at ``on_record``."""
on_end_epoch: Decorator = hook("on_end_epoch")
"""Make a function of the state a callback at ``on_end_epoch``."""
on_checkpoint: Decorator = hook("on_checkpoint")
"""Make a function of the state a callback at ``on_checkpoint``."""
on_exception: Decorator = hook("on_exception")
"""Make a function of the state a callback at ``on_exception``."""
on_end: Decorator = hook("on_end")
"""Make a function of the state a callback at ``on_end``."""
on_start_validation: Decorator = hook("on_start_validation")
"""Make a function of the state a callback at ``on_start_validation``."""
on_sample_validation: Decorator = hook("on_sample_validation")
"""Make a function of the state a callback at ``on_sample_validation``."""
on_forward_validation: Decorator = hook("on_forward_validation")
"""Make a function of the state a callback at ``on_forward_validation``."""
on_criterion_validation: Decorator = hook("on_criterion_validation")
"""Make a function of the state a callback at ``on_criterion_validation``."""
on_step_validation: Decorator = hook("on_step_validation")
"""Make a function of the state a callback at ``on_step_validation``."""
on_end_validation: Decorator = hook("on_end_validation")
"""Make a function of the state a callback at ``on_end_validation``."""


class Modifier(Protocol):
    """What :func:`every` and :func:`only_if` give: it modifies a function of the state, or a callback."""

    # A FunctionCallback can be called, too; the first signature that fits is the one that counts.

    @overload
    def __call__(self, target: FunctionCallback, /) -> FunctionCallback: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, target: Callback, /) -> Callback: ...
    @overload
    def __call__(self, target: Callable[[State], R], /) -> Guarded[R]: ...


def bind(*hooks: str | Callable[..., None]) -> Decorator:
    """A decorator that makes a function of the state a callback at several hooks, given by name or as methods.

    Args:
        hooks: Such as ``"on_step"`` or ``Callback.on_step``.

    Raises:
        UnknownName: When there is no such hook.

    >>> @bind(Callback.on_start, "on_end")
    ... def tell(state):
    ...     print(state[STEP])
    >>> tell.hooks
    ('on_start', 'on_end')
    """
    names = [target if isinstance(target, str) else getattr(target, "__name__", repr(target)) for target in hooks]
    for name in names:
        if name not in HOOKS:
            raise UnknownName("hook", name, HOOKS)

    def decorate(function: Hook | FunctionCallback) -> FunctionCallback:
        if isinstance(function, FunctionCallback):
            return FunctionCallback(function.function, (*function.hooks, *names))
        return FunctionCallback(function, names)

    return decorate


@overload
def once(target: FunctionCallback) -> FunctionCallback: ...  # type: ignore[overload-overlap]
@overload
def once(target: Callback) -> Callback: ...
@overload
def once(target: Callable[[State], R]) -> Guarded[R]: ...
def once(target: Any) -> Any:
    """Run once in a trial, however often it is interrupted and resumed; of a callback, each hook once.

    >>> @on_step
    ... @once
    ... def greet(state):
    ...     print("first step done")
    >>> greet(State()), greet(State())
    first step done
    (None, None)
    """
    return _guard(target, Once)


@overload
def once_per_epoch(target: FunctionCallback) -> FunctionCallback: ...  # type: ignore[overload-overlap]
@overload
def once_per_epoch(target: Callback) -> Callback: ...
@overload
def once_per_epoch(target: Callable[[State], R]) -> Guarded[R]: ...
def once_per_epoch(target: Any) -> Any:
    """Run once an epoch, also in one that is interrupted and resumed; of a callback, each hook once an epoch."""
    return _guard(target, OncePerEpoch)


def only_if(condition: Callable[[State], bool]) -> Modifier:
    """Run only where a condition on the state holds.

    Args:
        condition: A function of the state.

    >>> @on_criterion
    ... @only_if(lambda state: state[STEP] < 100)
    ... def early(state): ...
    """
    return _modifier(lambda: OnlyIf(condition))


def every(steps: int | None = None, *, epochs: int | None = None, seconds: float | None = None) -> Modifier:
    """Run every so many steps, epochs or seconds: give one of the three.

    What runs in a step runs at every batch and for every player of that step. At a hook that does not come every step
    (``on_end_epoch``), it runs at the first occasion after a multiple has passed. Steps are those of the trial, also
    at the hooks of an evaluation.

    Args:
        steps: At least 1.
        epochs: At least 1.
        seconds: At least 0; time counts while the trial runs.

    >>> @on_step
    ... @every(2)
    ... def tell(state):
    ...     print(state[STEP])
    >>> for step in range(1, 6):
    ...     tell(State({STEP: step}))
    2
    4
    """
    given = {"steps": steps, "epochs": epochs, "seconds": seconds}
    chosen = [(name, value) for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise InvalidOption("every needs one of steps, epochs and seconds, as in every(100) or every(seconds=30)")
    [(name, value)] = chosen
    if name == "seconds":
        require_at_least(0, seconds=value)
        return _modifier(lambda: EverySeconds(value))
    require_at_least(1, **{name: value})
    return _modifier(lambda: Every(STEP if name == "steps" else EPOCH, int(value)))


class _Added(Wrapped[Tensor | float | None]):
    """Adds what a function gives to the loss; nothing where it gives None."""

    def __call__(self, state: State) -> None:
        value = self.function(state)
        if value is not None:
            state[LOSS] = state[LOSS] + value
            # A new mapping: the one that is there may be the model's own.
            term = value if isinstance(value, Tensor) else state[LOSS].new_tensor(value)
            state[TERMS] = {**state.get(TERMS, {}), self.name: term}

    @property
    def name(self) -> str:
        """What the term is called: the function's own name, below whatever modifies it."""
        function: Any = self.function
        return FunctionCallback(function, ()).name


def add_to_loss(function: Callable[[State], Tensor | float | None]) -> FunctionCallback:
    """Add what the function gives to the loss, in training and in validation; None adds nothing.

    It is recorded as a term of the loss, under the function's name.

    >>> import torch
    >>> from unbraid.fit.state import Y_PRED
    >>> @add_to_loss
    ... def activity(state):
    ...     return 0.5 * state[Y_PRED].square().mean()
    >>> state = State({LOSS: torch.tensor(1.0), Y_PRED: torch.tensor([2.0, 2.0])})
    >>> activity.on_criterion(state)
    >>> state[LOSS]
    tensor(3.)
    """
    return FunctionCallback(_Added(function), ("on_criterion", "on_criterion_validation"))


def _modifier(guard: Callable[[], Guard]) -> Modifier:
    def modify(target: Any) -> Any:
        return _guard(target, guard)

    return modify


def _guard(target: Any, guard: Callable[[], Guard]) -> Any:
    if isinstance(target, FunctionCallback):
        return FunctionCallback(Guarded(target.function, guard()), target.hooks)
    if isinstance(target, Callback):
        return GuardedCallback(target, guard)
    return Guarded(target, guard())
