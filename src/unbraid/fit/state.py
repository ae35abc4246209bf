"""The state of a trial: one dictionary with typed keys, which every callback and metric can see and change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = [
    "BATCH",
    "COUNT",
    "CRITERION",
    "DEVICE",
    "EPOCH",
    "EPOCHS",
    "EPOCH_LENGTH",
    "HISTORY",
    "LOSS",
    "METRICS",
    "MODEL",
    "OPTIMIZERS",
    "PLAYER",
    "POSITION",
    "STEP",
    "STEPS",
    "STOP",
    "TERMS",
    "TRAINING",
    "Y_PRED",
    "Y_TRUE",
    "Key",
    "State",
    "X",
]

T = TypeVar("T")


class Key(Generic[T]):
    """A key of the state, unlike every other key: ``MY_KEY: Key[Tensor] = Key("mine")``.

    Keys are compared by identity, so two libraries may use the same name and never collide.

    Args:
        name: What it is called in messages and logs.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    def __copy__(self) -> Key[T]:
        return self  # a copy of a metric or callback still reads the same entry of the state

    def __deepcopy__(self, memo: Any) -> Key[T]:
        return self


class State(dict[Key[Any], Any]):
    """A dictionary whose values have the type that their key says.

    Reading and writing are those of ``dict`` itself: they cost tens of nanoseconds.

    >>> state = State({STEP: 3})
    >>> state[STEP]
    3
    """

    if TYPE_CHECKING:

        def __getitem__(self, key: Key[T]) -> T: ...

        def __setitem__(self, key: Key[T], value: T) -> None: ...

    def __repr__(self) -> str:
        return f"State({', '.join(key.name for key in self)})"


MODEL: Key[nn.Module] = Key("model")
"""The model, unwrapped."""
CRITERION: Key[Any] = Key("criterion")
"""The criterion as it was given, or None."""
OPTIMIZERS: Key[Mapping[str, Optimizer]] = Key("optimizers")
"""The optimiser of each player."""
DEVICE: Key[torch.device] = Key("device")
"""Where the model and the batches are."""
STEP: Key[int] = Key("step")
"""How many optimisation steps are done; inside a step, the number of the step counted from 0."""
STEPS: Key[int | None] = Key("steps")
"""After how many steps in total the trial ends, or None."""
EPOCH: Key[int] = Key("epoch")
"""How many passes over the data are done."""
EPOCHS: Key[int | None] = Key("epochs")
"""After how many epochs in total the trial ends, or None."""
EPOCH_LENGTH: Key[int | None] = Key("epoch_length")
"""How many batches an epoch has, or None when nobody knows."""
POSITION: Key[int] = Key("position")
"""How many batches of this epoch have been used."""
BATCH: Key[Any] = Key("batch")
"""The batch as the data gave it, on the device."""
COUNT: Key[int] = Key("count")
"""How many samples the batch holds."""
X: Key[Any] = Key("x")
"""The model's input."""
Y_TRUE: Key[Any] = Key("y_true")
"""The target, or None."""
Y_PRED: Key[Any] = Key("y_pred")
"""The model's output."""
LOSS: Key[Tensor] = Key("loss")
"""The scalar that is differentiated."""
TERMS: Key[Mapping[str, Tensor]] = Key("terms")
"""The named terms of the loss, when it has any."""
PLAYER: Key[str] = Key("player")
"""Whose turn it is."""
TRAINING: Key[bool] = Key("training")
"""Whether the model is being fitted (else evaluated)."""
METRICS: Key[dict[str, float]] = Key("metrics")
"""The metrics of the last record."""
HISTORY: Key[list[dict[str, float]]] = Key("history")
"""One row a record: step, epoch and every metric."""
STOP: Key[bool] = Key("stop")
"""Set it, and the trial ends after this step."""
