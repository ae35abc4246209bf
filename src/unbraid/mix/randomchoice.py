"""Any of several mixers, drawn anew for every batch.

References:
    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019
    (code that goes between CutMix and MixUp at random is everywhere since).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.mixer import Mixer, Mixture

__all__ = ["RandomChoice"]


class RandomChoice(Mixer):
    """One of several mixers for every batch, at random.

    Args:
        mixers: At least one; ``classes`` and ``dense`` of their own are not looked at.
        weights: How likely each is, in any unit, at least 0; by default all alike.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> from unbraid.mix import CutMix, MixUp
    >>> RandomChoice([MixUp(alpha=0.2), CutMix()], classes=10)(torch.rand(8, 3, 32, 32)).shape
    torch.Size([8, 3, 32, 32])
    """

    def __init__(
        self,
        mixers: Sequence[Mixer],
        *,
        weights: Sequence[float] | None = None,
        classes: int | None = None,
        dense: bool = False,
    ) -> None:
        super().__init__(classes=classes, dense=dense)
        self.mixers = list(mixers)
        self.weights = [1.0] * len(self.mixers) if weights is None else list(weights)
        if not self.mixers or len(self.weights) != len(self.mixers) or min(self.weights) < 0 or sum(self.weights) <= 0:
            raise InvalidOption(
                f"RandomChoice needs a mixer or more and a weight of at least 0 for each, not all 0, but was given "
                f"{len(self.mixers)} mixers and weights {self.weights}"
            )

    def draw(self, x: Tensor, *, generator: torch.Generator | None = None) -> Mixture:
        """Draw a mixer, then let it draw."""
        # Which code runs is decided where the program runs: a generator of another device is not asked.
        here = generator if generator is not None and generator.device.type == "cpu" else None
        chosen = int(torch.multinomial(torch.tensor(self.weights, dtype=torch.float64), 1, generator=here))
        return self.mixers[chosen].draw(x, generator=generator)

    def state_dict(self) -> dict[str, Any]:
        """What the mixers remember."""
        return {"mixers": [mixer.state_dict() for mixer in self.mixers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        for mixer, kept in zip(self.mixers, state["mixers"], strict=True):
            mixer.load_state_dict(kept)

    def __repr__(self) -> str:
        return f"RandomChoice({self.mixers}, weights={self.weights}, classes={self.classes}, dense={self.dense})"
