"""Initial weights, set once, before the first step of a fresh trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unbraid.errors import UnknownName, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import looking, own_loss
from unbraid.fit.state import MODEL, STEP, State, X

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["LAYERS", "LSUV", "Init"]

LAYERS: tuple[type[nn.Module], ...] = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
"""Which modules are initialised, where nothing else is said."""


class Init(Callback):
    """Sets the weights of layers by a function of ``torch.nn.init``, or any other, before a fresh trial starts.

    A resumed trial is left alone.

    Args:
        function: Its name without the last underscore (``"kaiming_normal"``, ``"xavier_uniform"``, ``"orthogonal"``),
            or a function that changes a tensor in place.
        modules: Of which modules.
        bias: What biases are set to; None leaves them.
        options: For the function, such as ``nonlinearity="relu"``.

    Raises:
        UnknownName: When torch has no such function.

    References:
        K. He et al., "Delving deep into rectifiers", 2015; X. Glorot, Y. Bengio, "Understanding the difficulty of
        training deep feedforward neural networks", 2010.
    """

    def __init__(
        self,
        function: str | Callable[..., Any] = "kaiming_normal",
        *,
        modules: tuple[type[nn.Module], ...] = LAYERS,
        bias: float | None = 0.0,
        **options: Any,
    ) -> None:
        if isinstance(function, str):
            known = [name[:-1] for name in dir(nn.init) if name.endswith("_") and not name.startswith("_")]
            if function not in known:
                raise UnknownName("initialisation", function, known)
            function = getattr(nn.init, f"{function}_")
        self.function: Callable[..., Any] = function  # type: ignore[assignment]
        self.modules, self.bias, self.options = modules, bias, options
        self.done = False

    def on_start(self, state: State) -> None:
        """Set the weights."""
        if self.done or state[STEP] > 0:
            return
        self.done = True
        with torch.no_grad():
            for module in state[MODEL].modules():
                if isinstance(module, self.modules):
                    self._set(module)

    def state_dict(self) -> dict[str, Any]:
        """Whether it is done."""
        return {"done": self.done}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up whether it is done."""
        self.done = state["done"]

    def _set(self, module: nn.Module) -> None:
        for name, parameter in module.named_parameters(recurse=False):
            if "bias" not in name:
                self.function(parameter, **self.options)
            elif self.bias is not None:
                parameter.fill_(self.bias)


class LSUV(Callback):
    r"""Layer-sequential unit variance: orthonormal weights, then each layer scaled until its output has variance 1.

    Layer by layer in the order in which they run: :math:`W \leftarrow W / \sqrt{\operatorname{Var}(y)}`. It happens
    once, before a fresh trial starts; a resumed one is left alone. The model evaluates meanwhile, so that neither
    running means nor the random generators move, except by the orthonormal weights.

    Args:
        batch: What the layers are tried on, as ``Trial.fit`` would put into ``X``; by default the first batch of the
            trial.
        tolerance: How far from 1 the variance may stay, above 0.
        attempts: How often a layer is scaled at most, at least 1.
        orthonormal: Whether weights start orthonormal, biases at 0; else as they are.
        call: How the model is run on it, if not by ``model(batch)`` or its own loss at step 0.

    References:
        D. Mishkin, J. Matas, "All you need is a good init", 2016.
    """

    def __init__(
        self,
        batch: Any = None,
        *,
        tolerance: float = 0.1,
        attempts: int = 10,
        orthonormal: bool = True,
        call: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        require_at_least(1, attempts=attempts)
        require_at_least(0, tolerance=tolerance)
        self.batch, self.tolerance, self.attempts = batch, tolerance, attempts
        self.orthonormal, self.call = orthonormal, call or _run
        self.done = False
        self._trial: Trial | None = None

    def bind(self, trial: Trial) -> None:
        """Called by the trial when it starts: who puts a batch on the device."""
        self._trial = trial

    def on_start(self, state: State) -> None:
        """Set the weights, if there is a batch to try them on."""
        if self.batch is not None and self._trial is not None:
            self._initialise(state, self._trial.runtime.place(self.batch))

    def on_sample(self, state: State) -> None:
        """Set the weights, if that is not done yet."""
        if not self.done:
            self._initialise(state, state[X])

    def state_dict(self) -> dict[str, Any]:
        """Whether it is done."""
        return {"done": self.done}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up whether it is done."""
        self.done = state["done"]

    def _initialise(self, state: State, batch: Any) -> None:
        fresh, self.done = not self.done and state[STEP] == 0, True
        if not fresh:
            return
        model = state[MODEL]
        order: list[nn.Module] = []
        layers = [module for module in model.modules() if isinstance(module, LAYERS)]
        with torch.no_grad():
            if self.orthonormal:
                for layer in layers:
                    nn.init.orthogonal_(layer.weight)  # type: ignore[arg-type]
                    if isinstance(layer.bias, Tensor):
                        layer.bias.zero_()
            with looking(model):
                handles = [layer.register_forward_hook(lambda m, i, o: order.append(m)) for layer in layers]
                try:
                    self.call(model, batch)
                finally:
                    for handle in handles:
                        handle.remove()
                for layer in dict.fromkeys(order):
                    self._scale(layer, model, batch)

    def _scale(self, layer: nn.Module, model: nn.Module, batch: Any) -> None:
        outputs: list[Tensor] = []
        handle = layer.register_forward_hook(lambda m, i, o: outputs.append(o))
        try:
            for _ in range(self.attempts):
                self.call(model, batch)
                variance = float(outputs.pop().var())
                outputs.clear()
                if abs(variance - 1) <= self.tolerance or not 0 < variance < float("inf"):
                    break
                layer.weight.div_(variance**0.5)  # type: ignore[operator]
        finally:
            handle.remove()


def _run(model: Any, batch: Any) -> Any:
    if type(model).forward is nn.Module.forward:  # no forward of its own
        return own_loss(model, batch, 0)
    return model(batch)
