"""Averages of the weights over a trial, used wherever the model is evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.data import kept_randomness, source
from unbraid.fit.state import EPOCH, EPOCH_LENGTH, EPOCHS, MODEL, POSITION, STEP, State

__all__ = ["EMA", "SWA", "Average"]


class Average(Callback):
    """An average of the weights, which takes their place in every ``evaluate`` and ``predict`` and gives it back after.

    The fit itself never sees it. ``Best(..., average=ema)`` saves it, ``with ema.swap(model): ...`` uses it, and
    ``ema.write(model)`` puts it into the model for good.

    Args:
        evaluate: Whether evaluations and predictions use it.
        buffers: Whether floating-point buffers (running means of normalisation) are averaged too, or copied as they
            are. Others, such as counters, are always copied.
    """

    def __init__(self, *, evaluate: bool = True, buffers: bool = True) -> None:
        self.evaluate, self.buffers = evaluate, buffers
        self.weights: dict[str, Tensor] = {}
        """The average by name; empty before anything was gathered."""
        self.count = 0
        """How many sets of weights it holds."""

    def gather(self, model: nn.Module) -> None:
        """Take the weights of a model into the average, as they are now."""
        weights = _weights(model)
        if not self.weights:
            self.weights = {name: value.clone() for name, value in weights.items()}
        else:
            copied = set() if self.buffers else {name for name, _ in model.named_buffers()}
            averages: list[tuple[Tensor, Tensor]] = []
            others: list[tuple[Tensor, Tensor]] = []
            for name, value in weights.items():
                averaged = value.is_floating_point() and name not in copied
                (averages if averaged else others).append((self.weights[name], value))
            with torch.no_grad():
                if averages:
                    self.average([average for average, _ in averages], [value for _, value in averages])
                for old, new in others:
                    old.copy_(new)
        self.count += 1

    def average(self, averages: list[Tensor], weights: list[Tensor]) -> None:
        """Move averages, in place, by a new set of weights; ``count`` sets are in them."""
        raise NotImplementedError  # abstract

    @contextmanager
    def swap(self, model: nn.Module) -> Iterator[None]:
        """A context in which the model has the averaged weights; before anything was gathered, its own."""
        own = {name: value.clone() for name, value in _weights(model).items()} if self.weights else {}
        try:
            self.write(model)
            yield
        finally:
            _copy(own, model)

    def write(self, model: nn.Module) -> None:
        """Give the model the averaged weights for good; before anything was gathered it keeps its own."""
        _copy(self.weights, model)

    def on_start(self, state: State) -> None:
        """Have the average where the model is."""
        weights = _weights(state[MODEL])
        if self.weights and {n: w.shape for n, w in self.weights.items()} != {n: w.shape for n, w in weights.items()}:
            raise InvalidData(f"{type(self).__name__} holds averages of another model: make a new one for this model")
        self.weights = {name: value.to(weights[name].device) for name, value in self.weights.items()}

    def evaluating(self, state: State) -> AbstractContextManager[object]:
        """The context of :meth:`swap`."""
        return self.swap(state[MODEL]) if self.evaluate else nullcontext()

    def state_dict(self) -> dict[str, Any]:
        """The average and its count."""
        return {"weights": dict(self.weights), "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up average and count."""
        self.weights = {name: value.clone() for name, value in state["weights"].items()}
        self.count = state["count"]


class EMA(Average):
    r"""The exponential moving average of the weights, taken in after every step.

    .. math:: \bar\theta \leftarrow d \bar\theta + (1 - d) \theta, \quad d = \min(\text{decay}, \tfrac{1 + n}{10 + n})

    where :math:`n` counts the steps taken in, so that the first weights are soon forgotten.

    Args:
        decay: 0 to 1; at 0.999 it looks back some thousand steps.
        warmup: Whether ``decay`` is approached as above; else it holds from the beginning.
        every: Steps between two sets of weights, at least 1.
        evaluate: Whether evaluations and predictions use the average.
        buffers: Whether floating-point buffers are averaged too.

    References:
        B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging", 1992; the warm-up is that
        of TensorFlow's ``ExponentialMovingAverage``.
    """

    def __init__(
        self,
        decay: float = 0.999,
        *,
        warmup: bool = True,
        every: int = 1,
        evaluate: bool = True,
        buffers: bool = True,
    ) -> None:
        if not 0 <= decay <= 1:
            raise InvalidOption(f"decay must lie between 0 and 1, but is {decay}")
        require_at_least(1, every=every)
        super().__init__(evaluate=evaluate, buffers=buffers)
        self.decay, self.warmup, self.every = decay, warmup, every

    def average(self, averages: list[Tensor], weights: list[Tensor]) -> None:
        """One step of the moving average."""
        decay = min(self.decay, (1 + self.count) / (10 + self.count)) if self.warmup else self.decay
        get_ema_multi_avg_fn(decay)(averages, weights, self.count)

    def on_step(self, state: State) -> None:
        """Take in the new weights."""
        if state[STEP] % self.every == 0:
            self.gather(state[MODEL])


class SWA(Average):
    r"""Stochastic weight averaging: the plain mean of the weights at the end of late epochs.

    .. math:: \bar\theta \leftarrow \bar\theta + (\theta - \bar\theta) / (n + 1)

    It wants a learning rate that stays high: ``Schedule(torch.optim.swa_utils.SWALR, swa_lr=0.05)``. Running means of
    batch normalisation are averaged, which is close; :meth:`refresh` gives the exact ones.

    Args:
        start: From which epoch on, counted from 1; the paper takes three quarters of the whole.
        every: Epochs between two sets of weights, at least 1.
        evaluate: Whether evaluations and predictions use the average, once there is one.
        buffers: Whether floating-point buffers are averaged too.

    References:
        P. Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.
    """

    def __init__(self, start: int, *, every: int = 1, evaluate: bool = True, buffers: bool = True) -> None:
        require_at_least(1, start=start, every=every)
        super().__init__(evaluate=evaluate, buffers=buffers)
        self.start, self.every = start, every
        self._last = 0

    def average(self, averages: list[Tensor], weights: list[Tensor]) -> None:
        """One step of the mean."""
        get_swa_multi_avg_fn()(averages, weights, self.count)

    def refresh(self, model: nn.Module, data: Any) -> None:
        """Compute the running means of batch normalisation anew, under the averaged weights.

        Args:
            model: The model, whose own weights and buffers stay as they are.
            data: One pass of batches, as for ``Trial.fit``; of a tuple or list the first part is the input.
        """
        device = next(iter(self.weights.values())).device if self.weights else None
        with self.swap(model), kept_randomness():
            update_bn(source(data, shuffle=False).batches(0, 0), model, device)
            if self.weights:
                self.weights = {name: value.clone() for name, value in _weights(model).items()}

    def on_start(self, state: State) -> None:
        """Have the average where the model is."""
        if state[EPOCH_LENGTH] is None and state[EPOCHS] is None:
            raise InvalidOption("nobody knows where an epoch of this data ends: give fit(..., epoch_length=...)")
        super().on_start(state)

    def on_start_validation(self, state: State) -> None:
        """Take in the weights of the epoch that has just ended, before the average is evaluated."""
        self._end_epoch(state)

    def on_end_epoch(self, state: State) -> None:
        """Take in the weights, where no evaluation has."""
        self._end_epoch(state)

    def state_dict(self) -> dict[str, Any]:
        """The average, its count, and the last epoch taken in."""
        return {**super().state_dict(), "last": self._last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self._last = state["last"]

    def _end_epoch(self, state: State) -> None:
        epoch = state[EPOCH]
        due = epoch >= self.start and (epoch - self.start) % self.every == 0
        if due and epoch > self._last and state[POSITION] == 0:
            self.gather(state[MODEL])
            self._last = epoch


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, sharing the model's memory."""
    return {name: value.detach() for name, value in (*model.named_parameters(), *model.named_buffers())}


def _copy(weights: Mapping[str, Tensor], model: nn.Module) -> None:
    with torch.no_grad():
        own = _weights(model)
        for name, value in weights.items():
            own[name].copy_(value)
