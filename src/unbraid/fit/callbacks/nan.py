"""Stops where numbers stop being numbers, and says what was the first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from unbraid.errors import UnbraidError, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.state import LOSS, MODEL, PLAYER, STEP, TERMS, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["NotFinite", "StopOnNaN"]


class NotFinite(UnbraidError, ArithmeticError):
    """A loss, a gradient or a parameter is NaN or infinite."""


class _Noted(NamedTuple):
    """Some numbers of one moment, still on the device.

    Args:
        step: When.
        player: Whose.
        names: What each is.
        values: ``(len(names),)``; finite where what they stand for is.
    """

    step: int
    player: str
    names: list[str]
    values: Tensor


class StopOnNaN(Callback):
    """Raises :class:`NotFinite` when the loss, a gradient or a parameter is NaN or infinite, and says which was first.

    Every step notes the loss, its terms, and the largest gradient and weight of every parameter, without waiting for
    the device. They are read every so many steps and at every record; what is found is then traced to the step, the
    term or the parameter where it began. Under float16 gradients are left out, for the scaler lets some overflow on
    purpose.

    Args:
        every: Steps between two readings, at least 1. One makes the device wait at every step.
        gradients: Whether parameters and their gradients are watched, or the loss and its terms only. It costs one pass
            over them a step.
    """

    def __init__(self, *, every: int = 100, gradients: bool = True) -> None:
        require_at_least(1, every=every)
        self.every, self.gradients = every, gradients
        self._noted: list[_Noted] = []
        self._terms: object = None
        self._watched: list[tuple[nn.Parameter, str, str]] = []
        self._scaled = False

    def bind(self, trial: Trial) -> None:
        """See whether gradients are scaled."""
        self._scaled = trial.runtime.scaler is not None

    def on_start(self, state: State) -> None:
        """Look at the parameters as they are given."""
        self._noted, self._terms = [], None
        parameters = {name: value for name, value in state[MODEL].named_parameters() if value.numel()}
        if parameters:
            names = [f"parameter {name}" for name in parameters]
            self._noted.append(_Noted(state[STEP], "", names, _largest([*parameters.values()])))
            self._read()
        # What is nearest to the loss is differentiated first.
        watched = reversed(parameters.items())
        self._watched = [(value, f"parameter {name}", f"the gradient of {name}") for name, value in watched]

    def on_criterion(self, state: State) -> None:
        """Note the loss and its terms."""
        names, values = ["the loss"], [state[LOSS]]
        if state[TERMS] is not self._terms:  # else they are those of another player
            self._terms = state[TERMS]
            names = [*(f"its term {name!r}" for name in state[TERMS]), *names]
            values = [*state[TERMS].values(), *values]
        self._noted.append(_Noted(state[STEP], state[PLAYER], names, torch.stack([value.detach() for value in values])))

    def on_backward(self, state: State) -> None:
        """Note the parameters and their gradients."""
        if not self.gradients or self._scaled:
            return
        moved = [
            (value, gradient, name, name_of_gradient)
            for value, name, name_of_gradient in self._watched
            if (gradient := value.grad) is not None and not gradient.is_sparse
        ]
        if moved:
            values, gradients, names, names_of_gradients = zip(*moved, strict=True)
            largest = _largest([*values, *gradients])
            self._noted.append(_Noted(state[STEP], state[PLAYER], [*names, *names_of_gradients], largest))

    def on_step(self, state: State) -> None:
        """Read what was noted when it is time."""
        if state[STEP] % self.every == 0:
            self._read()

    def on_record(self, state: State) -> None:
        """Read what was noted: the device is waited for anyway."""
        self._read()

    def _read(self) -> None:
        noted, self._noted = self._noted, []
        if not noted:
            return
        finite = torch.cat([part.values for part in noted]).isfinite()
        if bool(finite.all()):
            return
        broken = [(part, bad) for part in noted if (bad := _broken(part))]
        step = broken[0][0].step
        # Parameters are noted after the loss, but were what they are before it.
        broken.sort(key=lambda item: (item[0].step > step, not item[1][0][0].startswith("parameter")))
        raise NotFinite(_sentence(*broken[0]))


def _largest(tensors: list[Tensor]) -> Tensor:
    """The largest magnitude in each tensor, NaN where it holds one."""
    return torch.stack(torch._foreach_norm([tensor.detach() for tensor in tensors], float("inf")))


def _broken(noted: _Noted) -> list[tuple[str, float]]:
    values = zip(noted.names, noted.values.tolist(), strict=True)
    return [(name, value) for name, value in values if not math.isfinite(value)]


def _sentence(noted: _Noted, bad: list[tuple[str, float]]) -> str:
    name, value = bad[0]
    others = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    if name.startswith("parameter"):
        text = f"{name} is {value} before the move of step {noted.step}{others}: an earlier one broke it, or who set it"
    elif name.startswith("the gradient"):
        text = f"{name} is {value} at step {noted.step}{others}, while the loss is finite"
    elif name.startswith("its term"):
        text = f"the loss is not finite at step {noted.step}: {name} is {value}"
        terms = [other for other, _ in bad[1:] if other.startswith("its term")]
        text += f" (and so {'is' if len(terms) == 1 else 'are'} {', '.join(terms)})" if terms else ""
    else:
        text = f"the loss is {value} at step {noted.step}"
    player = f", player {noted.player!r}" if noted.player else ""
    return (
        f"{text}{player}. Look for a logarithm, root or division near zero, lower the learning rate, or clip the "
        "gradients (ClipGradients)"
    )
