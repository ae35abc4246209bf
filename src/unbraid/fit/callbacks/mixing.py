"""Samples mixed with one another: any function of a batch, and the loss that goes with it.

Every choice comes from torch's global generator, which a checkpoint holds; nothing is written into the data itself. The
published ways of mixing stand on the shelf ``unbraid.mix``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.callbacks.targets import Targets
from unbraid.fit.state import Y_TRUE, State, X
from unbraid.once import once

__all__ = ["Mixed", "Mixing", "certain", "mixed_loss", "spread"]


class Mixed(NamedTuple):
    """The two targets of mixed samples.

    Args:
        first: The target of each sample.
        second: The target of the one it was mixed with.
        weight: How much of the first is in the mixture, 0 .. 1: a scalar, ``(N,)`` with one for each sample, or one for
            each target of each sample, such as the pixels of a segmentation.
    """

    first: Any
    second: Any
    weight: Tensor

    def plain(self) -> Any:
        """The target of whichever has the larger part."""
        if not (isinstance(self.first, Tensor) and isinstance(self.second, Tensor)):
            return self.first
        return torch.where(spread(self.weight, self.first) >= 0.5, self.first, self.second)

    def probabilities(self, classes: int) -> Tensor:
        """Both targets as one distribution over classes, ``(N, classes, ...)``; the targets are labels.

        >>> Mixed(torch.tensor([0]), torch.tensor([2]), torch.tensor([0.75])).probabilities(3)
        tensor([[0.7500, 0.0000, 0.2500]])
        """
        weight = self.weight.unsqueeze(1) if self.weight.ndim > 1 else spread(self.weight, self.first.unsqueeze(1))
        return certain(self.second, classes, weight).lerp_(certain(self.first, classes, weight), weight)


def certain(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """Labels ``(N, ...)`` as distributions over classes, ``(N, classes, ...)``, of the type of ``like``.

    >>> certain(torch.tensor([1]), 3, torch.zeros(()))
    tensor([[0., 1., 0.]])
    """
    if labels.ndim == 1 and classes <= len(labels):  # in fewer operations, whose number is what they cost
        return _each(classes, like.dtype, like.device).index_select(0, labels)
    shares = torch.zeros(len(labels), classes, *labels.shape[1:], dtype=like.dtype, device=like.device)
    return shares.scatter_(1, labels.unsqueeze(1), 1.0)


@once(16)
def _each(classes: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Every class as a distribution, ``(classes, classes)``, made once."""
    return torch.eye(classes, dtype=dtype, device=device)


class Mixing(Targets):
    """Mixes every training batch by a function of it.

    Where the targets come back :class:`Mixed`, the criterion must be a :func:`mixed_loss`; metrics see the target that
    has the larger part. Evaluations are left alone.

    Args:
        function: Takes a batch, ``(x, y)`` or ``x``, and gives one of the same kind; it must not write into what it is
            given. Its random choices come from torch's global generator.
        probability: That a batch is mixed, 0 .. 1.

    >>> mixing = Mixing(lambda batch: (batch[0].flip(-1), batch[1]))
    """

    def __init__(self, function: Callable[[Any], Any], *, probability: float = 1.0) -> None:
        if not 0 <= probability <= 1:
            raise InvalidOption(f"probability must lie in 0 .. 1, but is {probability}")
        self.function, self.probability = function, probability

    def on_sample(self, state: State) -> None:
        """Mix the batch."""
        if self.probability < 1 and torch.rand(()).item() >= self.probability:
            return
        self.mix(self.function, state)

    def mix(self, function: Callable[[Any], Any], state: State) -> None:
        """Put what a function makes of the batch in its place.

        Raises:
            InvalidData: When the batch is mixed already, or the function writes into it.
        """
        x, y = state[X], state[Y_TRUE]
        if isinstance(y, Mixed):
            raise InvalidData("this batch is mixed already: keep one callback that mixes, or make one function of two")
        before = [part._version for part in (x, y) if isinstance(part, Tensor) and not part.is_inference()]
        mixed = function(x if y is None else (x, y))
        if before != [part._version for part in (x, y) if isinstance(part, Tensor) and not part.is_inference()]:
            name = getattr(function, "__name__", type(function).__name__)
            raise InvalidData(f"{name} wrote into the batch it was given, and so into the data: let it make a new one")
        if y is None:
            state[X] = mixed
            return
        state[X], target = mixed
        if isinstance(target, tuple) and not isinstance(target, Mixed):
            target = Mixed(*target)
        self.change(state, target, target.plain() if isinstance(target, Mixed) else y)


def mixed_loss(criterion: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    r"""The criterion for mixed targets, :math:`\lambda\, \ell(\hat y, y_1) + (1 - \lambda)\, \ell(\hat y, y_2)`.

    Targets that are not :class:`Mixed` (those of an evaluation) go to the criterion as they are.

    Args:
        criterion: Of ``(y_pred, y_true)``. Where each sample has its own weight it must give a loss for each
            (``reduction="none"``); whatever it gives, the mean comes out.

    >>> loss = mixed_loss(torch.nn.functional.mse_loss)
    >>> loss(torch.zeros(2), Mixed(torch.ones(2), torch.zeros(2), torch.tensor(0.25)))
    tensor(0.2500)
    """

    def loss(y_pred: Any, y_true: Any) -> Tensor:
        if not isinstance(y_true, Mixed):
            return criterion(y_pred, y_true).mean()
        first, second = criterion(y_pred, y_true.first), criterion(y_pred, y_true.second)
        weight = y_true.weight.to(first.device)
        if weight.ndim:
            if first.shape[: weight.ndim] != weight.shape:
                raise InvalidOption(
                    f"every sample has a weight of its own, {tuple(weight.shape)}, but the criterion gives losses of "
                    f'shape {tuple(first.shape)}: make it with reduction="none"'
                )
            weight = spread(weight, first)
        return (weight * first + (1 - weight) * second).mean()

    return loss


def spread(weight: Tensor, x: Tensor) -> Tensor:
    """A weight with as many dimensions as ``x``, whose first ones it has; a scalar stays one.

    >>> spread(torch.rand(4), torch.rand(4, 3, 8)).shape
    torch.Size([4, 1, 1])
    """
    missing = x.ndim - weight.ndim
    return weight[(..., *[None] * missing)] if weight.ndim else weight
