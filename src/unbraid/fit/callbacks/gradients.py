"""Gradients, between their computation and the optimiser's step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.state import OPTIMIZERS, PLAYER, State

__all__ = ["ClipGradients", "moved"]


def moved(state: State) -> list[nn.Parameter]:
    """The parameters that the player whose turn it is moves, as they are now."""
    return [p for group in state[OPTIMIZERS][state[PLAYER]].param_groups for p in group["params"]]


class ClipGradients(Callback):
    r"""Bounds the gradients of every step, by their joint norm or value by value, for each player by itself.

    .. math:: g \leftarrow g \min(1, c / \lVert g \rVert) \quad\text{or}\quad g_i \leftarrow \max(-c, \min(c, g_i))

    Args:
        max_norm: The norm that all gradients of a player together may have, above 0.
        value: The largest magnitude that each entry may have, above 0.
        norm_type: Which norm; 2 by default, infinity allowed.
        player: Whose gradients; None means everybody's.

    References:
        R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013.
    """

    def __init__(
        self,
        max_norm: float | None = None,
        *,
        value: float | None = None,
        norm_type: float = 2.0,
        player: str | None = None,
    ) -> None:
        if (max_norm is None) == (value is None):
            raise InvalidOption("give either max_norm or value, as in ClipGradients(max_norm=1.0)")
        bound = max_norm if value is None else value
        require_at_least(0, bound=bound or 0.0)
        if not bound:
            raise InvalidOption("a bound of 0 leaves no gradient: give one above 0")
        self.max_norm, self.value, self.norm_type, self.player = max_norm, value, norm_type, player
        self.norm: Tensor | None = None
        """The norm before the last clipping, still on the device; None when clipping by value."""

    def on_backward(self, state: State) -> None:
        """Clip."""
        if self.player not in (None, state[PLAYER]):
            return
        # The parameters are read anew every time: an iterator would be used up after the first batch.
        parameters = moved(state)
        if self.max_norm is not None:
            self.norm = torch.nn.utils.clip_grad_norm_(parameters, self.max_norm, self.norm_type)
        elif self.value is not None:
            torch.nn.utils.clip_grad_value_(parameters, self.value)
