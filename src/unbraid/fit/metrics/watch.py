"""What a trial itself is doing: epoch, learning rate, size of the gradients, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from unbraid.fit.callback import Callback
from unbraid.fit.metrics.contract import Metric, Saved
from unbraid.fit.metrics.mean import Aggregated
from unbraid.fit.metrics.names import register
from unbraid.fit.metrics.whole import floats
from unbraid.fit.state import EPOCH, OPTIMIZERS, PLAYER, TRAINING, State

__all__ = ["GradNorm", "Now", "Time", "learning_rates"]


class Now(Metric):
    """A value as it is at the moment of the record, not gathered over batches.

    Args:
        name: What it is called.
        of: A function of the state that gives a number, or numbers by name.
    """

    def __init__(self, name: str, of: Callable[[State], Any]) -> None:
        self.name, self.of = name, of
        self.state: State | None = None
        self.saved: dict[str, float] = {}

    def update(self, state: State) -> None:
        """Remember where to look."""
        self.state = state

    def compute(self) -> dict[str, float]:
        """Look; an evaluation has nothing to add."""
        if self.state is None:
            return dict(self.saved)
        return floats(self.name, self.of(self.state)) if self.state.get(TRAINING, True) else {}

    def reset(self) -> None:
        """Forget where to look."""
        self.state, self.saved = None, {}

    def state_dict(self) -> dict[str, Any]:
        """What is to be seen now."""
        return self.compute()

    def load_state_dict(self, state: Saved) -> None:
        """Take up what was to be seen."""
        self.state, self.saved = None, dict(state)

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """What the first process sees that sees anything."""
        return next((dict(state) for state in states if state), {})


class Time(Metric):
    """Seconds on the clock since the last record; before the first record, since the first batch was computed."""

    def __init__(self, name: str = "time") -> None:
        self.name, self.before = name, 0.0
        self.since: float | None = None
        self.began = False

    def update(self, state: State) -> None:
        """Start the clock where it stands."""
        self.began = True
        if self.since is None:
            self.since = time.perf_counter()

    def compute(self) -> dict[str, float]:
        """The seconds."""
        return {self.name: self._seconds()} if self.began else {}

    def reset(self) -> None:
        """Start the clock anew."""
        self.before, self.since, self.began = 0.0, time.perf_counter(), False

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        return {"seconds": self._seconds(), "began": self.began}

    def load_state_dict(self, state: Saved) -> None:
        """Count on from there."""
        self.before, self.since, self.began = state["seconds"], time.perf_counter(), state["began"]

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The longest."""
        return max((dict(state) for state in states), key=lambda state: state["seconds"])

    def _seconds(self) -> float:
        return self.before + (0.0 if self.since is None else time.perf_counter() - self.since)


class GradNorm(Aggregated, Callback):
    """The mean over steps of the Euclidean norm of a player's gradients, as they are before callbacks change them.

    Named ``grad_norm``, and where there are several players ``grad_norm_<player>``. Its engine calls it at
    ``on_backward``, for when other metrics are updated there is no gradient yet.
    """

    def __init__(self, name: str = "grad_norm") -> None:
        super().__init__(name, PLAYER)

    def update(self, state: State) -> None:
        """Nothing: a batch has no gradient yet."""

    def on_backward(self, state: State) -> None:
        """Take in the norm of the player's gradients."""
        players, player = state[OPTIMIZERS], state[PLAYER]
        groups = players[player].param_groups
        gradients = [p.grad for group in groups for p in group["params"] if p.grad is not None]
        if gradients:
            name = self.name if len(players) == 1 else f"{self.name}_{player}"
            norms = torch._foreach_norm([grad.detach() for grad in gradients])
            self.take({name: torch.linalg.vector_norm(torch.stack([norm.float() for norm in norms]))}, 1)


def learning_rates(state: State) -> dict[str, float]:
    """The learning rate, as ``lr``; of several players as ``lr_<player>``, of several groups with their number."""
    rates = {}
    for player, optimizer in state[OPTIMIZERS].items():
        for i, group in enumerate(optimizer.param_groups):
            name = "lr" if len(state[OPTIMIZERS]) == 1 else f"lr_{player}"
            rates[name if len(optimizer.param_groups) == 1 else f"{name}_{i}"] = float(group["lr"])
    return rates


register("epoch")(lambda: Now("epoch", lambda state: state[EPOCH]))
register("lr", "learning_rate")(lambda: Now("lr", learning_rates))
register("grad_norm")(GradNorm)
register("time")(Time)
