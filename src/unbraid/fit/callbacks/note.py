"""More columns of the history: what a function makes of the model at every record."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from unbraid.errors import require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import looking
from unbraid.fit.state import HISTORY, MODEL, STEP, State

__all__ = ["Note"]


class Note(Callback):
    """Adds what a function of the state gives to the rows of the history; the model is evaluating meanwhile.

    It must stand before the callbacks that write the rows somewhere. Nothing of the trial changes but its history.

    Args:
        of: A function of the state that gives numbers by name.
        apart: Steps that lie between two rows that are added to, at least 1: what is dear is not asked of every row.

    >>> note = Note(lambda state: {"largest": max(float(p.abs().max()) for p in state[MODEL].parameters())})
    """

    def __init__(self, of: Callable[[State], Mapping[str, float]], *, apart: int = 1) -> None:
        require_at_least(1, apart=apart)
        self.of, self.apart = of, apart

    def on_record(self, state: State) -> None:
        """Add to the new row, if it is due."""
        *before, row = state[HISTORY]
        last = int(before[-1]["step"]) if before else 0
        # By the steps alone, so that a resumed trial asks at the same rows.
        if state[STEP] // self.apart > last // self.apart:
            with looking(state[MODEL]), torch.no_grad():
                row.update(self.of(state))
