"""Manifold mixup: samples are mixed inside the model, after a layer that is drawn anew for every batch.

References:
    V. Verma et al., "Manifold mixup: better representations by interpolating hidden states", ICML 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from unbraid.errors import InvalidData, InvalidOption, UnknownName, require_at_least
from unbraid.fit.callbacks.mixing import Mixed
from unbraid.fit.callbacks.targets import Targets
from unbraid.fit.state import COUNT, MODEL, Y_TRUE, State
from unbraid.mixer import beta

__all__ = ["ManifoldMixUp"]


class ManifoldMixUp(Targets):
    """Manifold mixup: what a random layer gives is averaged, and the targets alike.

    A callback alone, since it needs the model. The criterion must be a :func:`unbraid.fit.mixed_loss`.

    The layers get forward hooks while the trial fits, and lose them when it ends, however it ends. Evaluations are left
    alone, and so is a model that a callback puts into evaluation mode.

    Args:
        layers: Names as in ``model.named_modules()``, or a function of name and module that says whether it is one; by
            default the model's children but the last. The name ``""`` stands for the model's input.
        alpha: The weight is drawn from Beta(alpha, alpha), at least 0.
    """

    def __init__(
        self, layers: Sequence[str] | Callable[[str, nn.Module], bool] | None = None, *, alpha: float = 2.0
    ) -> None:
        require_at_least(0, alpha=alpha)
        self.layers, self.alpha = layers, alpha
        self._handles: list[RemovableHandle] = []
        self._names: list[str] = []
        # The draw of each batch of this step, by the identity of its weight, which stays when labels are smoothed.
        self._draws: dict[int, tuple[str, Tensor, Tensor]] = {}
        self._done = False

    def selected(self, model: nn.Module) -> list[str]:
        """The names of the layers after which a model's samples may be mixed.

        Raises:
            UnknownName: When the model has no layer of a name.
            InvalidOption: When there is none at all.
        """
        modules = dict(model.named_modules())
        if self.layers is None:
            names = [name for name, _ in model.named_children()][:-1]
        elif callable(self.layers):
            names = [name for name, module in modules.items() if name and self.layers(name, module)]
        else:
            names = list(self.layers)
        for name in names:
            if name not in modules:
                raise UnknownName("layer", name, modules)
        if not names:
            raise InvalidOption(f"{type(model).__name__} has no such layer: name some, as in model.named_modules()")
        return names

    def on_start(self, state: State) -> None:
        """Hook the layers."""
        self._release()
        model = state[MODEL]
        self._names = self.selected(model)
        for name in self._names:
            if name:
                hook = model.get_submodule(name).register_forward_hook(
                    lambda module, _, output, name=name: self._mix(state, module, name, output)
                )
            else:
                hook = model.register_forward_pre_hook(
                    lambda module, inputs: (self._mix(state, module, "", inputs[0]), *inputs[1:])
                )
            self._handles.append(hook)

    def on_sample(self, state: State) -> None:
        """Draw a layer, a weight and partners."""
        target = state[Y_TRUE]
        if not isinstance(target, Tensor):
            raise InvalidData(f"ManifoldMixUp mixes targets that are tensors, but Y_TRUE is {type(target).__name__}")
        name = self._names[int(torch.randint(0, len(self._names), ()))]
        device = target.device
        weight = beta(self.alpha, 1, device=device).reshape(())
        order = torch.rand(state[COUNT], device=device).argsort()
        mixed = Mixed(target, target[order], weight)
        self.change(state, mixed, mixed.plain())
        self._draws[id(weight)] = (name, weight, order)

    def on_forward(self, state: State) -> None:
        """Make sure that something was mixed."""
        drawn = self._draw(state)
        if drawn and not self._done:
            raise InvalidOption(
                f"layer {drawn[0]!r} did not run, or runs compiled without its hook: choose other layers, or compile "
                "the model after the trial has started"
            )
        self._done = False

    def on_step(self, state: State) -> None:
        """The step is over."""
        super().on_step(state)
        self._draws.clear()

    def on_end(self, state: State) -> None:
        """Leave the model as it was."""
        self._release()

    def _draw(self, state: State) -> tuple[str, Tensor, Tensor] | None:
        target = state.get(Y_TRUE)
        return self._draws.get(id(target.weight)) if isinstance(target, Mixed) else None

    def _mix(self, state: State, module: nn.Module, name: str, output: Any) -> Any:
        drawn = self._draw(state)
        # A layer that runs several times in one pass is mixed after the first.
        if drawn is None or drawn[0] != name or self._done or not module.training:
            return output
        if not isinstance(output, Tensor):
            raise InvalidData(f"layer {name!r} gives {type(output).__name__}, not a tensor: choose another layer")
        _, weight, order = drawn
        self._done = True
        weight = weight.to(output.dtype)
        return weight * output + (1 - weight) * output[order]

    def _release(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._draws.clear()
        self._done = False
