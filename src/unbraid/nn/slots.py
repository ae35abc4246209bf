"""Slots that compete for what is to be explained.

References:
    Locatello et al., "Object-centric learning with slot attention", NeurIPS 2020, arXiv:2006.15055.
    Chang, Griffiths and Levine, "Object representations as fixed points: training iterative refinement algorithms with
    implicit differentiation", NeurIPS 2022, arXiv:2207.00787 (only the last iteration has a gradient).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SlotAttention"]

LITTLE = 1e-6
"""Added to the share of every pixel, so that a slot which gets nothing does not divide by 0."""


class SlotAttention(nn.Module):
    r"""Each slot takes the mean of the inputs that prefer it to other slots, and by that changes; again and again.

    .. math:: a = \operatorname{softmax}_{\text{slots}}(k q^\top / \sqrt D), \qquad
              s \leftarrow \operatorname{GRU}\Big(\frac{a^\top v}{\sum a}, s\Big), \qquad
              s \leftarrow s + \mathrm{MLP}(s)

    Args:
        inputs: How many numbers an input has.
        dim: D, of a slot, at least 1.
        iterations: How often slots change, at least 1.
        implicit: Whether only the last change has a gradient, as if the others had come to rest.
    """

    def __init__(self, inputs: int, dim: int, iterations: int, *, implicit: bool) -> None:
        super().__init__()
        self.iterations, self.implicit = iterations, implicit
        self.norm_inputs, self.norm_slots, self.norm_mlp = nn.LayerNorm(inputs), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.key, self.value = (nn.Linear(inputs, dim, bias=False) for _ in range(2))
        self.query = nn.Linear(dim, dim, bias=False)
        self.gru = nn.GRUCell(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, inputs: Tensor, slots: Tensor) -> Tensor:
        """Inputs ``(B, M, inputs)`` and slots ``(B, N, dim)`` as they begin, to slots as they end."""
        inputs = self.norm_inputs(inputs)
        key, value = self.key(inputs), self.value(inputs)
        begun = slots
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.implicit):
            for _ in range(self.iterations - 1):
                slots = self._changed(key, value, slots)
        if self.implicit:  # where slots begin learns as if they still were there
            slots = slots.detach() + begun - begun.detach()
        return self._changed(key, value, slots)

    def _changed(self, key: Tensor, value: Tensor, slots: Tensor) -> Tensor:
        query = self.query(self.norm_slots(slots))
        share = (key @ query.transpose(1, 2) / query.shape[2] ** 0.5).float().softmax(dim=2) + LITTLE
        taken = (share / share.sum(dim=1, keepdim=True)).transpose(1, 2) @ value.float()
        changed = self.gru(taken.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        return changed + self.mlp(self.norm_mlp(changed))
