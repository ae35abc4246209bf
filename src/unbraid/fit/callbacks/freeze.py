"""Parameters that hold still, for a while or for good."""

from __future__ import annotations

from fnmatch import fnmatchcase

from unbraid.errors import UnknownName, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.state import MODEL, STEP, State

__all__ = ["Freeze"]


class Freeze(Callback):
    """Keeps parameters as they are, until a step or to the end; after the trial they can be moved again.

    Only parameters are frozen: running means of normalisation go on, unless their module is set to evaluate.

    Args:
        names: Names or patterns: ``"encoder"`` and ``"encoder.*"`` take everything within, ``"*.bias"`` every bias.
        until: The step from which on they move, at least 1; None means never.

    Raises:
        UnknownName: At the start, when a name fits no parameter.

    >>> gradual = [Freeze("encoder", until=1000), Freeze("embedding")]
    """

    def __init__(self, *names: str, until: int | None = None) -> None:
        if until is not None:
            require_at_least(1, until=until)
        self.names, self.until = names, until
        self.frozen: list[str] = []
        """The names of the parameters held now, those that were free before."""

    def on_start(self, state: State) -> None:
        """Freeze, unless the step is past."""
        parameters = dict(state[MODEL].named_parameters())
        for name in self.names:
            if not any(_fits(parameter, name) for parameter in parameters):
                modules = [module for module, _ in state[MODEL].named_modules() if module]
                raise UnknownName("parameter or module", name, {*parameters, *modules})
        if self.until is not None and state[STEP] >= self.until:
            return
        for parameter, value in parameters.items():
            if value.requires_grad and any(_fits(parameter, name) for name in self.names):
                value.requires_grad_(False)
                value.grad = None
                self.frozen.append(parameter)

    def on_step(self, state: State) -> None:
        """Let go when it is time."""
        if self.frozen and self.until is not None and state[STEP] >= self.until:
            self._free(state)

    def on_end(self, state: State) -> None:
        """Leave the model as it was found."""
        self._free(state)

    def _free(self, state: State) -> None:
        parameters = dict(state[MODEL].named_parameters())
        for name in self.frozen:
            parameters[name].requires_grad_(True)
        self.frozen = []


def _fits(parameter: str, name: str) -> bool:
    return parameter == name or parameter.startswith(f"{name}.") or fnmatchcase(parameter, name)
