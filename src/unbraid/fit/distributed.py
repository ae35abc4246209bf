"""Several devices, one process each: ``torchrun --nproc-per-node 2 script.py``.

Every process draws the same batches and computes its share of each, so that the result does not depend on how many
there are. Gradients are averaged once a step, after the whole window of accumulated batches.
"""

from __future__ import annotations

import atexit
import importlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, distributed, nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.data import count, random_state, set_random_state
from unbraid.fit.processes import agreed, gathered
from unbraid.fit.runtime import Precision, Runtime, find_device
from unbraid.seed import derive

__all__ = ["Distributed", "Processes", "part"]

ENVIRONMENT = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class Processes(Runtime):
    """One of ``size`` processes that fit one model together, over the group that ``torch.distributed`` has here.

    Args:
        device: As for :class:`Runtime`.
        precision: As for :class:`Runtime`.
        channels_last: As for :class:`Runtime`.
        rank: Which of the processes this is.
        size: How many there are, at least 1.
        seed: What the noise of the processes depends on, at least 0.
    """

    def __init__(
        self,
        device: str | torch.device,
        *,
        precision: Precision = "float32",
        channels_last: bool = False,
        rank: int,
        size: int,
        seed: int,
    ) -> None:
        super().__init__(device, precision=precision, channels_last=channels_last)
        self.rank, self.size, self.seed = rank, size, seed

    def prepare(self, model: nn.Module) -> nn.Module:
        """Put a model on the device, with the parameters and buffers of the first process."""
        model = super().prepare(model)
        if self.size > 1:
            with torch.no_grad():
                self.level([*model.parameters(), *model.buffers()])
        return model

    def begin(self) -> None:
        """Give every process the random state of the first, so that all draw the same batches."""
        (state, *_) = self.gather(random_state() if self.rank == 0 else None)
        set_random_state(state)

    def share(self, batch: Any) -> tuple[Any, float]:
        """This process's part of a batch, and what its mean loss counts for among those of the processes.

        Raises:
            InvalidData: When there are fewer samples than processes.
        """
        if batch is None:
            return None, 1.0
        n = count(batch)
        if n < self.size:
            raise InvalidData(
                f"a batch of {n} cannot be shared by {self.size} processes: make batches larger, or drop the last one"
            )
        first, end = self.rank * n // self.size, (self.rank + 1) * n // self.size
        return part(batch, n, first, end), (end - first) * self.size / n

    @contextmanager
    def apart(self, step: int) -> Iterator[None]:
        """A context with random numbers of this process's own, which leaves the common ones as they were."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            # On a processor torch.manual_seed would take a millisecond to note three stacks for absent devices.
            sow = torch.manual_seed if devices else torch.default_generator.manual_seed
            sow(derive(self.seed, f"rank {self.rank}", step))
            yield

    def average(self, parameters: Sequence[Tensor]) -> None:
        """Average the gradients over the processes; where nobody has one, there is none."""
        for some in _alike(parameters):
            # Last come flags, for a gradient may be missing here and present elsewhere.
            flags = some[0].new_tensor([p.grad is not None for p in some])
            flat = torch.cat([*((p if p.grad is None else p.grad).detach().reshape(-1) for p in some), flags])
            for p, piece in zip(some, flat.split([*(p.numel() for p in some), len(some)]), strict=False):
                if p.grad is None:
                    piece.zero_()
            distributed.all_reduce(flat)
            *pieces, flags = flat.split([*(p.numel() for p in some), len(some)])
            for p, piece, there in zip(some, pieces, flags.real.tolist(), strict=True):
                if there:
                    gradient = piece.div_(self.size).view_as(p)
                    if p.grad is None:
                        p.grad = gradient.clone()
                    else:
                        p.grad.copy_(gradient)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a scalar over the processes."""
        value = value.detach().clone()
        distributed.all_reduce(value)
        return value / self.size

    def level(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values."""
        for some in _alike(tensors):
            flat = torch.cat([one.detach().reshape(-1) for one in some])
            distributed.broadcast(flat, 0)
            for one, piece in zip(some, flat.split([one.numel() for one in some]), strict=True):
                one.detach().copy_(piece.view_as(one))

    def gather(self, one: Any) -> list[Any]:
        """What every process hands in, in the order of their ranks."""
        return gathered(one)

    def agree(self, *flags: bool) -> tuple[bool, ...]:
        """Whether any process raises each flag."""
        return agreed(*flags, device=self.device)


class Distributed(Processes):
    """One of several processes that fit one model together (data parallelism), over gloo or nccl.

    A model of independent samples (no batch statistics) ends with the weights that one process would find, up to the
    rounding of sums. Noise that a model draws itself is another one in every process. Only the first process writes.
    Every process must build the same trial and call ``fit``, ``evaluate`` and ``state_dict`` alike; ``predict`` gives
    everything everywhere.

    Args:
        device: ``"auto"`` takes the CUDA device of the process's ``LOCAL_RANK``, or the CPU; or a device by name.
        precision: As for :class:`Runtime`.
        channels_last: As for :class:`Runtime`.
        seed: What the noise of the processes depends on, at least 0.

    Raises:
        InvalidOption: When the process was not started by ``torchrun``, or something that sets its variables.
    """

    def __init__(
        self,
        device: str | torch.device = "auto",
        *,
        precision: Precision = "float32",
        channels_last: bool = False,
        seed: int = 0,
    ) -> None:
        missing = [name for name in ENVIRONMENT if name not in os.environ]
        if missing:
            raise InvalidOption(
                f"several processes need {', '.join(missing)} in the environment, which torchrun sets: "
                "start them by torchrun --nproc-per-node 2 script.py"
            )
        if device == "auto":
            device = f"cuda:{os.environ['LOCAL_RANK']}" if torch.cuda.is_available() else "cpu"
        device = device if isinstance(device, torch.device) else find_device(device)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        if not distributed.is_initialized():
            # Its functions have the group of that moment as a default. Were they first loaded later, as optimizers do,
            # they would keep the group and its threads beyond _close, and such a thread ends the process by SIGABRT
            # when it lets go of a tensor while Python goes away.
            importlib.import_module("torch.distributed.nn")
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(_close)
        rank, size = distributed.get_rank(), distributed.get_world_size()
        super().__init__(device, precision=precision, channels_last=channels_last, rank=rank, size=size, seed=seed)


def part(batch: Any, n: int, first: int, end: int) -> Any:
    """Samples ``first`` to ``end`` of a batch of ``n``: of all that has length ``n``; anything else stays whole."""
    if isinstance(batch, tuple):
        parts = [part(one, n, first, end) for one in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if isinstance(batch, Mapping):
        return {key: part(one, n, first, end) for key, one in batch.items()}
    if isinstance(batch, list):
        # A list of tensors is what a loader makes of a tuple; one of anything else holds a sample an item.
        if any(isinstance(one, (Tensor, Mapping, tuple, list)) for one in batch):
            return [part(one, n, first, end) for one in batch]
        return batch[first:end] if len(batch) == n else batch
    if is_dataclass(batch) and not isinstance(batch, type):
        names = [field.name for field in fields(batch) if field.init]
        return replace(batch, **{name: part(getattr(batch, name), n, first, end) for name in names})
    shape: Any = getattr(batch, "shape", ())
    return batch[first:end] if len(shape) and shape[0] == n else batch


def _alike(tensors: Iterable[Tensor]) -> list[list[Tensor]]:
    """Tensors sorted by type, for only those of one type can be sent in one piece."""
    kinds: dict[Any, list[Tensor]] = {}
    for one in tensors:
        kinds.setdefault((one.dtype, one.device), []).append(one)
    return list(kinds.values())


def _close() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
