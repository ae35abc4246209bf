r"""Layers whose noise is learned, and which know how much information they let through.

References:
    Achille and Soatto, "Information dropout: learning optimal representations through noisy computation", PAMI 2018,
    arXiv:1611.01353.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unbraid.errors import InvalidData, InvalidOption, require_at_least

__all__ = ["InformationConv2d", "InformationLayer", "InformationLinear", "NoisePrior", "divergence", "noise"]

NoisePrior: TypeAlias = Literal["log-uniform", "log-normal"]
PRIORS = ("log-uniform", "log-normal")
LEAST_NOISE, LEAST_SIGNAL = 1e-3, 1e-4
"""Of the noise, so that no unit tells infinitely much; of a signal whose logarithm is taken."""


class InformationLayer(nn.Module):
    r"""A layer that multiplies its answer by noise of a strength that it learns for every input and unit.

    .. math:: z = f(x)\, \epsilon, \qquad \epsilon \sim \log \mathcal N(0, \alpha(x)^2), \qquad
              \alpha(x) = 0.001 + \alpha_{\max}\, \sigma(a(x))

    What passes is :math:`\mathrm{KL}(p(z \mid x) \,\|\, q(z))` of every unit, kept in ``information`` after each call:

    * ``log-uniform``: f ends in a rectifier, :math:`q(z) \propto 1/z` with a spike at 0. A unit tells
      :math:`-\log \alpha(x) + \log (0.001 + \alpha_{\max})` where :math:`f > 0`, nothing at the greatest noise, and
      nothing where :math:`f = 0`, up to a constant.
    * ``log-normal``: f ends in a softplus, :math:`q(z) = \log \mathcal N(\mu, s^2)` with both learned for each channel,
      :math:`\frac{\alpha^2 + (\log f - \mu)^2}{2 s^2} - \log \frac{\alpha}{s} - \frac12`.

    There is noise while the layer is in training, and none in evaluation, unless :func:`noise` says otherwise.

    Args:
        signal: What f is before its rectifier or softplus: from the input to ``(B, C, ...)``.
        strength: a, from the same input to numbers of the same shape.
        channels: C.
        prior: ``"log-uniform"`` or ``"log-normal"``.
        max_noise: :math:`\alpha_{\max}`, at least 0.01.

    Raises:
        InvalidOption: When an option is out of range.
    """

    def __init__(
        self,
        signal: nn.Module,
        strength: nn.Module,
        channels: int,
        *,
        prior: NoisePrior = "log-uniform",
        max_noise: float = 0.7,
    ) -> None:
        super().__init__()
        require_at_least(1, channels=channels)
        require_at_least(0.01, max_noise=max_noise)
        if prior not in PRIORS:
            raise InvalidOption(f"prior must be one of {', '.join(PRIORS)}, but is {prior!r}")
        self.signal, self.strength, self.channels = signal, strength, channels
        self.prior, self.max_noise = prior, max_noise
        if prior == "log-normal":
            self.centre, self.log_spread = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))
        self.noisy: bool | None = None
        """Whether there is noise; None for while it is in training."""
        self.information: Tensor | None = None
        """How much every unit told at the last call, in nats, in the shape of the answer."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, ...)``, with noise or without."""
        # In half precision the logarithms of weak noise would be coarse.
        alpha = LEAST_NOISE + self.max_noise * self.strength(x).float().sigmoid()
        answer: Tensor = self.signal(x).float()
        if self.prior == "log-uniform":
            f = answer.relu()
            self.information = (math.log(self.max_noise + LEAST_NOISE) - alpha.log()) * (f > 0)
        else:
            f = F.softplus(answer)
            shape = (-1, *[1] * (f.ndim - 2))
            centre, spread = self.centre.view(shape), self.log_spread.view(shape)
            away = f.clamp_min(LEAST_SIGNAL).log() - centre
            whole = (alpha.square() + away.square()) * (-2 * spread).exp() / 2
            self.information = whole - alpha.log() + spread - 0.5
        if self.training if self.noisy is None else self.noisy:
            f = f * (alpha * torch.randn_like(alpha)).exp()
        return f

    def map(self) -> Tensor:
        """How much every place told at the last call: the sum over channels, ``(B, C, ...)`` to ``(B, ...)``, in nats.

        Raises:
            InvalidData: When the layer has not been called yet.
        """
        if self.information is None:
            raise InvalidData("the layer has not seen anything yet: call the network first")
        return self.information.sum(dim=1)

    def __getstate__(self) -> dict[str, Any]:
        # What was told at the last call belongs to its graph, which can be neither copied nor saved.
        return {**self.__dict__, "information": None}

    def extra_repr(self) -> str:
        """The prior and the greatest noise."""
        return f"prior={self.prior!r}, max_noise={self.max_noise}"


class InformationConv2d(InformationLayer):
    """A convolution with information dropout, in place of a convolution and its rectifier.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Its side, at least 1.
        stride: At least 1.
        padding: At least 0.
        norm: Whether the signal is normed by the batch before its rectifier.
        prior: ``"log-uniform"`` or ``"log-normal"``.
        max_noise: The strength of the greatest noise, at least 0.01.

    >>> layer = InformationConv2d(3, 8, stride=2)
    >>> layer(torch.zeros(2, 3, 16, 16)).shape, layer.map().shape
    (torch.Size([2, 8, 8, 8]), torch.Size([2, 8, 8]))
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        padding: int = 1,
        norm: bool = False,
        prior: NoisePrior = "log-uniform",
        max_noise: float = 0.7,
    ) -> None:
        signal: nn.Module = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not norm)
        if norm:
            signal = nn.Sequential(signal, nn.BatchNorm2d(outputs))
        strength = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        super().__init__(signal, strength, outputs, prior=prior, max_noise=max_noise)


class InformationLinear(InformationLayer):
    """A linear layer with information dropout, in place of a linear layer and its rectifier.

    Args:
        inputs: Numbers that come in.
        outputs: Numbers that go out.
        prior: ``"log-uniform"`` or ``"log-normal"``.
        max_noise: The strength of the greatest noise, at least 0.01.

    >>> layer = InformationLinear(5, 8, prior="log-normal")
    >>> layer(torch.zeros(2, 5)).shape, layer.map().shape
    (torch.Size([2, 8]), torch.Size([2]))
    """

    def __init__(self, inputs: int, outputs: int, *, prior: NoisePrior = "log-uniform", max_noise: float = 0.7) -> None:
        super().__init__(
            nn.Linear(inputs, outputs), nn.Linear(inputs, outputs), outputs, prior=prior, max_noise=max_noise
        )


def divergence(model: nn.Module) -> Tensor:
    r"""What all information layers of a network told at its last call, summed over units: ``(B,)``, in nats.

    With :math:`\beta` times its mean the loss of a classifier is the information Lagrangian
    :math:`H_{p,q}(y \mid x) + \beta\, \mathrm{KL}(p(z \mid x) \,\|\, q(z))`.

    Raises:
        InvalidData: When there is no such layer, or the network has not been called.

    >>> model = nn.Sequential(InformationLinear(4, 3), InformationLinear(3, 2))
    >>> _ = model(torch.zeros(5, 4))
    >>> divergence(model).shape
    torch.Size([5])
    """
    told = [layer.map().flatten(1).sum(dim=1) if layer.map().ndim > 1 else layer.map() for layer in _layers(model)]
    if not told:
        raise InvalidData(f"{type(model).__name__} has no information layer: put one in, as InformationConv2d")
    return torch.stack(told).sum(dim=0)


@contextmanager
def noise(model: nn.Module, on: bool) -> Iterator[None]:
    """Let the information layers of a network have noise, or none, whether or not they are in training, for a while."""
    layers = list(_layers(model))
    before = [layer.noisy for layer in layers]
    try:
        for layer in layers:
            layer.noisy = on
        yield
    finally:
        for layer, noisy in zip(layers, before, strict=True):
            layer.noisy = noisy


def _layers(model: nn.Module) -> Iterator[InformationLayer]:
    return (layer for layer in model.modules() if isinstance(layer, InformationLayer))
