"""Who takes turns in a step: some parameters, the optimiser that moves them, and the loss they move for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unbraid.errors import InvalidOption
from unbraid.fit.state import STEP, Y_PRED, Y_TRUE, Key, State, X

__all__ = ["Inputs", "Loss", "Optimisers", "Player", "criterion_loss", "model_loss", "players", "unpacked"]

Loss: TypeAlias = Callable[[State], Tensor | Mapping[str, Tensor]]
"""A function of the state that gives the loss, or its named terms."""
Optimisers: TypeAlias = Optimizer | Mapping[str, Optimizer] | Callable[[Iterable[Any]], Optimizer] | None
"""An optimiser, one for each player by name, or a function that makes one from parameters."""

Inputs: TypeAlias = Mapping[str, Key[Any] | Callable[[State], Any]]
"""The model's keyword arguments, each with where it is found: a key, or a function of the state."""


@dataclass(frozen=True)
class Player:
    """One player.

    Args:
        name: By which its optimiser and its terms are known.
        optimizer: What moves its parameters.
        loss: What it moves for.
    """

    name: str
    optimizer: Optimizer
    loss: Loss

    @cached_property
    def needs_closure(self) -> bool:
        """Whether its optimiser evaluates the loss itself, several times a step (LBFGS)."""
        parameter = inspect.signature(self.optimizer.step).parameters.get("closure")
        return parameter is not None and parameter.default is inspect.Parameter.empty

    def parameters(self) -> list[Tensor]:
        """What it moves, without what is frozen."""
        return [p for group in self.optimizer.param_groups for p in group["params"] if p.requires_grad]


def unpacked(forward: Callable[..., Any], inputs: Inputs) -> Callable[[State], Any]:
    """The call of a model with parts of the state as keyword arguments.

    Raises:
        InvalidOption: When it is called, and the state does not hold one of them.
    """
    readings = {name: itemgetter(of) if isinstance(of, Key) else of for name, of in inputs.items()}

    def call(state: State) -> Any:
        given = {}
        for name, of in readings.items():
            try:
                given[name] = of(state)
            except KeyError as error:
                if not error.args or not isinstance(error.args[0], Key):
                    raise
                raise InvalidOption(
                    f"the model's argument {name!r} is read from {error.args[0].name!r}, which the state does not hold "
                    "when the model is called: set it in a callback at on_sample and on_sample_validation"
                ) from None
        return forward(**given)

    return call


def criterion_loss(
    forward: Callable[[Any], Any],
    criterion: Callable[..., Any],
    on_forward: Callable[[], None],
    call: Callable[[State], Any] | None = None,
) -> Loss:
    """The loss of a model under a criterion of ``(y_pred, y_true)``, or of the state when it takes one argument.

    The signature is read once, here: an error inside the criterion is never mistaken for a wrong number of arguments.

    Args:
        forward: The model.
        criterion: The criterion.
        on_forward: Called when the output is known.
        call: How the model is called, where not with ``X``.
    """
    takes_state = _required_arguments(criterion) == 1

    def loss(state: State) -> Any:
        state[Y_PRED] = forward(state[X]) if call is None else call(state)
        on_forward()
        return criterion(state) if takes_state else criterion(state[Y_PRED], state[Y_TRUE])

    return loss


def model_loss(loss: Callable[..., Any], player: str | None) -> Loss:
    """The loss that a model states itself: ``loss(batch, step)``, with the player's name where there are several."""
    if player is None:
        return lambda state: loss(state[X], state[STEP])
    return lambda state: loss(state[X], state[STEP], player)


def players(model: nn.Module, optimisers: Optimisers, losses: Callable[[str | None], Loss]) -> tuple[Player, ...]:
    """The players of a model: those it names in ``players()``, else one called ``"model"`` with every parameter.

    Args:
        model: The model; its ``players()`` gives name -> parameters, or parameter groups with an optimiser's options.
        optimisers: As :data:`Optimisers`; None takes Adam at a learning rate of 1e-3
            (AdamW, which decays only what a group asks it to).
        losses: The loss of the player with this name, or of the only player for None.

    Raises:
        InvalidOption: When the optimisers do not fit the players.
    """
    parameters: Mapping[str, Any]
    parameters = model.players() if callable(getattr(model, "players", None)) else {"model": list(model.parameters())}  # type: ignore[operator]
    if isinstance(optimisers, Optimizer):
        optimisers = dict.fromkeys(parameters, optimisers) if len(parameters) == 1 else {"": optimisers}
    if isinstance(optimisers, Mapping):
        if set(optimisers) != set(parameters):
            raise InvalidOption(
                f"every player needs an optimiser: players {sorted(parameters)}, optimisers for {sorted(optimisers)}"
            )
        made = dict(optimisers)
    else:
        make = optimisers or (lambda group: torch.optim.AdamW(group, lr=1e-3, weight_decay=0.0))
        made = {name: make([group] if isinstance(group, Mapping) else group) for name, group in parameters.items()}
    return tuple(Player(name, made[name], losses(name if len(made) > 1 else None)) for name in parameters)


def _required_arguments(function: Callable[..., Any]) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    target = function.forward if isinstance(function, nn.Module) else function
    try:
        given = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):  # built-in functions without a signature: assume (y_pred, y_true)
        return 2
    return sum(p.kind in kinds and p.default is p.empty for p in given)
