"""What a callback is: a hook for every moment of a trial, as a class or as a decorated function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from unbraid.fit.state import EPOCH, STEP, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["HOOKS", "Callback", "FunctionCallback", "Hook", "Hooks", "by_name", "hook", "sign"]

Hook = Callable[[State], None]


class Callback:
    """Something that happens at certain moments of a trial: override the hooks you need, the others cost nothing.

    In the order of a fit: ``on_start``; every epoch ``on_start_epoch``; every batch ``on_sample``; every player's turn
    ``on_forward`` (output known), ``on_criterion`` (loss known), ``on_backward`` (gradients complete, before the
    optimiser); ``on_record`` when a row joins the history; ``on_step``; ``on_end_epoch``; ``on_checkpoint`` when an
    interrupted trial must be saved; ``on_exception``; and always ``on_end``. Evaluation has its own:
    ``on_start_validation``, ``on_sample_validation``, ``on_forward_validation``, ``on_criterion_validation``,
    ``on_step_validation``, ``on_end_validation``.
    """

    last: bool = False
    """Whether it comes after all others at every hook, wherever it stands in the list: for what saves the whole trial,
    which must hold what every other callback has done."""

    def bind(self, trial: Trial) -> None:
        """Called when a fit begins, before any hook, for a callback that needs the trial itself."""

    def evaluating(self, state: State) -> AbstractContextManager[object]:
        """A context in which the model is evaluated or predicts, for a callback that gives it other weights meanwhile.

        It is entered after ``on_start_validation`` and left after ``on_end_validation``, or when something is raised.
        """
        return nullcontext()

    def on_start(self, state: State) -> None:
        """Before anything else; a resumed trial starts too."""

    def on_start_epoch(self, state: State) -> None:
        """Before the first batch of an epoch; not again where a trial is taken up in the middle of one."""

    def on_sample(self, state: State) -> None:
        """A batch is on the device; ``X`` and ``Y_TRUE`` may be replaced (never changed in place)."""

    def on_forward(self, state: State) -> None:
        """``Y_PRED`` is known (only with a criterion)."""

    def on_criterion(self, state: State) -> None:
        """``LOSS`` is known and may be replaced."""

    def on_backward(self, state: State) -> None:
        """The player's gradients are complete and unscaled; its optimiser steps next."""

    def on_step(self, state: State) -> None:
        """Every player has moved; ``STEP`` counts this step."""

    def on_record(self, state: State) -> None:
        """A row of metrics has joined ``HISTORY``."""

    def on_end_epoch(self, state: State) -> None:
        """After the last batch of an epoch, its record and its validation."""

    def on_checkpoint(self, state: State) -> None:
        """The trial was interrupted between two steps: save what must not be lost."""

    def on_exception(self, state: State) -> None:
        """Something was raised; it goes on its way after this."""

    def on_end(self, state: State) -> None:
        """After everything, whatever happened: close what was opened."""

    def on_start_validation(self, state: State) -> None:
        """Before an evaluation."""

    def on_sample_validation(self, state: State) -> None:
        """As ``on_sample``, in an evaluation."""

    def on_forward_validation(self, state: State) -> None:
        """As ``on_forward``, in an evaluation."""

    def on_criterion_validation(self, state: State) -> None:
        """As ``on_criterion``, in an evaluation."""

    def on_step_validation(self, state: State) -> None:
        """After every batch of an evaluation."""

    def on_end_validation(self, state: State) -> None:
        """After an evaluation; its metrics are in ``METRICS``."""

    def state_dict(self) -> dict[str, Any]:
        """What must survive an interruption: tensors, numbers, text, lists and dictionaries of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""


HOOKS: tuple[str, ...] = tuple(name for name in vars(Callback) if name.startswith("on_"))


class FunctionCallback(Callback):
    """A callback made of a function, for one or more hooks.

    Args:
        function: What is called with the state.
        hooks: Their names.
    """

    def __init__(self, function: Hook, hooks: Iterable[str]) -> None:
        self.function = function
        self.hooks = tuple(hooks)
        for name in self.hooks:
            setattr(self, name, function)

    def __call__(self, state: State) -> None:
        """Call the function itself."""
        self.function(state)

    def state_dict(self) -> dict[str, Any]:
        """What the function remembers, where it does (``once`` and ``every`` do)."""
        return dict(self.function.state_dict()) if hasattr(self.function, "state_dict") else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        if hasattr(self.function, "load_state_dict"):
            self.function.load_state_dict(state)

    @property
    def name(self) -> str:
        """The function's own name, below whatever modifies it."""
        function: Any = self.function
        while not hasattr(function, "__name__") and hasattr(function, "function"):
            function = function.function
        return str(getattr(function, "__name__", type(function).__name__))

    def __repr__(self) -> str:
        return f"{getattr(self.function, '__name__', self.function)!s} at {', '.join(self.hooks)}"


def by_name(callbacks: Iterable[Callback]) -> Iterator[tuple[str, Callback]]:
    """Callbacks with the names under which they are saved: the function's or the class's, numbered."""
    seen: dict[str, int] = {}
    for callback in callbacks:
        name = callback.name if isinstance(callback, FunctionCallback) else type(callback).__name__
        seen[name] = seen.get(name, 0) + 1
        yield f"{name}.{seen[name]}", callback


def hook(name: str) -> Callable[[Hook | FunctionCallback], FunctionCallback]:
    """A decorator that makes a function of the state a callback at the hook called ``name``; decorators stack.

    >>> @hook("on_step")
    ... def count(state):
    ...     print("step", state[STEP])
    >>> count.hooks
    ('on_step',)
    """

    def decorate(function: Hook | FunctionCallback) -> FunctionCallback:
        if isinstance(function, FunctionCallback):
            return FunctionCallback(function.function, (*function.hooks, name))
        return FunctionCallback(function, (name,))

    decorate.__doc__ = f"Make a function of the state a callback at ``{name}``."
    decorate.__name__ = name
    return decorate


class Hooks:
    """The callbacks of a trial, sorted by hook once, so that a hook nobody uses costs nothing.

    Args:
        callbacks: In the order in which they are called, but for those that come ``last``.
    """

    def __init__(self, callbacks: Iterable[Callback]) -> None:
        self.table: dict[str, tuple[tuple[Hook, Callback], ...]] = {}
        callbacks = sorted(callbacks, key=lambda callback: callback.last)
        for name in HOOKS:
            used = (c for c in callbacks if getattr(type(c), name) is not getattr(Callback, name) or name in vars(c))
            self.table[name] = tuple((getattr(c, name), c) for c in used)

    def __contains__(self, name: str) -> bool:
        return bool(self.table[name])

    def fire(self, name: str, state: State) -> None:
        """Call everything at this hook; an error says where it came from."""
        for function, callback in self.table[name]:
            try:
                function(state)
            except Exception as error:
                _sign(error, name, callback, state)
                raise

    def end(self, state: State) -> None:
        """Call everything at ``on_end``, whatever some of it raises; the first error is raised after the last call."""
        errors = []
        for function, callback in self.table["on_end"]:
            try:
                function(state)
            except Exception as error:
                _sign(error, "on_end", callback, state)
                errors.append(error)
        if errors:
            raise errors[0]


def _sign(error: Exception, name: str, callback: Callback, state: State) -> None:
    """Note on an error where it came from."""
    function = isinstance(callback, FunctionCallback)
    where = f"{name} of {callback!r}" if function else f"{type(callback).__name__}.{name}"
    sign(error, f"the callback {where}", state)


def sign(error: Exception, where: str, state: State) -> None:
    """Note on an error where it was raised, unless a closer place is noted already."""
    if not any(note.startswith("raised in ") for note in getattr(error, "__notes__", ())):
        error.add_note(f"raised in {where}, epoch {state[EPOCH]}, step {state[STEP]}")
