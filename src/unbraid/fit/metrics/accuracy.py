"""Accuracies: of classes, of yes and no, of the first k, and the one that suits the criterion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.fit.metrics.compared import Compared, class_indices, same_shape
from unbraid.fit.metrics.contract import Metric, Reading, Saved, ratio
from unbraid.fit.metrics.criteria import Kind, kind, threshold
from unbraid.fit.metrics.error import AbsoluteError, SquaredError
from unbraid.fit.metrics.mean import Mean
from unbraid.fit.metrics.names import register
from unbraid.fit.state import CRITERION, LOSS, Y_PRED, Y_TRUE, State

__all__ = ["Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "TopKAccuracy"]


class _Share(Compared):
    """How many of those that were seen are right."""

    sums = ("right", "seen")
    right: Tensor | int
    seen: Tensor | int
    left_out: Tensor | None = None

    def meet(self, state: State) -> None:
        """Learn what is left out."""
        super().meet(state)
        if self.ignore_index is not None:
            # As a tensor without dimensions, which any device compares with: of a number every batch would make one.
            self.left_out = torch.tensor(self.ignore_index)

    def compute(self) -> dict[str, float]:
        """The share of the right ones, by the metric's name."""
        return {} if self.empty else {self.name: ratio(self.right, self.seen)}

    def count(self, right: Tensor, y_true: Tensor) -> None:
        """Add a batch: a Boolean for every target."""
        if self.left_out is None or self.ignore_index is None:
            self.seen += y_true.numel()
        else:
            valid = y_true != self.left_out
            self.seen += torch.count_nonzero(valid)
            if self.ignore_index >= 0:  # a class, which may well be predicted; no class is negative
                right = right & valid
        # Whole numbers are added exactly; count_nonzero is three times faster than a sum of Booleans.
        self.right += torch.count_nonzero(right)


class CategoricalAccuracy(_Share):
    """How often the class with the highest output is the right one.

    Predictions are ``(N, C, ...)``; targets are class indices ``(N, ...)``, or soft ones like the predictions, of which
    the highest counts. Every sample, or pixel, counts alike.

    Args:
        name: What it is called.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets.
        ignore_index: A target that is left out; None takes the criterion's.
    """

    def __init__(
        self,
        name: str = "cat_acc",
        *,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__(name, prediction=prediction, target=target, ignore_index=ignore_index)

    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Count the right ones."""
        if y_true.ndim + 1 != y_pred.ndim:
            y_true = class_indices(self.name, y_pred, y_true)
        predicted = y_pred.argmax(1)
        if predicted.shape != y_true.shape:
            y_true = class_indices(self.name, y_pred, y_true)
        self.count(predicted == y_true, y_true)


class TopKAccuracy(_Share):
    """How often the right class is among the ``k`` with the highest outputs; with at most ``k`` classes, always.

    Args:
        k: How many count, at least 1.
        name: What it is called, ``top_<k>_acc`` by default.
        prediction: As for :class:`CategoricalAccuracy`.
        target: As for :class:`CategoricalAccuracy`.
        ignore_index: As for :class:`CategoricalAccuracy`.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = None,
        *,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
    ) -> None:
        require_at_least(1, k=k)
        super().__init__(name or f"top_{k}_acc", prediction=prediction, target=target, ignore_index=ignore_index)
        self.k = k

    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Count those that are among the first."""
        y_true = class_indices(self.name, y_pred, y_true)
        first = y_pred.topk(min(self.k, y_pred.shape[1]), dim=1, sorted=False).indices
        self.count((first == y_true.unsqueeze(1)).any(1), y_true)


class BinaryAccuracy(_Share):
    """How often a prediction is on the right side of a threshold; targets above a half mean yes.

    Args:
        name: What it is called.
        threshold: Above it a prediction means yes; None takes 0 for logits (``BCEWithLogitsLoss``), else 0.5.
        prediction: As for :class:`CategoricalAccuracy`, but of the targets' shape.
        target: As for :class:`CategoricalAccuracy`.
        ignore_index: As for :class:`CategoricalAccuracy`.
    """

    def __init__(
        self,
        name: str = "binary_acc",
        *,
        threshold: float | None = None,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__(name, prediction=prediction, target=target, ignore_index=ignore_index)
        self.threshold, self.above = threshold, 0.0

    def meet(self, state: State) -> None:
        """Take the criterion's threshold where none is given."""
        super().meet(state)
        self.above = threshold(self.criterion) if self.threshold is None else self.threshold

    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Count those on the right side."""
        same_shape(self.name, y_pred, y_true)
        self.count((y_pred > self.above) == (y_true > 0.5), y_true)


class Accuracy(Metric):
    """The accuracy that suits the criterion: it looks at the first batch, and is that metric from then on.

    Cross entropy, NLL and multi-class margin: of classes. Binary cross entropy: of yes and no, with the threshold that
    suits logits or probabilities. Squared error and distance have no accuracy: ``mse`` and ``mae`` are reported under
    these names. For any other criterion: of classes, when predictions have one dimension more than targets.
    """

    name = "acc"

    def __init__(self) -> None:
        self.choice: Kind | None = None
        self.chosen: Metric = Mean("acc", LOSS)  # nothing is asked of it before the choice

    def update(self, state: State) -> None:
        """Take in a batch."""
        if self.choice is None:
            self._choose(_choice(state))
        self.chosen.update(state)

    def compute(self) -> dict[str, float]:
        """What the chosen metric says."""
        return self.chosen.compute()

    def reset(self) -> None:
        """Forget everything but the choice."""
        self.chosen.reset()

    def state_dict(self) -> dict[str, Any]:
        """The choice, and the chosen metric's state."""
        return {} if self.choice is None else {"choice": self.choice, "state": self.chosen.state_dict()}

    def load_state_dict(self, state: Saved) -> None:
        """Take up choice and state."""
        self.reset()
        if state:
            self._choose(state["choice"])
            self.chosen.load_state_dict(state["state"])

    def merge(self, states: Sequence[Saved]) -> dict[str, Any]:
        """The choice of those that have chosen, and their states together."""
        made = [state for state in states if state]
        if not made:
            return {}
        choice: Kind = made[0]["choice"]
        return {"choice": choice, "state": _MADE[choice]().merge([state["state"] for state in made])}

    def _choose(self, choice: Kind) -> None:
        self.choice, self.chosen = choice, _MADE[choice]()


_MADE: dict[Kind, Callable[[], Metric]] = {
    "classes": lambda: CategoricalAccuracy("acc"),
    "probabilities": lambda: BinaryAccuracy("acc"),
    "squares": SquaredError,
    "distances": AbsoluteError,
}


def _choice(state: State) -> Kind:
    found = kind(state.get(CRITERION))
    if found is None:
        y_pred, y_true = state.get(Y_PRED), state.get(Y_TRUE)
        if not (isinstance(y_pred, Tensor) and isinstance(y_true, Tensor)) or y_pred.ndim == y_true.ndim + 1:
            return "classes"  # which says what it misses where there is nothing to compare
        raise InvalidOption(
            "the metric 'acc' cannot tell from this criterion what is predicted: "
            "say 'cat_acc', 'binary_acc', 'mse' or another metric in its place"
        )
    return "probabilities" if found == "logits" else found


register("acc", "accuracy")(Accuracy)
register("binary_acc", "binary_accuracy")(BinaryAccuracy)
register("cat_acc", "cat_accuracy")(CategoricalAccuracy)
register("top_{k}_acc", "top_{k}_accuracy")(TopKAccuracy)
