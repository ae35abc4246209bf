"""Several mixers in turn: the FMix+MixUp of the paper.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.mixer import Mixer, Mixture

__all__ = ["Alternate"]


class Alternate(Mixer):
    """Several mixers in turn, a number of batches each; an interrupted trial goes on where it was.

    Args:
        mixers: At least one; ``classes`` and ``dense`` of their own are not looked at.
        batches: How many batches in a row each has, at least 1; by default one.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> from unbraid.mix import FMix, MixUp
    >>> Alternate([FMix(), MixUp()])(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    def __init__(
        self,
        mixers: Sequence[Mixer],
        *,
        batches: Sequence[int] | None = None,
        classes: int | None = None,
        dense: bool = False,
    ) -> None:
        super().__init__(classes=classes, dense=dense)
        self.mixers = list(mixers)
        self.batches = [1] * len(self.mixers) if batches is None else list(batches)
        if not self.mixers or len(self.batches) != len(self.mixers) or min(self.batches) < 1:
            raise InvalidOption(
                f"Alternate needs a mixer or more and a number of batches of at least 1 for each, but was given "
                f"{len(self.mixers)} mixers and batches {self.batches}"
            )
        self._turns = [mixer for mixer, often in zip(self.mixers, self.batches, strict=True) for _ in range(often)]
        self._drawn = 0

    def draw(self, x: Tensor, *, generator: torch.Generator | None = None) -> Mixture:
        """Let the one whose turn it is draw."""
        mixer = self._turns[self._drawn % len(self._turns)]
        self._drawn += 1
        return mixer.draw(x, generator=generator)

    def state_dict(self) -> dict[str, Any]:
        """How many batches were mixed, and what the mixers remember."""
        return {"drawn": self._drawn, "mixers": [mixer.state_dict() for mixer in self.mixers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self._drawn = state["drawn"]
        for mixer, kept in zip(self.mixers, state["mixers"], strict=True):
            mixer.load_state_dict(kept)

    def __repr__(self) -> str:
        return f"Alternate({self.mixers}, batches={self.batches}, classes={self.classes}, dense={self.dense})"
