"""Pixel-wise likelihoods p(x|z), given what a decoder puts out.

References:
    Rybkin, Daniilidis and Levine, "Simple and effective VAE training with calibrated decoders", ICML 2021,
    arXiv:2006.13202 (:class:`LearnedGaussian`: the sigma-VAE).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "Laplace",
    "LearnedGaussian",
    "Likelihood",
    "LikelihoodName",
    "UnitGaussian",
    "gaussian_nll",
]

LikelihoodName = Literal["bernoulli", "gaussian", "learned", "laplace"]

LOG_TWO_PI = math.log(2 * math.pi)
LOG_GREY_LEVEL = 2 * math.log(1 / 255)
LOG_UNIFORM = math.log(1 / 12)


class Likelihood(nn.Module, ABC):
    """How a decoder's output is read."""

    def nll(self, x: Tensor, output: Tensor) -> Tensor:
        """-log p(x), summed over pixels, mean over the batch, in nats: a scalar of float32.

        Args:
            x: Images in ``[0, 1]``, ``(B, C, H, W)``.
            output: What the decoder makes of their codes, likewise.
        """
        # float(): in half precision a sum over thousands of pixels loses whole nats.
        return self._summed(x.float(), output.float()) / len(x)

    @abstractmethod
    def _summed(self, x: Tensor, output: Tensor) -> Tensor:
        """-log p(x), summed over everything."""

    def mean(self, output: Tensor) -> Tensor:
        """The mean image, within ``[0, 1]``, ``(B, C, H, W)``."""
        return output.float().clamp(0, 1)


class Bernoulli(Likelihood):
    r"""White with a probability whose logit the decoder puts out: :math:`-\log p = \log(1 + e^{o}) - x o`."""

    def _summed(self, x: Tensor, output: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output, x, reduction="sum")

    def mean(self, output: Tensor) -> Tensor:
        """The probability of white, ``(B, C, H, W)``."""
        return output.float().sigmoid()


class UnitGaussian(Likelihood):
    r"""Of unit variance: :math:`-\log p = \tfrac12 ((x - o)^2 + \log 2\pi)`."""

    def _summed(self, x: Tensor, output: Tensor) -> Tensor:
        return 0.5 * (F.mse_loss(output, x, reduction="sum") + LOG_TWO_PI * x.numel())


class LearnedGaussian(Likelihood):
    r"""Of one variance for all pixels, learned with the model: the weight of the KL finds itself.

    .. math:: -\log p = \tfrac12 \big((x - o)^2 e^{-v} + v + \log 2\pi\big)

    The variance is a parameter. Its optimum for a batch has a closed form, the mean squared error, but a density that
    is fitted to the very images it judges is none: the nats of an image would depend on its neighbours, and those of
    new images would be too few. Two things make the parameter as good. Adam moves every parameter by about the
    learning rate, so v moves ten times as far as its parameter does, or it would need thousands of steps to where it
    belongs. And v stays above that of one grey level of 255: a density of pixels that are drawn as they are decoded
    has no maximum. It begins with the variance of the uniform distribution on ``[0, 1]``.

    Attributes:
        drift: The parameter, a scalar that begins at 0; far above the bound v moves ten times as far.

    >>> round(LearnedGaussian().log_variance.exp().item(), 4)
    0.0833
    """

    def __init__(self) -> None:
        super().__init__()
        self.drift = nn.Parameter(torch.zeros(()))

    @property
    def log_variance(self) -> Tensor:
        """v, a scalar of at least 2 log(1/255)."""
        return LOG_GREY_LEVEL + F.softplus(LOG_UNIFORM - LOG_GREY_LEVEL + 10 * self.drift.float())

    def _summed(self, x: Tensor, output: Tensor) -> Tensor:
        squared = F.mse_loss(output, x, reduction="sum")
        v = self.log_variance
        return 0.5 * (squared * (-v).exp() + (v + LOG_TWO_PI) * x.numel())


class Laplace(Likelihood):
    r"""Of unit scale: :math:`-\log p = |x - o| + \log 2`; edges stay sharper than with a square."""

    def _summed(self, x: Tensor, output: Tensor) -> Tensor:
        return F.l1_loss(output, x, reduction="sum") + math.log(2) * x.numel()


LIKELIHOODS: Mapping[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": UnitGaussian,
    "learned": LearnedGaussian,
    "laplace": Laplace,
}


def gaussian_nll(x: Tensor, mean: Tensor, deviation: float) -> Tensor:
    """-log p of each image under a Gaussian of one standard deviation, ``(B, C, H, W)`` twice to ``(B,)``, in nats."""
    squares = ((x.float() - mean.float()) / deviation).square().flatten(1)
    return 0.5 * (squares.sum(dim=1) + squares.shape[1] * (LOG_TWO_PI + 2 * math.log(deviation)))
