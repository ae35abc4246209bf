"""The running average of a network's weights, which draws more calmly than the weights of any one step.

References:
    Yazıcı et al., "The unusual effectiveness of averaging in GAN training", ICLR 2019, arXiv:1806.04498.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from unbraid.errors import InvalidOption, require_at_least

__all__ = ["Averaged"]


class Averaged(nn.Module):
    r"""Averages of weights, :math:`\bar w \leftarrow \bar w + (1 - a)(w - \bar w)`; nobody moves them.

    Early on the average forgets sooner, :math:`a_t = \min(a, (1 + t) / (10 + t))`, so that it does not hold on to the
    weights it began with.

    Args:
        network: Whose weights.
        keep: a, from 0 (the weights themselves) to below 1.

    Raises:
        InvalidOption: When the share is out of range; models call it ``average``.
    """

    def __init__(self, network: nn.Module, keep: float) -> None:
        super().__init__()
        require_at_least(0, average=keep)
        if keep >= 1:
            raise InvalidOption(f"average must be below 1, but is {keep}")
        self.keep = keep
        self.names = {name: name.replace(".", "_") for name, _ in network.named_parameters()}
        for name, value in network.named_parameters():
            self.register_buffer(self.names[name], value.detach().clone())

    def follow(self, network: nn.Module, step: int) -> None:
        """Move towards the weights of the network as they are now, at a step counted from 0."""
        share = 1 - min(self.keep, (1 + step) / (10 + step))
        averages = [self.get_buffer(self.names[name]) for name, _ in network.named_parameters()]
        torch._foreach_lerp_(averages, [value.detach() for value in network.parameters()], share)

    def __call__(self, network: nn.Module, *given: Any) -> Tensor:
        """What the network says with these weights in place of its own."""
        weights = {name: self.get_buffer(own) for name, own in self.names.items()}
        said: Tensor = functional_call(network, weights, given)
        return said
