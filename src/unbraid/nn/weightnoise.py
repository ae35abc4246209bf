r"""Layers whose weights are noisy, and which know how much information about the data their weights hold.

References:
    Achille and Soatto, "Emergence of invariance and disentanglement in deep representations", JMLR 19(50), 2018,
    arXiv:1706.01350.
    Kingma, Salimans and Welling, "Variational dropout and the local reparameterization trick", NIPS 2015,
    arXiv:1506.02557.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption, require_at_least

__all__ = ["NoisyLinear", "WeightNoise", "weight_information"]

WeightNoise: TypeAlias = Literal["gaussian", "log-normal"]
NOISES = ("gaussian", "log-normal")
TINY = 1e-8
"""Of a variance whose root is taken."""
START_SPREAD = 0.3
"""Of a Gaussian prior, before it is learned."""


class NoisyLinear(nn.Module):
    r"""A linear layer whose every weight is drawn anew for every sample, with a spread that is learned.

    * ``gaussian``: :math:`w \sim \mathcal N(\hat w, \sigma^2)` under a prior :math:`\mathcal N(c, s^2)`, with one s a
      layer that is learned; c is 0, or the weights that the layer began with. What the weights hold is at most

      .. math:: \mathrm{KL} = \sum \log \frac s\sigma + \frac{\sigma^2 + (\hat w - c)^2}{2 s^2} - \frac12

    * ``log-normal``: :math:`w = \hat w\, \epsilon, \epsilon \sim \log \mathcal N(-\alpha / 2, \alpha)` under the
      log-uniform prior. It is :math:`-\frac12 \sum \log \alpha` up to a constant, chosen such that the greatest noise,
      :math:`\alpha = 1`, holds nothing. That is a price, and bounds nothing: the prior is no distribution.

    The sums of many noisy weights are drawn, not the weights: they are Gaussian, for log-normal noise nearly so. There
    is noise while the layer is in training, and none in evaluation. Biases have no noise and are not counted.

    Args:
        inputs: Numbers that come in.
        outputs: Numbers that go out.
        noise: ``"gaussian"`` or ``"log-normal"``.
        prior: For Gaussian noise, whether c is ``"zero"`` or the ``"start"``.
        start: The spread of the noise that training begins with, above 0.

    Raises:
        InvalidOption: When an option is out of range.

    >>> layer = NoisyLinear(3, 4)
    >>> layer(torch.zeros(5, 3)).shape, layer.information().shape
    (torch.Size([5, 4]), torch.Size([]))
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        noise: WeightNoise = "gaussian",
        prior: Literal["zero", "start"] = "zero",
        start: float = 0.02,
    ) -> None:
        super().__init__()
        require_at_least(1, inputs=inputs, outputs=outputs)
        require_at_least(1e-6, start=start)
        for name, value, known in (("noise", noise, NOISES), ("prior", prior, ("zero", "start"))):
            if value not in known:
                raise InvalidOption(f"{name} must be one of {', '.join(known)}, but is {value!r}")
        self.inputs, self.outputs, self.noise, self.prior, self.start = inputs, outputs, noise, prior, start
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        if noise == "gaussian":
            self.log_spread = nn.Parameter(torch.full((inputs, outputs), math.log(start)))
            self.log_prior = nn.Parameter(torch.tensor(math.log(START_SPREAD)))
            self.register_buffer("centre", self.weight.detach().clone() if prior == "start" else torch.zeros(()))
        else:
            # A spread of ``start`` for a weight of 1: alpha is its square, nearly, and a sigmoid of this.
            ratio = min(start**2, 0.5)
            self.log_odds = nn.Parameter(torch.full((inputs, outputs), math.log(ratio / (1 - ratio))))

    def variance(self) -> Tensor:
        """Of every weight, ``(inputs, outputs)``."""
        if self.noise == "gaussian":
            return (2 * self.log_spread).exp()
        return self.weight.square() * self.log_odds.sigmoid().expm1()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, outputs)``."""
        mean = torch.addmm(self.bias, x, self.weight)
        if not self.training:
            return mean
        spread = (x.square() @ self.variance() + TINY).sqrt()
        return mean + spread * torch.randn_like(mean)

    def information(self) -> Tensor:
        """How much the weights hold, a scalar in nats."""
        if self.noise == "log-normal":
            return -0.5 * nn.functional.logsigmoid(self.log_odds).sum()
        centre = self.get_buffer("centre")
        ratio = (self.variance() + (self.weight - centre).square()) * (-2 * self.log_prior).exp() / 2
        return (self.log_prior - self.log_spread + ratio - 0.5).sum()

    def extra_repr(self) -> str:
        """Sizes and the kind of noise."""
        return f"{self.inputs}, {self.outputs}, noise={self.noise!r}, prior={self.prior!r}"


def weight_information(model: nn.Module) -> Tensor:
    r"""What the weights of all noisy layers of a network hold, a scalar in nats.

    With :math:`\beta / N` times it, a classifier's loss on N samples is
    :math:`H_{p,q}(y \mid x, w) + \beta\, I(w; \mathcal D) / N`.

    Raises:
        InvalidData: When there is no such layer.
    """
    held = [layer.information() for layer in model.modules() if isinstance(layer, NoisyLinear)]
    if not held:
        raise InvalidData(f"{type(model).__name__} has no noisy layer: put one in, as NoisyLinear")
    return torch.stack(held).sum()
