"""Slots that compete for what is to be explained, each with a frame of its own.

References:
    Locatello et al., "Object-centric learning with slot attention", NeurIPS 2020, arXiv:2006.15055.
    Biza et al., "Invariant slot attention: object discovery with slot-centric reference frames", ICML 2023,
    arXiv:2302.04973 (places relative to a slot).
    Chang, Griffiths and Levine, "Object representations as fixed points: training iterative refinement algorithms with
    implicit differentiation", NeurIPS 2022, arXiv:2207.00787 (only the last change has a gradient).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FRAME", "SlotAttention", "seen_from"]

FRAME = 3
"""A frame is the middle, across and down, and the size."""
LITTLE = 1e-6
"""Added to the share of every input, so that a slot which gets nothing does not divide by 0."""
SMALLEST = 0.1
"""The least size of a frame, or places would be infinitely far."""
FAR = 3.0
"""What is farther away is seen as if it were here."""
FLOOR = 0.1
"""What an input counts at least: with less, slots that find nothing would be drawn to what others have."""


def seen_from(places: Tensor, frames: Tensor) -> Tensor:
    """Places ``(M, 2)`` as seen from frames ``(B, N, 3)``, in two sizes of theirs, and the squares: ``(B, N, M, 4)``.

    >>> seen_from(torch.tensor([[0.5, 0.0], [-9.0, 0.0]]), torch.tensor([[[0.0, 0.0, 0.5]]]))
    tensor([[[[ 0.5000,  0.0000,  0.2500,  0.0000],
              [-3.0000,  0.0000,  9.0000,  0.0000]]]])
    """
    sizes = 2 * frames[:, :, None, 2:].clamp(min=SMALLEST)
    seen = ((places - frames[:, :, None, :2]) / sizes).clamp(-FAR, FAR)
    return torch.cat([seen, seen.square()], dim=3)


class SlotAttention(nn.Module):
    r"""Each slot takes the mean of the inputs that prefer it to other slots, and by that changes; again and again.

    .. math:: a = \operatorname{softmax}_{\text{slots}}\big((k + g(p))\, q^\top / \sqrt D - 2 |p|^2\big), \qquad
              s \leftarrow \operatorname{GRU}\Big(\frac{\sum a w\,(v + h(p))}{\sum a w}, s\Big), \qquad
              s \leftarrow s + \mathrm{MLP}(s)

    p is the place of an input as seen from the slot's frame; g and h are linear in it and its square. A frame's middle
    and size are the mean and standard deviation of the places that the slot takes, so that with nothing else to go by
    slots are the parts of a mixture of normal distributions over places. The weight w of an input, 0.1 to 1, is learned
    too, and is not in the papers: where most of an image is empty, frames would be about the emptiness.

    Args:
        inputs: How many numbers an input has.
        dim: D, of a slot, at least 1.
        iterations: How often slots change, at least 1.
        framed: Whether frames follow their slots; they stay as they begin otherwise.
        implicit: Whether only the last change has a gradient, as if the others had come to rest.
    """

    def __init__(self, inputs: int, dim: int, iterations: int, *, framed: bool = True, implicit: bool = False) -> None:
        super().__init__()
        self.iterations, self.framed, self.implicit = iterations, framed, implicit
        self.norm_inputs, self.norm_slots, self.norm_mlp = nn.LayerNorm(inputs), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.key, self.value = (nn.Linear(inputs, dim, bias=False) for _ in range(2))
        self.key_place, self.value_place = (nn.Linear(4, dim, bias=False) for _ in range(2))
        self.query = nn.Linear(dim, dim, bias=False)
        self.weight = nn.Linear(inputs, 1, bias=False)
        self.gru = nn.GRUCell(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))

    def forward(self, inputs: Tensor, places: Tensor, slots: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Slots and frames as they end.

        Args:
            inputs: ``(B, M, inputs)``.
            places: Where each of them is, across and down in -1 .. 1, ``(M, 2)``.
            slots: As they begin, ``(B, N, dim)``.
            frames: As they begin, ``(B, N, 3)``.
        """
        inputs = self.norm_inputs(inputs)
        key, value, weight = self.key(inputs), self.value(inputs), self.weigh(inputs)
        begun = slots
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.implicit):
            for _ in range(self.iterations - 1):
                slots, frames = self._changed(key, value, weight, places, slots, frames)
        if self.implicit:  # where slots begin learns as if they still were there
            slots = slots.detach() + begun - begun.detach()
        return self._changed(key, value, weight, places, slots, frames)

    def weigh(self, inputs: Tensor) -> Tensor:
        """What each input ``(B, M, inputs)`` counts in means: ``(B, 1, M)``."""
        share: Tensor = self.weight(inputs).transpose(1, 2).float().sigmoid()
        return FLOOR + (1 - FLOOR) * share

    def _changed(
        self, key: Tensor, value: Tensor, weight: Tensor, places: Tensor, slots: Tensor, frames: Tensor
    ) -> tuple[Tensor, Tensor]:
        query = self.query(self.norm_slots(slots)) / slots.shape[2] ** 0.5
        seen = seen_from(places, frames)
        # q (k + g(p)), without a key for every pair of slot and input
        liked = (seen @ (query @ self.key_place.weight)[..., None])[..., 0]
        likes = query @ key.transpose(1, 2) + liked - 2 * seen[..., 2:].sum(dim=3)
        share = (likes.float().softmax(dim=1) + LITTLE) * weight
        share = share / share.sum(dim=2, keepdim=True)
        taken = share @ value.float() + self.value_place((share[:, :, None] @ seen)[:, :, 0])
        changed: Tensor = self.gru(taken.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        refined: Tensor = self.mlp(self.norm_mlp(changed))
        return changed + refined, _moved(share, places) if self.framed else frames


def _moved(share: Tensor, places: Tensor) -> Tensor:
    """Frames about what slots take, shares ``(B, N, M)`` that sum to 1."""
    middle, square = share @ places, share @ places.square()
    spread = (square - middle.square()).sum(dim=2, keepdim=True).clamp(min=SMALLEST**2) / 2
    return torch.cat([middle, spread.sqrt().clamp(min=SMALLEST)], dim=2)
