"""The metrics of ``torchmetrics``, and whatever else has ``update``, ``compute`` and ``reset``, as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unbraid.fit.metrics.contract import Metric, Reading, Saved, explained, reading
from unbraid.fit.metrics.whole import floats
from unbraid.fit.state import DEVICE, Y_PRED, Y_TRUE, State

__all__ = ["TorchMetric"]


class TorchMetric(Metric):
    """A metric of ``torchmetrics``, or a collection of them; a trial makes this of any that it is given.

    In several processes ``torchmetrics`` brings the states together itself, in every ``compute``.

    Args:
        module: The metric; it is moved to the trial's device.
        inputs: Keys, or functions of the state, that give what ``update`` takes.
        name: What it is called: the class in lower case by default. A collection's metrics keep their own names.
    """

    synchronises: ClassVar[bool] = True

    def __init__(
        self, module: nn.Module, *, inputs: Sequence[Reading] = (Y_PRED, Y_TRUE), name: str | None = None
    ) -> None:
        self.module: Any = module
        self.inputs = [reading(of) for of in inputs]
        self.name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(module).__name__).lower()
        self.began = self.placed = False

    def update(self, state: State) -> None:
        """Hand the batch on."""
        try:
            inputs = [of(state) for of in self.inputs]
        except KeyError as error:
            raise explained(self, error) from None
        if not self.placed and DEVICE in state:
            self.module.to(state[DEVICE])
            self.placed = True
        with torch.no_grad():
            self.module.update(*(one.detach() if isinstance(one, Tensor) else one for one in inputs))
        self.began = True

    def compute(self) -> dict[str, float]:
        """What it says; a vector's numbers have an index."""
        return floats(self.name, self.module.compute()) if self.began else {}

    def reset(self) -> None:
        """Forget everything."""
        self.module.reset()
        self.began = False

    def state_dict(self) -> dict[str, Any]:
        """What it has gathered, persistent or not."""
        states = {
            path: {
                "values": {name: _own(getattr(part, name)) for name in getattr(part, "_defaults", {})},
                "updates": getattr(part, "_update_count", 0),
            }
            for path, part in self.module.named_modules()
        }
        return {"module": _own(dict(self.module.state_dict())), "states": states, "began": self.began}

    def load_state_dict(self, state: Saved) -> None:
        """Take up what it had gathered."""
        self.module.load_state_dict(state["module"])
        for path, part in self.module.named_modules():
            saved = state["states"].get(path, {"values": {}})
            for name, value in saved["values"].items():
                setattr(part, name, _own(value))
            if hasattr(part, "_update_count"):
                part._update_count, part._computed = saved["updates"], None
        self.began = state["began"]


def _own(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _own(one) for key, one in value.items()}
    return [_own(one) for one in value] if isinstance(value, (list, tuple)) else value
