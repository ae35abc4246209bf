"""Samples mixed with one another: any function of a batch, the loss that goes with it, and manifold mixup.

Every choice comes from torch's global generator, which a checkpoint holds; nothing is written into the data itself.

References:
    H. Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018.
    S. Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019.
    V. Verma et al., "Manifold mixup: better representations by interpolating hidden states", ICML 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callbacks._targets import Targets
from unbraid.fit.state import Y_TRUE, State, X

__all__ = ["Mixed", "Mixing", "beta", "cut_mix", "mix_up", "mixed_loss", "partners"]


class Mixed(NamedTuple):
    """The two targets of mixed samples.

    Args:
        first: The target of each sample.
        second: The target of the one it was mixed with.
        weight: How much of the first is in the mixture, 0 .. 1: a scalar, or ``(N,)`` with one for each sample.
    """

    first: Any
    second: Any
    weight: Tensor

    def plain(self) -> Any:
        """The target of whichever has the larger part."""
        if not (isinstance(self.first, Tensor) and isinstance(self.second, Tensor)):
            return self.first
        weight = self.weight.reshape(-1, *[1] * (self.first.ndim - 1)) if self.weight.ndim else self.weight
        return torch.where(weight >= 0.5, self.first, self.second)


class Mixing(Targets):
    """Mixes every training batch by a function of it.

    Where the targets come back :class:`Mixed`, the criterion must be a :func:`mixed_loss`; metrics see the target that
    has the larger part. Evaluations are left alone.

    Args:
        function: Takes a batch, ``(x, y)`` or ``x``, and gives one of the same kind; it must not write into what it is
            given. Its random choices come from torch's global generator.
        probability: That a batch is mixed, 0 .. 1.

    >>> mixing = Mixing(mix_up)
    """

    def __init__(self, function: Callable[[Any], Any], *, probability: float = 1.0) -> None:
        if not 0 <= probability <= 1:
            raise InvalidOption(f"probability must lie in 0 .. 1, but is {probability}")
        self.function, self.probability = function, probability

    def on_sample(self, state: State) -> None:
        """Mix the batch."""
        if self.probability < 1 and torch.rand(()).item() >= self.probability:
            return
        x, y = state[X], state[Y_TRUE]
        if isinstance(y, Mixed):
            raise InvalidData("this batch is mixed already: keep one callback that mixes, or make one function of two")
        before = [part._version for part in (x, y) if isinstance(part, Tensor) and not part.is_inference()]
        mixed = self.function(x if y is None else (x, y))
        if before != [part._version for part in (x, y) if isinstance(part, Tensor) and not part.is_inference()]:
            name = getattr(self.function, "__name__", type(self.function).__name__)
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
            if first.shape[:1] != weight.shape:
                raise InvalidOption(
                    f"every sample has a weight of its own, {tuple(weight.shape)}, but the criterion gives losses of "
                    f'shape {tuple(first.shape)}: make it with reduction="none"'
                )
            weight = weight.reshape(-1, *[1] * (first.ndim - 1))
        return (weight * first + (1 - weight) * second).mean()

    return loss


def partners(count: int, device: torch.device | None = None) -> Tensor:
    """With whom each sample is mixed: a random order of ``0 .. count - 1``."""
    return torch.randperm(count, device=device)


def beta(alpha: float) -> Tensor:
    """A weight from Beta(alpha, alpha), a scalar."""
    require_at_least(0, alpha=alpha)
    if alpha == 0:
        return torch.ones(())
    return torch.distributions.Beta(alpha, alpha).sample()


def mix_up(batch: tuple[Tensor, Any], *, alpha: float = 1.0) -> tuple[Tensor, Mixed]:
    """A batch in which each sample is averaged with another, by one weight from Beta(alpha, alpha)."""
    x, y = batch
    order, weight = partners(len(x), x.device), beta(alpha).to(x.device)
    return weight * x + (1 - weight) * x[order], Mixed(y, y[order], weight)


def cut_mix(batch: tuple[Tensor, Any], *, alpha: float = 1.0) -> tuple[Tensor, Mixed]:
    """A batch of images in which a box of each is another one's; the weight is the share that is really kept."""
    x, y = batch
    order, weight = partners(len(x), x.device), beta(alpha)
    height, width = x.shape[-2:]
    tall, wide = ((1 - weight).sqrt() * torch.tensor([height, width])).round().long().tolist()
    row, column = int(torch.randint(0, height, ())), int(torch.randint(0, width, ()))
    inside = torch.zeros(height, width, dtype=torch.bool)
    # Slices end at the border by themselves.
    inside[max(row - tall // 2, 0) : row - tall // 2 + tall, max(column - wide // 2, 0) : column - wide // 2 + wide] = (
        True
    )
    inside = inside.to(x.device)
    kept = 1 - inside.float().mean()
    return torch.where(inside, x[order], x), Mixed(y, y[order], kept)
