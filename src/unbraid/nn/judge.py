"""Networks that read the class and the style out of images or codes, to judge what others have made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.nn.image import initialise

__all__ = ["Answers", "Judge", "explained", "reader", "settle"]

BATCH = 128


class Answers(NamedTuple):
    """What a judge says.

    Args:
        label: The likeliest class, int64 ``(N,)``.
        style: The style factors in their own units, ``(N, F)``.
    """

    label: Tensor
    style: Tensor

    def accuracy(self, label: Tensor) -> float:
        """How often the class is this."""
        return float((self.label == label).float().mean())


class Judge:
    """A network that is fitted to tell the class and some style factors of its inputs.

    Args:
        network: From inputs ``(B, ...)`` to ``classes + F`` numbers.
        x: Inputs, ``(N, ...)``.
        label: Their classes, int64 ``(N,)`` in ``0 .. classes - 1``.
        style: Their style factors, ``(N, F)``; F may be 0.
        steps: Steps of Adam with a learning rate of 0.002 that falls to 0, on batches of 128.
        classes: How many classes there are.
        generator: Draws the batches.
    """

    def __init__(
        self,
        network: nn.Module,
        x: Tensor,
        label: Tensor,
        style: Tensor,
        *,
        classes: int,
        steps: int,
        generator: torch.Generator,
    ) -> None:
        self.network, self.classes = network, classes
        self.middle = style.mean(dim=0)
        self.spread = (style - self.middle).square().mean(dim=0).sqrt().clamp(min=1e-6)
        target = (style - self.middle) / self.spread

        def loss(rows: Tensor) -> Tensor:
            said, guessed = self._raw(x[rows])
            wrong = F.cross_entropy(said, label[rows])
            return wrong + F.mse_loss(guessed, target[rows]) if style.shape[1] else wrong

        settle(network, loss, len(x), rate=2e-3, steps=steps, batch=BATCH, generator=generator)

    def __call__(self, x: Tensor) -> Answers:
        """What it says of inputs ``(N, ...)``."""
        with torch.no_grad():
            parts = [self._raw(part) for part in x.split(500)]
        said, guessed = (torch.cat(both) for both in zip(*parts, strict=True))
        return Answers(said.argmax(dim=1), guessed * self.spread + self.middle)

    def _raw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        out = self.network(x)
        return out[:, : self.classes], out[:, self.classes :]


def settle(
    network: nn.Module,
    loss: Callable[[Tensor], Tensor],
    count: int,
    *,
    rate: float,
    steps: int,
    batch: int,
    generator: torch.Generator,
) -> None:
    """Fit a network that judges others, once and for all: its parameters stay as they are afterwards.

    Args:
        network: What is fitted.
        loss: Of the examples with these numbers, ``(B,)``.
        count: How many examples there are.
        rate: The learning rate of Adam at first; it falls to 0.
        steps: How many.
        batch: Examples a step, drawn with replacement.
        generator: Draws them.
    """
    optimiser = torch.optim.Adam(network.parameters(), rate, fused=True)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        wrong = loss(torch.randint(0, count, (batch,), generator=generator))
        optimiser.zero_grad()
        wrong.backward()
        optimiser.step()
    network.requires_grad_(False)


def reader(inputs: int, outputs: int, width: int = 128) -> nn.Sequential:
    """A network of two hidden layers that reads codes: ``(B, inputs)`` to ``(B, outputs)``, the codes as they are."""
    layers = [nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)]
    made = nn.Sequential(*layers)
    initialise(made)
    return made


def explained(told: Tensor, truth: Tensor) -> Tensor:
    r"""Which part of the variance of each column is explained.

    .. math:: R^2 = 1 - \sum (t - \hat t)^2 / \sum (t - \bar t)^2

    Args:
        told: ``(N, F)``.
        truth: ``(N, F)``.

    Returns:
        ``(F,)``, at most 1, below 0 where the mean would be nearer.

    >>> explained(torch.tensor([[0.0], [0.0]]), torch.tensor([[-1.0], [1.0]]))
    tensor([0.])
    """
    spread = (truth - truth.mean(dim=0)).square().sum(dim=0)
    return 1 - (truth - told).square().sum(dim=0) / spread.clamp(min=1e-12)
