"""Errors of numbers: squared and absolute, as means over everything that was predicted."""

from __future__ import annotations

import torch
from torch import Tensor

from unbraid.fit.metrics.compared import Compared, same_shape
from unbraid.fit.metrics.contract import Reading, ratio, wide
from unbraid.fit.metrics.names import register
from unbraid.fit.state import Y_PRED, Y_TRUE

__all__ = ["AbsoluteError", "SquaredError"]


class _Error(Compared):
    """The mean of something over every number that was predicted."""

    sums = ("total", "seen")
    total: Tensor | int
    seen: int

    def compute(self) -> dict[str, float]:
        """The mean, by the metric's name."""
        return {} if self.empty else {self.name: ratio(self.total, self.seen)}

    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Add the errors."""
        same_shape(self.name, y_pred, y_true)
        if y_pred.dtype not in (torch.float32, torch.float64):  # errors of half precision would be rounded
            y_pred = y_pred.float()
        error = self.errors(y_pred - y_true).sum()
        self.total = self.total.add_(error) if isinstance(self.total, Tensor) else wide(error)
        self.seen += y_true.numel()

    def errors(self, difference: Tensor) -> Tensor:
        """What a difference costs."""
        raise NotImplementedError  # abstract


class SquaredError(_Error):
    """The mean squared error.

    Args:
        name: What it is called.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets, which have the same shape.
    """

    def __init__(self, name: str = "mse", *, prediction: Reading = Y_PRED, target: Reading = Y_TRUE) -> None:
        super().__init__(name, prediction=prediction, target=target)

    def errors(self, difference: Tensor) -> Tensor:
        """Squares."""
        return difference.square()


class AbsoluteError(_Error):
    """The mean absolute error.

    Args:
        name: What it is called.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets, which have the same shape.
    """

    def __init__(self, name: str = "mae", *, prediction: Reading = Y_PRED, target: Reading = Y_TRUE) -> None:
        super().__init__(name, prediction=prediction, target=target)

    def errors(self, difference: Tensor) -> Tensor:
        """Distances."""
        return difference.abs()


register("mse", "squared_error")(SquaredError)
register("mae", "absolute_error")(AbsoluteError)
