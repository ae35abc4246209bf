"""One step of a trial: a window of batches, every player's turn, losses, gradients, metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.fit.callback import Callback, Hooks, sign
from unbraid.fit.data import count as samples_in
from unbraid.fit.metric import Metric, MetricLike, Terms, as_metric, called, joined, reduce
from unbraid.fit.player import Inputs, Loss, Optimisers, Player, criterion_loss, model_loss, players, unpacked
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import BATCH, COUNT, LOSS, PLAYER, STEP, TERMS, TRAINING, Y_PRED, Y_TRUE, Key, State, X

__all__ = ["OF_A_BATCH", "Engine"]

Sample: TypeAlias = dict[Key[Any], Any]
"""What the state knows of one batch."""
OF_A_BATCH = (BATCH, X, Y_TRUE, Y_PRED, COUNT, LOSS, TERMS, PLAYER, TRAINING)
"""What the state says of the batch of the moment."""
SHARE: Key[float] = Key("share")
"""What the loss counts for here, where several processes share the batch."""


class Engine:
    """What a trial does with a batch.

    Args:
        state: The trial's state.
        model: The model, on its device.
        optimizer: As for the trial.
        criterion: As for the trial.
        closure: As for the trial.
        metrics: As for the trial.
        runtime: Device, precision and layout.
        compile: As for the trial.
        inputs: As for the trial.
    """

    def __init__(
        self,
        state: State,
        model: nn.Module,
        optimizer: Optimisers,
        criterion: Callable[..., Any] | None,
        closure: Loss | None,
        metrics: Sequence[MetricLike] | None,
        runtime: Runtime,
        compile: bool | Mapping[str, Any] = False,
        inputs: Inputs | None = None,
    ) -> None:
        if compile is not False and closure is not None:
            raise InvalidOption(
                "a closure calls what it likes: compile that yourself, as in compiled = torch.compile(model), and "
                "leave compile=False"
            )
        self.compiler = partial(torch.compile, **({} if compile is True else compile)) if compile is not False else None
        # What is compiled lies beside the model, whose names and hooks stay as they are.
        self.forward: Callable[[Any], Any] = self.compiler(model) if self.compiler else model
        if inputs is not None and criterion is None:
            raise InvalidOption(
                "inputs say what a model is called with before a criterion: give a criterion, or leave inputs out and "
                "take what is needed in the closure or in the model's own loss"
            )
        self.call = None if inputs is None else unpacked(self.forward, inputs)
        self._source = _described(model, criterion, closure)
        self.state, self.model, self.criterion, self.closure, self.runtime = state, model, criterion, closure, runtime
        self.together = runtime.size > 1
        self.hooks = Hooks([])
        self.first: list[Metric] = []
        self.terms: Terms | None = None
        if metrics is not None:
            others = (one for one in metrics if not (isinstance(one, str) and one == "loss"))
            self.first = [as_metric(one) for one in ("loss", *others)]
            self.terms = Terms()
        self.metrics: list[Metric] = self.first if self.terms is None else [*self.first, self.terms]
        self.players: tuple[Player, ...] = players(model, optimizer, self._loss)
        for player in self.players:
            if player.needs_closure and runtime.scaler:
                raise InvalidOption(
                    f"{type(player.optimizer).__name__} evaluates the loss several times a step, which float16's "
                    "scaling of gradients does not allow: use bfloat16 or float32"
                )

    def listen(self, callbacks: Iterable[Callback]) -> None:
        """Take up the callbacks as they are now."""
        # A metric that listens comes before anything that may change what it hears.
        self.hooks = Hooks([*(one for one in self.metrics if isinstance(one, Callback)), *callbacks])

    def fire(self, name: str) -> None:
        """Call the callbacks at a hook."""
        if self.hooks.table[name]:
            self.hooks.fire(name, self.state)

    def step(self, window: list[Any]) -> None:
        """Let every player move once, by the mean gradient over the window's batches."""
        samples: list[Sample] = []
        for batch in window:
            self._take(batch, "on_sample")
            if len(window) > 1:
                samples.append({key: self.state[key] for key in (BATCH, X, Y_TRUE, COUNT)})
                if self.together:
                    samples[-1][SHARE] = self.state[SHARE]
        try:
            if self.together:
                with self.runtime.apart(self.state[STEP]):
                    self._turns(samples)
                self.runtime.level(self.model.buffers())
            else:
                self._turns(samples)
        except Exception as error:  # what has a place of its own is signed already
            sign(error, "the backward pass or the optimiser", self.state)
            raise

    def _turns(self, samples: list[Sample]) -> None:
        for player in self.players:
            if player.needs_closure:
                # The loss of a step is the one before it: what the optimiser tries on the way is not counted.
                tries = count(0)
                self.runtime.step(
                    player.optimizer,
                    lambda player=player, tries=tries: self._gradients(player, samples, next(tries) == 0),  # type: ignore[misc]
                )
            else:
                self._gradients(player, samples)
                self.runtime.step(player.optimizer)
            if len(self.players) > 1:
                player.optimizer.zero_grad()

    def look(self, batch: Any) -> None:
        """Compute every player's loss on a batch, and let nobody move."""
        self._take(batch, "on_sample_validation")
        for player in self.players:
            self._evaluate(player)
        self.fire("on_step_validation")

    def output(self, batch: Any) -> Any:
        """What the model gives for a batch; of a tuple or list the first part is the input."""
        state = self.state
        state[BATCH] = batch = self.runtime.place(batch)
        parts = batch if isinstance(batch, (tuple, list)) else (batch,)
        state[X], state[Y_TRUE] = parts[0], parts[1] if len(parts) == 2 else None
        state[COUNT] = samples_in(batch)
        self.fire("on_sample_validation")
        try:
            state[Y_PRED] = self.forward(state[X]) if self.call is None else self.call(state)
        except Exception as error:
            sign(error, f"the model {type(self.model).__name__}", state)
            raise
        self.fire("on_forward_validation")
        return state[Y_PRED]

    def values(self) -> dict[str, float]:
        """Every metric since the last reset; over all processes, after which it must be reset."""
        if self.together:
            reduce(self.metrics, self.runtime.gather)
        return joined(self.metrics, self.state)

    def reset(self) -> None:
        """Begin every metric anew."""
        for metric in self.metrics:
            metric.reset()

    def _gradients(self, player: Player, samples: list[Sample], counted: bool = True) -> Tensor:
        player.optimizer.zero_grad()
        # One player's loss may reach the parameters of another: no gradient is left there.
        inputs = player.parameters() if len(self.players) > 1 else None
        if not samples:  # a single batch, which is in the state already
            loss = self._evaluate(player, counted)
            if self.together:
                loss = loss * self.state[SHARE]
            self.runtime.backward(loss, inputs)
        else:
            losses = []
            for sample in samples:
                self.state.update(sample)
                part = self._evaluate(player, counted) / len(samples)
                if self.together:
                    part = part * self.state[SHARE]
                self.runtime.backward(part, inputs)
                losses.append(part.detach())
            loss = sum(losses)  # type: ignore[assignment]
        if self.together:
            self.runtime.average(player.parameters())
            if player.needs_closure:  # which decides by the loss, and must decide alike everywhere
                loss = self.runtime.mean(loss)
        self.runtime.unscale(player.optimizer)
        self.fire("on_backward")
        return loss

    def _take(self, batch: Any, hook: str) -> None:
        state = self.state
        if self.together:
            batch, state[SHARE] = self.runtime.share(batch)
        batch = self.runtime.place(batch)
        pair = self.criterion is not None and isinstance(batch, (tuple, list)) and len(batch) == 2
        state[BATCH] = batch
        state[X], state[Y_TRUE] = batch if pair else (batch, None)
        state[COUNT] = samples_in(batch)
        self.fire(hook)

    def _evaluate(self, player: Player, counted: bool = True) -> Tensor:
        state = self.state
        state[PLAYER] = player.name
        try:
            if self.runtime.casts:
                with self.runtime.autocast():
                    loss = player.loss(state)
            else:
                loss = player.loss(state)
        except Exception as error:
            sign(error, self._source, state)
            raise
        if isinstance(loss, Mapping):
            state[TERMS] = loss
            first, *others = loss.values()
            state[LOSS] = sum(others, start=first)
        else:
            state[TERMS], state[LOSS] = {}, loss
        self.fire("on_criterion" if state[TRAINING] else "on_criterion_validation")
        if counted and self.terms is not None and state[TERMS]:  # a callback may have added one
            self.terms.update(state)
        if counted and player is self.players[0]:
            for metric in self.first:
                try:
                    metric.update(state)
                except Exception as error:
                    sign(error, f"the metric {called(metric)!r}", state)
                    raise
        return state[LOSS]

    def _loss(self, player: str | None) -> Loss:
        if self.closure is not None:
            return self.closure
        if self.criterion is not None:
            return criterion_loss(self.forward, self.criterion, self._forwarded, self.call)
        loss: Any = self.model.loss
        return model_loss(self.compiler(loss) if self.compiler else loss, player)

    def _forwarded(self) -> None:
        self.fire("on_forward" if self.state[TRAINING] else "on_forward_validation")


def _described(model: nn.Module, criterion: Callable[..., Any] | None, closure: Loss | None) -> str:
    """Where a loss comes from, in words."""
    if closure is not None:
        return f"the closure {getattr(closure, '__name__', type(closure).__name__)}"
    if criterion is not None:
        name = getattr(criterion, "__name__", type(criterion).__name__)
        return f"the model {type(model).__name__} or the criterion {name}"
    return f"{type(model).__name__}.loss"
