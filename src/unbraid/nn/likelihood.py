"""Pixel-wise likelihoods p(x|z), given what a decoder puts out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

__all__ = ["LIKELIHOODS", "Likelihood", "LikelihoodName"]

LikelihoodName = Literal["bernoulli", "gaussian"]


@dataclass(frozen=True)
class Likelihood:
    """How a decoder's output is read.

    Args:
        nll: ``(x, output)`` to -log p(x), summed over pixels, mean over the batch, in nats.
        mean: output to the mean image in ``[0, 1]``.
    """

    nll: Callable[[Tensor, Tensor], Tensor]
    mean: Callable[[Tensor], Tensor]


def _bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    # float(): in half precision a sum over thousands of pixels loses whole nats.
    return F.binary_cross_entropy_with_logits(logits.float(), x, reduction="sum") / len(x)


def _gaussian(x: Tensor, mean: Tensor) -> Tensor:
    squared = F.mse_loss(mean.float(), x, reduction="sum") / len(x)
    return 0.5 * (squared + math.log(2 * math.pi) * x[0].numel())


LIKELIHOODS: Mapping[str, Likelihood] = {
    "bernoulli": Likelihood(_bernoulli, lambda logits: logits.float().sigmoid()),
    "gaussian": Likelihood(_gaussian, lambda mean: mean.float().clamp(0, 1)),
}
