"""What all metrics share that compare predictions with targets."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.metrics.contract import Reading, Sums, reading
from unbraid.fit.metrics.criteria import ignored
from unbraid.fit.state import CRITERION, Y_PRED, Y_TRUE, State

__all__ = ["Compared", "class_indices", "same_shape"]


class Compared(Sums):
    """A metric that compares predictions with targets.

    Args:
        name: What it is called.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets.
        ignore_index: A target that is left out; None takes the criterion's.
    """

    def __init__(
        self, name: str, *, prediction: Reading = Y_PRED, target: Reading = Y_TRUE, ignore_index: int | None = None
    ) -> None:
        super().__init__()
        self.name, self.ignore_index = name, ignore_index
        self.prediction, self.target = reading(prediction), reading(target)
        self.criterion: Any = None

    def meet(self, state: State) -> None:
        """Learn the criterion, and what it leaves out."""
        self.criterion = state.get(CRITERION)
        if self.ignore_index is None:
            self.ignore_index = ignored(self.criterion)

    def add(self, state: State) -> None:
        """Compare a batch."""
        y_pred, y_true = self.prediction(state), self.target(state)
        if not (isinstance(y_pred, Tensor) and isinstance(y_true, Tensor)):
            raise InvalidOption(
                f"the metric {self.name!r} compares two tensors, but the prediction is a {type(y_pred).__name__} and "
                f"the target a {type(y_true).__name__}: say where they are by prediction=... and target=..."
            )
        self.compare(y_pred.detach(), y_true)

    @abstractmethod
    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Add what the comparison gives to the sums; nothing here makes the device wait."""


def same_shape(name: str, y_pred: Tensor, y_true: Tensor) -> None:
    """Check that nothing would be broadcast, which gives wrong numbers in silence.

    Raises:
        InvalidData: When the shapes differ.
    """
    if y_pred.shape != y_true.shape:
        raise InvalidData(
            f"the metric {name!r} compares like with like, but predictions have the shape {tuple(y_pred.shape)} and "
            f"targets {tuple(y_true.shape)}"
        )


def class_indices(name: str, y_pred: Tensor, y_true: Tensor) -> Tensor:
    """The classes of targets: indices as they are, and of soft ones the class with the highest share.

    Args:
        name: Of the metric, for the message.
        y_pred: Predictions ``(N, C, ...)``.
        y_true: Targets ``(N, ...)``, or soft ones ``(N, C, ...)``.

    Raises:
        InvalidData: When it is neither.
    """
    if y_pred.ndim > 1 and y_true.shape == y_pred.shape:
        y_true = y_true.argmax(1)
    if y_pred.ndim < 2 or y_true.shape != y_pred.shape[:1] + y_pred.shape[2:]:
        raise InvalidData(
            f"the metric {name!r} needs predictions (N, classes, ...) and targets (N, ...), but they are "
            f"{tuple(y_pred.shape)} and {tuple(y_true.shape)}"
        )
    return y_true
