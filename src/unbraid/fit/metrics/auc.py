"""The area under the receiver operating characteristic, of everything since the last record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import InvalidData
from unbraid.fit.metrics.contract import Reading, Saved
from unbraid.fit.metrics.criteria import ignored
from unbraid.fit.metrics.names import register
from unbraid.fit.metrics.whole import Whole
from unbraid.fit.state import CRITERION, Y_PRED, Y_TRUE, State

__all__ = ["RocAuc", "roc_auc"]


class RocAuc(Whole):
    """The probability that a sample of a class is ranked above one that is not of it; see :func:`roc_auc`.

    Args:
        name: What it is called.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets.
        ignore_index: A target that is left out; None takes the criterion's.
        cpu: As for :class:`Whole`.
    """

    def __init__(
        self,
        name: str = "auc",
        *,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
        cpu: bool = False,
    ) -> None:
        super().__init__(name, self._value, keep=(prediction, target), cpu=cpu)
        self.ignore_index = ignore_index

    def update(self, state: State) -> None:
        """Keep a batch's predictions and targets."""
        if self.ignore_index is None:
            self.ignore_index = ignored(state.get(CRITERION))
        super().update(state)

    def state_dict(self) -> dict[str, Any]:
        """Everything, joined, and what of it is left out."""
        return {**super().state_dict(), "ignore_index": self.ignore_index}

    def load_state_dict(self, state: Saved) -> None:
        """Take up everything."""
        super().load_state_dict(state)
        self.ignore_index = state["ignore_index"]

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """Everything of all; a process that saw nothing does not know what is left out."""
        known = [state["ignore_index"] for state in states if state["ignore_index"] is not None]
        return {**super().merge(states), "ignore_index": known[0] if known else None}

    def _value(self, y_pred: Tensor, y_true: Tensor) -> float:
        return roc_auc(y_pred, y_true, ignore_index=self.ignore_index)


def roc_auc(y_pred: Tensor, y_true: Tensor, *, ignore_index: int | None = None) -> float:
    """The area under the ROC curve; ties count half.

    Of yes and no when predictions and targets have one shape, and of two outputs the second; of several columns, or of
    more classes (each against the rest, by probabilities), the mean over those that have both kinds of samples.

    Args:
        y_pred: Logits, or probabilities: ``(N)``, ``(N, 1)``, ``(N, C)`` or ``(N, C, ...)``.
        y_true: Targets of the same shape, yes above a half, or class indices ``(N)``, ``(N, ...)``.
        ignore_index: A target that is left out.

    Returns:
        The area in [0, 1], 0.5 by chance; NaN where no class has both kinds of samples.

    Raises:
        InvalidData: When the shapes do not go together.

    >>> roc_auc(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
    0.75
    """
    if y_pred.shape == y_true.shape:
        columns = y_pred.reshape(-1, 1) if y_pred.ndim == 1 else y_pred.movedim(1, -1).reshape(-1, y_pred.shape[1])
        truth = y_true.reshape(-1, 1) if y_true.ndim == 1 else y_true.movedim(1, -1).reshape(-1, y_true.shape[1])
        valid = torch.ones_like(truth, dtype=torch.bool) if ignore_index is None else truth != ignore_index
        areas = [_area(columns[valid[:, i], i], truth[valid[:, i], i] > 0.5) for i in range(columns.shape[1])]
    elif y_pred.ndim == y_true.ndim + 1 and y_pred.shape[:1] + y_pred.shape[2:] == y_true.shape:
        columns, labels = y_pred.movedim(1, -1).reshape(-1, y_pred.shape[1]).double(), y_true.flatten()
        if ignore_index is not None:
            columns, labels = columns[labels != ignore_index], labels[labels != ignore_index]
        # Logits of one class in different samples cannot be compared, probabilities can.
        if (columns < 0).any() or not torch.allclose(columns.sum(1), columns.new_ones(()), atol=1e-2):
            columns = columns.softmax(1)
        which = [1] if columns.shape[1] == 2 else range(columns.shape[1])
        areas = [_area(columns[:, i], labels == i) for i in which]
    else:
        raise InvalidData(
            f"the area under the curve needs targets shaped like the predictions or class indices, but predictions "
            f"have the shape {tuple(y_pred.shape)} and targets {tuple(y_true.shape)}"
        )
    known = [area for area in areas if not math.isnan(area)]
    return sum(known) / len(known) if known else math.nan


def _area(scores: Tensor, yes: Tensor) -> float:
    positive = int(yes.sum())
    negative = len(yes) - positive
    if not (positive and negative):
        return math.nan
    _, which, counts = scores.double().unique(return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0) - (counts - 1) / 2  # ties share their mean rank
    above = float(ranks.double()[which][yes].sum()) - positive * (positive + 1) / 2
    return above / (positive * negative)


register("auc", "roc_auc", "roc_auc_score")(RocAuc)
