"""One step of a trial: a window of batches, every player's turn, losses, gradients, metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from unbraid.fit.callback import Callback, Hooks
from unbraid.fit.data import count
from unbraid.fit.metric import Metric, Terms, named
from unbraid.fit.player import Loss, Optimisers, Player, criterion_loss, model_loss, players
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import BATCH, COUNT, LOSS, PLAYER, TERMS, TRAINING, Y_TRUE, State, X

__all__ = ["Engine"]


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
    """

    def __init__(
        self,
        state: State,
        model: nn.Module,
        optimizer: Optimisers,
        criterion: Callable[..., Any] | None,
        closure: Loss | None,
        metrics: Sequence[Metric | str],
        runtime: Runtime,
    ) -> None:
        self.state, self.model, self.criterion, self.closure, self.runtime = state, model, criterion, closure, runtime
        self.hooks = Hooks([])
        self.first: list[Metric] = [named("loss"), *(named(m) if isinstance(m, str) else m for m in metrics)]
        self.terms = Terms()
        self.metrics: list[Metric] = [*self.first, self.terms]
        self.players: tuple[Player, ...] = players(model, optimizer, self._loss)

    def listen(self, callbacks: Iterable[Callback]) -> None:
        """Take up the callbacks as they are now."""
        self.hooks = Hooks(callbacks)

    def fire(self, name: str) -> None:
        """Call the callbacks at a hook."""
        self.hooks.fire(name, self.state)

    def step(self, window: list[Any]) -> None:
        """Let every player move once, by the mean gradient over the window's batches."""
        if len(window) == 1:
            self._take(window[0])
            self.fire("on_sample")
        for player in self.players:
            if player.needs_closure:
                self.runtime.step(player.optimizer, lambda player=player: self._gradients(player, window))  # type: ignore[misc]
            else:
                self._gradients(player, window)
                self.runtime.step(player.optimizer)

    def look(self, batch: Any) -> None:
        """Compute every player's loss on a batch, and let nobody move."""
        self._take(batch)
        self.fire("on_sample_validation")
        for player in self.players:
            self._evaluate(player)
        self.fire("on_step_validation")

    def values(self) -> dict[str, float]:
        """Every metric since the last reset."""
        return {name: value for metric in self.metrics for name, value in metric.compute().items()}

    def reset(self) -> None:
        """Begin every metric anew."""
        for metric in self.metrics:
            metric.reset()

    def _gradients(self, player: Player, window: list[Any]) -> Tensor:
        player.optimizer.zero_grad()
        if len(window) == 1:
            loss = self._evaluate(player)
            self.runtime.backward(loss)
        else:
            losses = []
            for batch in window:
                self._take(batch)
                self.fire("on_sample")
                part = self._evaluate(player) / len(window)
                self.runtime.backward(part)
                losses.append(part.detach())
            loss = sum(losses)  # type: ignore[assignment]
        self.runtime.unscale(player.optimizer)
        self.fire("on_backward")
        return loss

    def _take(self, batch: Any) -> None:
        state = self.state
        batch = self.runtime.place(batch)
        pair = self.criterion is not None and isinstance(batch, (tuple, list)) and len(batch) == 2
        state[BATCH] = batch
        state[X], state[Y_TRUE] = batch if pair else (batch, None)
        state[COUNT] = count(batch)

    def _evaluate(self, player: Player) -> Tensor:
        state = self.state
        state[PLAYER] = player.name
        if self.runtime.casts:
            with self.runtime.autocast():
                loss = player.loss(state)
        else:
            loss = player.loss(state)
        if isinstance(loss, Mapping):
            state[TERMS] = loss
            self.terms.update(state)
            first, *others = loss.values()
            state[LOSS] = sum(others, start=first)
        else:
            state[LOSS] = loss
        self.fire("on_criterion" if state[TRAINING] else "on_criterion_validation")
        if player is self.players[0]:
            for metric in self.first:
                metric.update(state)
        return state[LOSS]

    def _loss(self, player: str | None) -> Loss:
        if self.closure is not None:
            return self.closure
        if self.criterion is not None:
            return criterion_loss(self.model, self.criterion, self._forwarded)
        return model_loss(self.model.loss, player)  # type: ignore[arg-type]

    def _forwarded(self) -> None:
        self.fire("on_forward" if self.state[TRAINING] else "on_forward_validation")
