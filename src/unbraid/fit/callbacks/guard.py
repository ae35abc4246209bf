"""When a function or a callback runs: guards, and what they guard. The decorators of them are in ``fit.decorators``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from unbraid.errors import InvalidOption
from unbraid.fit.callback import HOOKS, Callback
from unbraid.fit.state import EPOCH, Key, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["Every", "EverySeconds", "Guard", "Guarded", "GuardedCallback", "Once", "OncePerEpoch", "OnlyIf", "Wrapped"]

R = TypeVar("R")

LIFE = ("on_start", "on_checkpoint", "on_exception", "on_end")
"""Where a callback opens, saves and closes: never held back."""


class Guard:
    """Whether it is time; always, unless a guard says otherwise."""

    memory: Any = None
    """What it must remember to know: a number, and part of a checkpoint."""

    def due(self, state: State) -> bool:
        """Whether it is time."""
        return True

    def ran(self, state: State) -> None:
        """What is guarded has run."""

    def save(self) -> Any:
        """What must survive an interruption."""
        return self.memory

    def load(self, memory: Any) -> None:
        """Take up what :meth:`save` gave."""
        self.memory = memory


class OnlyIf(Guard):
    """Time whenever a condition holds."""

    def __init__(self, condition: Callable[[State], bool]) -> None:
        self.condition = condition

    def due(self, state: State) -> bool:
        """Whether the condition holds."""
        return bool(self.condition(state))


class Once(Guard):
    """Time until it has run."""

    def due(self, state: State) -> bool:
        """Whether it has not run yet."""
        return self.memory is None

    def ran(self, state: State) -> None:
        """Never again."""
        self.memory = True


class OncePerEpoch(Guard):
    """Time until it has run in this epoch."""

    def due(self, state: State) -> bool:
        """Whether it has not run in this epoch."""
        return bool(self.memory != state[EPOCH])

    def ran(self, state: State) -> None:
        """Not again in this epoch."""
        self.memory = state[EPOCH]


class Every(Guard):
    """Time when a counter has reached or passed a new multiple of ``n``, and all through that moment.

    Args:
        counter: ``STEP`` or ``EPOCH``.
        n: At least 1.
    """

    def __init__(self, counter: Key[int], n: int) -> None:
        self.counter, self.n = counter, n

    def due(self, state: State) -> bool:
        """Whether a multiple lies between the last run and now."""
        now = state[self.counter]
        return bool(now == self.memory or now // self.n > (self.memory or 0) // self.n)

    def ran(self, state: State) -> None:
        """Wait for the next multiple."""
        self.memory = state[self.counter]


class EverySeconds(Guard):
    """Time when so many seconds have passed since it last ran, or since it was first asked.

    Time goes on only while a trial runs: what had passed when it was interrupted counts when it is resumed.

    Args:
        seconds: At least 0.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.since = seconds, -1.0
        self.memory = 0.0

    def due(self, state: State) -> bool:
        """Whether they have passed."""
        if self.since < 0:
            self.since = time.monotonic() - self.memory
        return time.monotonic() - self.since >= self.seconds

    def ran(self, state: State) -> None:
        """Begin to count again."""
        self.since = time.monotonic()

    def save(self) -> Any:
        """How many seconds have passed."""
        return self.memory if self.since < 0 else time.monotonic() - self.since

    def load(self, memory: Any) -> None:
        """Take up the count."""
        self.memory, self.since = memory, -1.0


class Wrapped(Generic[R]):
    """A function of the state around another, whose memory is the other's.

    Args:
        function: The other; it may itself be wrapped.
    """

    def __init__(self, function: Callable[[State], R]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = function.__doc__

    def __call__(self, state: State) -> R | None:
        """Call the function."""
        return self.function(state)

    def __get__(self, instance: object, owner: type) -> Wrapped[R]:
        if instance is not None:
            raise InvalidOption(
                f"{self.__name__} of {owner.__name__} is modified inside a class, where every object would share one "
                f"memory: leave the method plain and modify the object, as in once({owner.__name__}())"
            )
        return self

    def due(self, state: State) -> bool:
        """Whether a call would do anything."""
        return not isinstance(self.function, Wrapped) or self.function.due(state)

    def state_dict(self) -> dict[str, Any]:
        """What the function remembers."""
        return dict(self.function.state_dict()) if hasattr(self.function, "state_dict") else {}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        if hasattr(self.function, "load_state_dict"):
            self.function.load_state_dict(saved)


class Guarded(Wrapped[R]):
    """A function of the state that runs when a guard, and every guard within, says that it is time; else gives None.

    Args:
        function: What runs.
        guard: What says when.
    """

    def __init__(self, function: Callable[[State], R], guard: Guard) -> None:
        super().__init__(function)
        self.guard = guard

    def __call__(self, state: State) -> R | None:
        """Call the function if it is time."""
        if not self.due(state):
            return None
        result = self.function(state)
        self.guard.ran(state)
        return result

    def due(self, state: State) -> bool:
        """Whether a call would run the function."""
        return self.guard.due(state) and super().due(state)

    def state_dict(self) -> dict[str, Any]:
        """What the guard remembers, and what the function does."""
        return {"guard": self.guard.save(), "function": super().state_dict()}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.guard.load(saved["guard"])
        super().load_state_dict(saved["function"])


class GuardedCallback(Callback):
    """A callback whose hooks run when a guard says so, each hook with a guard of its own.

    ``on_start``, ``on_checkpoint``, ``on_exception`` and ``on_end`` always run: what is opened must be closed.

    Args:
        callback: What is guarded.
        guard: Makes a guard.
    """

    def __init__(self, callback: Callback, guard: Callable[[], Guard]) -> None:
        self.callback, self.last = callback, callback.last
        self.guarded: dict[str, Guarded[None]] = {}
        for name in HOOKS:
            if getattr(type(callback), name) is getattr(Callback, name) and name not in vars(callback):
                continue
            function = getattr(callback, name)
            if name not in LIFE:
                function = self.guarded[name] = Guarded(function, guard())
            setattr(self, name, function)

    def bind(self, trial: Trial) -> None:
        """Show the trial to the callback."""
        self.callback.bind(trial)

    def evaluating(self, state: State) -> AbstractContextManager[object]:
        """The callback's own context, always: what it has gathered is there to be used."""
        return self.callback.evaluating(state)

    def state_dict(self) -> dict[str, Any]:
        """What the callback and the guards remember."""
        guards = {name: function.guard.save() for name, function in self.guarded.items()}
        return {"callback": self.callback.state_dict(), "guards": guards}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.callback.load_state_dict(state["callback"])
        for name, memory in state["guards"].items():
            self.guarded[name].guard.load(memory)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.callback!r})"
