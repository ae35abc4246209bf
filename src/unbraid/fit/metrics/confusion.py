"""What is mistaken for what: a confusion matrix on the device, and what follows from it by class and on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.fit.metrics.compared import Compared, class_indices, same_shape
from unbraid.fit.metrics.contract import Reading, ratio
from unbraid.fit.metrics.criteria import kind, threshold
from unbraid.fit.metrics.names import register
from unbraid.fit.state import Y_PRED, Y_TRUE, State

__all__ = ["Average", "Averaged", "ByClass", "Confusion", "Quality"]

Quality: TypeAlias = Literal["accuracy", "precision", "recall", "f1"]
Average: TypeAlias = Literal["macro", "micro", "weighted"]
QUALITIES: tuple[Quality, ...] = ("accuracy", "precision", "recall", "f1")
AVERAGES: tuple[Average, ...] = ("macro", "micro", "weighted")


class Confusion(Compared):
    """How often each class was taken for each other; it reports nothing by itself.

    Predictions are outputs ``(N, C, ...)``, or classes or a probability or logit of yes with the targets' shape. The
    matrix begins anew after each record; ``last`` is the one of the last record, for a callback to draw.

    Args:
        classes: How many there are; None takes the number of outputs, and 2 for yes and no.
        prediction: A key, or a function of the state, that gives the predictions.
        target: The same for the targets.
        ignore_index: A target that is left out; None takes the criterion's.
        name: What it is called in messages.
    """

    sums = ("matrix",)
    matrix: Tensor | int
    """Row: the right class; column: the predicted one."""

    def __init__(
        self,
        classes: int | None = None,
        *,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
        name: str = "confusion",
    ) -> None:
        super().__init__(name, prediction=prediction, target=target, ignore_index=ignore_index)
        self.classes = classes
        self.last: Tensor | None = None

    def meet(self, state: State) -> None:
        """Learn whether outputs are logits."""
        super().meet(state)
        self.threshold = threshold(self.criterion)

    def compare(self, y_pred: Tensor, y_true: Tensor) -> None:
        """Count every pair of right and predicted class."""
        size, predicted, right = self._classes(y_pred, y_true)
        if not isinstance(self.matrix, Tensor):
            self.matrix = torch.zeros(size, size, dtype=torch.int64, device=predicted.device)
        # -1 is refused by index_add_, where a class that does not exist would be counted as some other pair.
        exist = (torch.minimum(right, predicted) >= 0) & (torch.maximum(right, predicted) < size)
        place, ones = torch.where(exist, right * size + predicted, -1), torch.ones_like(right)
        if self.ignore_index is not None:
            # Left out by a weight of 0: to pick out the others would make the device wait for their number.
            ones = (right != self.ignore_index).to(torch.int64)
            place = place * ones
        try:
            self.matrix.view(-1).index_add_(0, place.flatten(), ones.flatten())
        except (IndexError, RuntimeError) as error:
            raise InvalidData(
                f"the metric {self.name!r} has {size} classes, 0 to {size - 1}, but met another; "
                "targets that are not to count need ignore_index="
            ) from error

    def compute(self) -> dict[str, float]:
        """Nothing; the matrix is put where a callback finds it."""
        self.last = self.matrix.cpu() if isinstance(self.matrix, Tensor) else None
        return {}

    def _classes(self, y_pred: Tensor, y_true: Tensor) -> tuple[int, Tensor, Tensor]:
        """How many classes there are, which is predicted and which is right."""
        if y_pred.ndim == y_true.ndim + 1 or kind(self.criterion) == "classes":
            right = class_indices(self.name, y_pred, y_true).long()
            return self.classes or y_pred.shape[1], y_pred.argmax(1), right
        same_shape(self.name, y_pred, y_true)
        if y_pred.is_floating_point():
            right = (y_true > 0.5).long()
            if self.ignore_index is not None:
                right = torch.where(y_true == self.ignore_index, self.ignore_index, right)
            return self.classes or 2, (y_pred > self.threshold).long(), right
        if self.classes is None:
            raise InvalidOption(
                f"the metric {self.name!r} cannot see from predicted classes how many there are: give classes=..."
            )
        return self.classes, y_pred.long(), y_true.long()


class ByClass(Confusion):
    """Accuracy (class or not class), precision, recall and F1 of every class, as ``<quality>_<label>``.

    What is not defined is NaN: the precision of a class never predicted, the recall of one that never occurred.

    Args:
        qualities: Which, in order.
        labels: What the classes are called in the report; their numbers by default.
        classes: As for :class:`Confusion`.
        prediction: As for :class:`Confusion`.
        target: As for :class:`Confusion`.
        ignore_index: As for :class:`Confusion`.
    """

    def __init__(
        self,
        *qualities: Quality,
        labels: Sequence[str] | None = None,
        classes: int | None = None,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
    ) -> None:
        for quality in qualities:
            _known("quality", quality, QUALITIES)
        super().__init__(
            classes if classes or labels is None else len(labels),
            prediction=prediction,
            target=target,
            ignore_index=ignore_index,
            name="_and_".join(qualities or QUALITIES) + "_by_class",
        )
        self.qualities, self.labels = qualities or QUALITIES, labels

    def compute(self) -> dict[str, float]:
        """Every quality of every class."""
        super().compute()
        if self.last is None:
            return {}
        found = _qualities(self.last)
        labels = self.labels or [str(i) for i in range(len(self.last))]
        return {
            f"{quality}_{label}": value
            for quality in self.qualities
            for label, value in zip(labels, found[quality].tolist(), strict=True)
        }


class Averaged(Confusion):
    """Precision, recall or F1 as one number; as in scikit-learn, what is not defined for a class counts as 0.

    Args:
        quality: ``"precision"``, ``"recall"``, ``"f1"`` or ``"accuracy"``.
        average: ``"macro"`` is the mean over the classes that occur, ``"weighted"`` weighs them by how often they do,
            ``"micro"`` counts every sample alike; None takes class 1 of two classes, and else ``"macro"``.
        name: What it is called, the quality by default.
        classes: As for :class:`Confusion`.
        prediction: As for :class:`Confusion`.
        target: As for :class:`Confusion`.
        ignore_index: As for :class:`Confusion`.
    """

    def __init__(
        self,
        quality: Quality = "f1",
        average: Average | None = None,
        *,
        name: str | None = None,
        classes: int | None = None,
        prediction: Reading = Y_PRED,
        target: Reading = Y_TRUE,
        ignore_index: int | None = None,
    ) -> None:
        _known("quality", quality, QUALITIES)
        if average is not None:
            _known("average", average, AVERAGES)
        super().__init__(classes, prediction=prediction, target=target, ignore_index=ignore_index, name=name or quality)
        self.quality, self.average = quality, average

    def compute(self) -> dict[str, float]:
        """The average, by the metric's name."""
        super().compute()
        if self.last is None:
            return {}
        matrix, value = self.last, _qualities(self.last)[self.quality].nan_to_num(0.0)
        occurs = matrix.sum(1)
        if self.average == "micro":
            return {self.name: ratio(matrix.trace(), matrix.sum())}
        if self.average == "weighted":
            return {self.name: ratio((value * occurs).sum(), occurs.sum())}
        if self.average is None and len(matrix) == 2:
            return {self.name: value[1].item() if matrix.sum() else math.nan}
        return {self.name: value[(occurs + matrix.sum(0)) > 0].mean().item()}


def _qualities(matrix: Tensor) -> dict[str, Tensor]:
    """Each quality of each class, float64; NaN where it is not defined."""
    right, occurs, predicted, total = matrix.diag().double(), matrix.sum(1), matrix.sum(0), matrix.sum()
    return {
        "accuracy": (total - occurs - predicted + 2 * right) / total,
        "precision": right / predicted,
        "recall": right / occurs,
        "f1": 2 * right / (occurs + predicted),
    }


def _known(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise UnknownName(what, given, known)


register("f1", "f1_score")(Averaged)
register("precision")(lambda: Averaged("precision"))
register("recall")(lambda: Averaged("recall"))
