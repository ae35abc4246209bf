"""Penalties on the parameters, added to the loss of every batch that is fitted."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from unbraid.errors import require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.gradients import moved
from unbraid.fit.state import LOSS, MODEL, PLAYER, State

__all__ = ["L1", "L2", "Penalty"]


class Penalty(Callback):
    r"""Adds a function of each parameter to the loss of every batch; in an evaluation the loss stays as it is.

    .. math:: L \leftarrow L + \lambda \sum_{w \in \theta} f(w)

    Args:
        function: From a parameter to a scalar.
        rate: The weight of the penalty, at least 0.
        only: Which parameters, as a function of name and parameter; all by default. Only those that the player whose
            turn it is moves ever count.
        player: At whose turn; None means everybody's.
    """

    def __init__(
        self,
        function: Callable[[nn.Parameter], Tensor],
        rate: float,
        *,
        only: Callable[[str, nn.Parameter], bool] | None = None,
        player: str | None = None,
    ) -> None:
        require_at_least(0, rate=rate)
        self.function, self.rate, self.only, self.player = function, rate, only, player

    def on_criterion(self, state: State) -> None:
        """Add the penalty."""
        if self.player not in (None, state[PLAYER]):
            return
        parameters = moved(state)
        if self.only is not None:
            names = {id(parameter): name for name, parameter in state[MODEL].named_parameters()}
            parameters = [p for p in parameters if self.only(names.get(id(p), ""), p)]
        terms = [self.function(p) for p in parameters if p.requires_grad]
        if terms:
            state[LOSS] = state[LOSS] + self.rate * sum(terms[1:], start=terms[0])


class L1(Penalty):
    r"""Adds :math:`\lambda \sum \lvert w \rvert` to the loss: parameters that are not needed go to zero.

    Args:
        rate: :math:`\lambda`, at least 0.
        only: Which parameters; all by default.
        player: At whose turn; None means everybody's.

    References:
        R. Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    """

    def __init__(
        self, rate: float, *, only: Callable[[str, nn.Parameter], bool] | None = None, player: str | None = None
    ) -> None:
        super().__init__(lambda w: w.abs().sum(), rate, only=only, player=player)


class L2(Penalty):
    r"""Adds :math:`\tfrac{\lambda}{2} \sum w^2` to the loss: under plain SGD the same as its ``weight_decay``.

    With Adam prefer AdamW, whose decay is not divided by the size of the gradients (Loshchilov & Hutter, 2019).

    Args:
        rate: :math:`\lambda`, at least 0.
        only: Which parameters; all by default.
        player: At whose turn; None means everybody's.
    """

    def __init__(
        self, rate: float, *, only: Callable[[str, nn.Parameter], bool] | None = None, player: str | None = None
    ) -> None:
        super().__init__(lambda w: w.square().sum() / 2, rate, only=only, player=player)
