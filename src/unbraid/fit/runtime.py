"""Where and how a step is computed: device, precision, memory layout. The one seam between a trial and the hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy, deepcopy
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unbraid.errors import InvalidOption

__all__ = ["Precision", "Runtime", "find_device"]

Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


def find_device(name: str = "auto") -> torch.device:
    """The device called ``name``; ``"auto"`` takes CUDA, else MPS, else the CPU.

    Raises:
        InvalidOption: When there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidOption(f"device {name!r} cannot be used here ({reason}); try auto or cpu") from None
    return device


class Runtime:
    """One device, computing in one precision.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"`` ...
        precision: ``"float32"``, or ``"bfloat16"`` / ``"float16"`` by autocast (float16 with a gradient scaler; weights
            and optimisers stay in float32).
        channels_last: Whether 4-dimensional tensors are laid out with the channels last, which convolutions like.
    """

    rank: int = 0
    """Which of several processes this is; the first one writes."""
    size: int = 1
    """How many processes fit together; with one, nothing below that concerns several is ever called in a step."""
    precision: str
    """In which numbers it computes, by name."""
    casts: bool
    """Whether forward and loss are computed within :meth:`autocast`; else a step does without."""
    scaler: torch.amp.GradScaler | None
    """What keeps small gradients above zero, where the precision needs it."""

    def __init__(
        self, device: str | torch.device = "auto", *, precision: Precision = "float32", channels_last: bool = False
    ) -> None:
        if precision not in PRECISIONS:
            raise InvalidOption(f"precision must be one of {', '.join(PRECISIONS)}, but is {precision!r}")
        self.device = device if isinstance(device, torch.device) else find_device(device)
        self.precision, self.channels_last = precision, channels_last
        self.casts = precision != "float32"
        self.begin_with(torch.amp.GradScaler(self.device.type) if precision == "float16" else None)

    def begin_with(self, scaler: torch.amp.GradScaler | None) -> None:
        """Have every trial begin with such a scaler."""
        self._unused, self.scaler, self._taken = scaler, deepcopy(scaler), False

    def anew(self) -> Self:
        """The runtime for one trial alone: itself for the first that asks, and for any other a copy.

        What it remembers of a fit, such as float16's scale, another trial must not find.
        """
        one = copy(self) if self._taken else self
        if self._taken:
            one.begin_with(self._unused)
        one._taken = True
        return one

    def prepare(self, model: nn.Module) -> nn.Module:
        """Put a model on the device and in the layout, in place."""
        model.to(self.device)
        if self.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return model

    def place(self, batch: Any) -> Any:
        """A batch on the device: tensors, tuples, lists and dictionaries of them, and objects with ``to(device)``."""
        if isinstance(batch, Tensor):
            if self.channels_last and batch.ndim == 4:
                return batch.to(self.device, memory_format=torch.channels_last, non_blocking=True)
            return batch.to(self.device, non_blocking=True)
        if isinstance(batch, tuple):
            parts = [self.place(part) for part in batch]
            return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
        if isinstance(batch, list):
            return [self.place(part) for part in batch]
        if isinstance(batch, Mapping):
            return {key: self.place(value) for key, value in batch.items()}
        batch = batch.to(self.device) if hasattr(batch, "to") else batch
        if self.channels_last and is_dataclass(batch) and not isinstance(batch, type):
            return self.place_fields(batch)
        return batch

    def place_fields(self, batch: Any) -> Any:
        """A data class whose tensors are placed one by one."""
        tensors = (one.name for one in fields(batch) if one.init and isinstance(getattr(batch, one.name), Tensor))
        return replace(batch, **{name: self.place(getattr(batch, name)) for name in tensors})

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward and loss are computed."""
        if not self.casts:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.precision))

    def backward(self, loss: Tensor, inputs: Sequence[Tensor] | None = None) -> None:
        """Differentiate by ``inputs``, by default by everything; scaled where the precision needs it."""
        scaled = self.scaler.scale(loss) if self.scaler else loss
        if inputs is None:
            scaled.backward()
        elif inputs:
            scaled.backward(inputs=inputs)

    def unscale(self, optimizer: Optimizer) -> None:
        """Give the gradients their true size, before anything looks at them."""
        if self.scaler:
            self.scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer, closure: Callable[[], Tensor] | None = None) -> None:
        """Let an optimiser move its parameters; one that evaluates the loss itself gets a closure."""
        if closure is not None:
            optimizer.step(closure)  # type: ignore[arg-type]
        elif self.scaler:
            self.scaler.step(optimizer)
            self.scaler.update()
        else:
            optimizer.step()

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def begin(self) -> None:
        """Called when a fit begins: make the processes draw the same batches."""

    def share(self, batch: Any) -> tuple[Any, float]:
        """This process's part of a batch, and what its mean loss counts for among those of the processes."""
        return batch, 1.0

    def apart(self, step: int) -> AbstractContextManager[Any]:
        """The context in which every process draws noise of its own."""
        return nullcontext()

    def average(self, parameters: Sequence[Tensor]) -> None:
        """Average gradients over the processes."""

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a scalar over the processes."""
        return value

    def level(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values."""

    def gather(self, one: Any) -> list[Any]:
        """What every process hands in, in the order of their ranks."""
        return [one]

    def agree(self, *flags: bool) -> tuple[bool, ...]:
        """Whether any process raises each flag."""
        return flags

    def barrier(self) -> None:
        """Wait for every process."""
        self.gather(None)

    def whole(self, state: Any) -> Any:
        """A state dictionary as one process would hold it, where the processes hold pieces of its tensors."""
        return state

    def pieces(self, state: Any, like: Mapping[Any, Tensor]) -> Any:
        """What :meth:`whole` gave, in pieces again: all that goes by the key of a tensor is cut as that is."""
        return state

    def state_dict(self) -> dict[str, Any]:
        """What must survive an interruption."""
        return {"scaler": self.scaler.state_dict()} if self.scaler else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        if self.scaler and "scaler" in state:
            self.scaler.load_state_dict(state["scaler"])
