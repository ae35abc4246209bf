"""Targets that only the criterion sees: metrics and other callbacks go on seeing plain ones."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from unbraid.fit.callback import Callback
from unbraid.fit.state import Y_TRUE, Key, State

__all__ = ["Targets"]

_PLAIN: Key[dict[int, tuple[Any, Any]]] = Key("plain_targets")
"""Of every changed target of this step, by identity: the target itself (so that it stays alive) and its plain form."""
_GIVEN: Key[Any] = Key("given_target")
"""The changed target, while the plain one is in its place."""


class Targets(Callback):
    """Puts another target before the criterion, and the plain one back for the metrics, in every turn and try.

    Several of these may follow one another: the plain target stays that of the data.
    """

    def change(self, state: State, target: Any, plain: Any) -> None:
        """Let the criterion see ``target``, and everyone else ``plain``."""
        known = state.setdefault(_PLAIN, {})
        if id(plain) in known:
            plain = known[id(plain)][1]
        elif known and isinstance(plain, Tensor) and plain.is_floating_point() and plain.ndim == 2:
            # Targets were softened before this, and mixed in a way that nobody can trace back.
            plain = plain.argmax(1)
        known[id(target)] = (target, plain)
        state[Y_TRUE] = target

    def on_criterion(self, state: State) -> None:
        """The criterion has seen the changed target: metrics see the plain one."""
        given = state[Y_TRUE]
        if id(given) in state.get(_PLAIN, {}):
            state[_GIVEN], state[Y_TRUE] = given, state[_PLAIN][id(given)][1]

    def on_backward(self, state: State) -> None:
        """Another player, or another try, needs the changed target again."""
        if _GIVEN in state:
            state[Y_TRUE] = state.pop(_GIVEN)

    def on_step(self, state: State) -> None:
        """The step is over."""
        if id(state[Y_TRUE]) in state.get(_PLAIN, {}):
            state[Y_TRUE] = state[_PLAIN][id(state[Y_TRUE])][1]
        state.pop(_PLAIN, None)
