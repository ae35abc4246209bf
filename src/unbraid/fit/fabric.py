"""Lightning Fabric as a runtime: its devices, precisions and strategies under the same trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from unbraid.errors import InvalidOption
from unbraid.fit import pieces
from unbraid.fit.callbacks._shared import extra
from unbraid.fit.distributed import Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["FabricRuntime"]


class FabricRuntime(Processes):
    """Computes as a ``Fabric`` of lightning-fabric says: on its devices, in its precision, by its strategy.

    Where every process holds the whole model (one device, and every form of DDP), the weights end bit for bit as under
    :class:`Runtime` and :class:`Distributed`: a step averages gradients once. With ``ModelParallelStrategy`` each
    process holds a piece of what ``torch.distributed.fsdp.fully_shard`` was applied to; ``model.state_dict()``, for
    which every process must then ask, and checkpoints hold whole tensors all the same, so that any number of processes
    and any runtime can take them up.

    Give ``fit`` the data itself, not what ``fabric.setup_dataloaders`` makes of it: the trial shares out every batch.

    Args:
        fabric: The fabric, launched already if it has several processes; None makes one of ``options``, and launches
            it.
        channels_last: As for :class:`Runtime`.
        seed: What the noise of several processes depends on, at least 0.
        options: For ``Fabric``, such as ``accelerator="cuda"``, ``strategy="ddp"``, ``precision="bf16-mixed"``.

    Raises:
        InvalidOption: When it is no fabric, was not launched, or has a strategy that cannot be carried.
        MissingExtra: When lightning-fabric is not installed.
    """

    def __init__(
        self, fabric: Fabric | None = None, *, channels_last: bool = False, seed: int = 0, **options: Any
    ) -> None:
        lightning = extra("lightning_fabric", "FabricRuntime", "fabric")
        if fabric is not None and (options or not isinstance(fabric, lightning.Fabric)):
            raise InvalidOption(
                f"give a lightning_fabric.Fabric or options to make one, but not {type(fabric).__name__}"
                f"{' and options' if options else ''}"
            )
        if fabric is None:
            fabric = lightning.Fabric(**options)
            assert fabric is not None
            fabric.launch()
        try:
            fabric.barrier()
        except RuntimeError as error:
            if "launch" not in str(error):
                raise
            raise InvalidOption("the processes of this fabric are not there yet: call its launch() before") from None
        self.fabric, self.sharded = fabric, _sharded(fabric, lightning.strategies)
        super().__init__(
            fabric.device, channels_last=channels_last, rank=fabric.global_rank, size=fabric.world_size, seed=seed
        )
        kind = fabric.strategy.precision
        self.precision = kind.precision
        self.casts = type(kind).forward_context is not lightning.plugins.Precision.forward_context
        self.begin_with(getattr(kind, "scaler", None))
        # Autocast wants its inputs as they are.
        self._converts = "mixed" not in kind.precision and type(kind) is not lightning.plugins.Precision

    def prepare(self, model: nn.Module) -> nn.Module:
        """Put a model on the device, in the precision and, where the strategy says so, in pieces."""
        strategy = self.fabric.strategy
        model = super().prepare(strategy.precision.convert_module(model))
        if self.sharded:
            model = strategy.setup_module(model)
            pieces.enter(model, "loss")
            pieces.save_whole(model)
        return model

    def place(self, batch: Any) -> Any:
        """A batch on the device, its numbers in the precision of the model."""
        batch = super().place(batch)
        if self._converts and isinstance(batch, Tensor):
            return self.fabric.strategy.precision.convert_input(batch)
        if self._converts and is_dataclass(batch) and not isinstance(batch, type):
            return self.place_fields(batch)
        return batch

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward and loss are computed."""
        return self.fabric.autocast()

    def backward(self, loss: Tensor, inputs: Sequence[Tensor] | None = None) -> None:
        """Differentiate by ``inputs``, by default by everything; by everything, too, where the model is in pieces."""
        # Pieces are no leaves of the graph; what others gain here they lose at the beginning of their own turn.
        with self._scaling():
            if inputs is None or self.sharded:
                self.fabric.strategy.backward(loss, None)
            elif inputs:
                self.fabric.strategy.backward(loss, None, inputs=inputs)

    def step(self, optimizer: Optimizer, closure: Callable[[], Tensor] | None = None) -> None:
        """Let an optimiser move its parameters; one that evaluates the loss itself gets a closure.

        Raises:
            InvalidOption: When it gets one, and the model is in pieces.
        """
        if closure is not None and self.sharded:
            raise InvalidOption(
                f"{type(optimizer).__name__} needs all parameters in one vector, but every process holds pieces of "
                "them: take another optimiser, or the strategy ddp"
            )
        with self._scaling():
            self.fabric.strategy.optimizer_step(optimizer, **({} if closure is None else {"closure": closure}))

    def average(self, parameters: Sequence[Tensor]) -> None:
        """Average the gradients over the processes; those of pieces are averages already."""
        super().average([one for one in parameters if not pieces.is_piece(one)] if self.sharded else parameters)

    def whole(self, state: Any) -> Any:
        """A state dictionary as one process would hold it; every process must ask for it."""
        return pieces.whole(state) if self.sharded else state

    def pieces(self, state: Any, like: Mapping[Any, Tensor]) -> Any:
        """What :meth:`whole` gave, in pieces again: all that goes by the key of a tensor is cut as that is."""
        return pieces.cut(state, like) if self.sharded else state

    @contextmanager
    def _scaling(self) -> Iterator[None]:
        """A context in which the fabric scales gradients as this trial does, and not as others that share it do."""
        if self.scaler is None:
            yield
            return
        precision: Any = self.fabric.strategy.precision
        before, precision.scaler = precision.scaler, self.scaler
        try:
            yield
        finally:
            precision.scaler = before


def _sharded(fabric: Fabric, known: Any) -> bool:
    """Whether a strategy leaves each process a piece of the model.

    Raises:
        InvalidOption: When the trial cannot keep its promises under it.
    """
    strategy = fabric.strategy
    if isinstance(strategy, (known.SingleDeviceStrategy, known.DDPStrategy)):
        return False
    if not isinstance(strategy, known.ModelParallelStrategy):
        raise InvalidOption(
            f"a trial cannot be carried by {type(strategy).__name__}: take one device, ddp, or ModelParallelStrategy "
            "with torch.distributed.fsdp.fully_shard"
        )
    if strategy.device_mesh["tensor_parallel"].size() > 1:
        raise InvalidOption("a trial shares out every batch: give ModelParallelStrategy a tensor_parallel_size of 1")
    return True
