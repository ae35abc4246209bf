"""Factors as numbers that a network can be fitted to, and how well it tells them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unbraid.nn.judge import explained
from unbraid.types import Factor, FactorSpace, Integers

__all__ = ["Visible"]


class Visible:
    """Some factors of a world, each as columns: one for an ordered one, a point on a circle, or one for each value.

    Args:
        space: The world's factors.
        names: Those that are told, in their order.
    """

    def __init__(self, space: FactorSpace, names: tuple[str, ...]) -> None:
        self.names = names
        self._found = [(space.position(name), space[name]) for name in names]

    def columns(self, values: npt.ArrayLike) -> Tensor:
        """Factor values ``(N, F)`` as numbers ``(N, K)``."""
        given = np.asarray(values, dtype=np.int64)
        parts = [_columns(factor, given[:, position]) for position, factor in self._found]
        return torch.cat(parts, dim=1) if parts else torch.zeros(len(given), 0)

    def agreement(self, told: Tensor, values: npt.ArrayLike) -> Mapping[str, float]:
        """How well columns ``(N, K)`` tell factor values ``(N, F)``, by factor.

        Of unordered factors it is how often the value is right, of ordered ones R², and of cyclic ones the mean error
        in parts of the whole circle, for which a guess has 0.25.
        """
        found, start = {}, 0
        for position, factor in self._found:
            truth = np.asarray(values, dtype=np.int64)[:, position]
            wanted = _columns(factor, truth)
            said = told[:, start : start + wanted.shape[1]]
            start += wanted.shape[1]
            found[factor.name] = _agreement(factor, said, truth, wanted)
        return found


def _columns(factor: Factor, values: Integers) -> Tensor:
    if factor.kind == "ordinal":
        return torch.from_numpy(values).float()[:, None]
    if factor.kind == "cyclic":
        angle = torch.from_numpy(values).float() * (2 * np.pi / factor.size)
        return torch.stack([angle.cos(), angle.sin()], dim=1)
    return torch.eye(factor.size)[torch.from_numpy(values)]


def _agreement(factor: Factor, said: Tensor, truth: Integers, wanted: Tensor) -> float:
    if factor.kind == "ordinal":
        return float(explained(said, wanted)[0])
    if factor.kind == "cyclic":
        turns = torch.atan2(said[:, 1], said[:, 0]) / (2 * np.pi)
        away = (turns - torch.from_numpy(truth) / factor.size) % 1
        return float(torch.minimum(away, 1 - away).mean())
    return float((said.argmax(dim=1) == torch.from_numpy(truth)).float().mean())
