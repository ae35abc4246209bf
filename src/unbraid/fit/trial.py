"""The trial: it fits anything differentiable to anything iterable, and everything else is a callback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callback import Callback, by_name, sign
from unbraid.fit.callbacks._shared import looking
from unbraid.fit.data import Cursor, Source, finite, source
from unbraid.fit.engine import OF_A_BATCH, Engine
from unbraid.fit.interrupt import Interruption, interruptible
from unbraid.fit.memory import memory_kept
from unbraid.fit.metric import MetricLike
from unbraid.fit.player import Inputs, Loss, Optimisers
from unbraid.fit.replay import replay
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import (
    CRITERION,
    DEVICE,
    EPOCH,
    EPOCH_LENGTH,
    EPOCHS,
    HISTORY,
    METRICS,
    MODEL,
    OPTIMIZERS,
    PLAYER,
    POSITION,
    STEP,
    STEPS,
    STOP,
    TERMS,
    TRAINING,
    State,
)

__all__ = ["Trial"]

RECORD_EVERY = 100
"""Steps between two rows of the history where the data has no epochs."""


class Trial:
    """Fits a model, by a criterion, by the model's own ``loss(batch, step)``, or by any closure.

    Args:
        model: Any module. With neither criterion nor closure it must have ``loss(batch, step)``, which gives a scalar
            or named terms; if its ``players()`` names several players, ``loss(batch, step, player)``.
        optimizer: An optimiser, one by player name, or a function from parameters to one; Adam at 1e-3 by default.
        criterion: A function of ``(y_pred, y_true)`` or of the state; batches are then ``(x, y_true)`` or ``x``.
        closure: A function of the state that gives the loss; it replaces model call and criterion.
        metrics: Metrics, their short-hands (``"acc"``, ``"mse"``), keys or functions of the state, or metrics of
            ``torchmetrics``; ``"loss"`` and the terms are there besides. None gathers nothing at all, for small models
            where every microsecond counts.
        callbacks: What happens at the hooks, in order.
        runtime: Device, precision and layout.
        accumulate: Batches whose gradients are averaged into one step, at least 1.
        compile: Whether the model's forward, or its own ``loss``, runs through ``torch.compile``; or the options of
            that, such as ``{"mode": "max-autotune"}``. The names in ``state_dict`` stay as they are.
        inputs: What a criterion's model is called with, where that is not ``x`` alone: keyword argument to key, or to
            function of the state, as in ``{"x": X, "mask": lambda state: state[BATCH]["mask"]}``.

    >>> from unbraid.fit import Tensors
    >>> x = torch.linspace(-1, 1, 64)[:, None]
    >>> trial = Trial(nn.Linear(1, 1), lambda p: torch.optim.SGD(p, lr=0.5), nn.functional.mse_loss)
    >>> history = trial.fit(Tensors(x, 3 * x + 1), epochs=50)
    >>> round(history[-1]["loss"], 6)
    0.0
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimisers = None,
        criterion: Callable[..., Any] | None = None,
        *,
        closure: Loss | None = None,
        metrics: Sequence[MetricLike] | None = (),
        callbacks: Iterable[Callback] = (),
        runtime: Runtime | None = None,
        accumulate: int = 1,
        compile: bool | Mapping[str, Any] = False,
        inputs: Inputs | None = None,
    ) -> None:
        require_at_least(1, accumulate=accumulate)
        if criterion is None and closure is None and not callable(getattr(model, "loss", None)):
            raise InvalidOption(f"{type(model).__name__} has no loss(batch, step): give a criterion or a closure")
        self.runtime = (runtime or Runtime()).anew()
        self.model, self.accumulate, self.callbacks = self.runtime.prepare(model), accumulate, list(callbacks)
        self.state = State({MODEL: self.model, CRITERION: criterion, DEVICE: self.runtime.device})
        self.state.update({HISTORY: [], METRICS: {}})
        self.state.update({STEP: 0, EPOCH: 0, POSITION: 0, TERMS: {}, STOP: False, TRAINING: True})
        self.engine = Engine(
            self.state, self.model, optimizer, criterion, closure, metrics, self.runtime, compile, inputs
        )
        self.state[OPTIMIZERS] = {player.name: player.optimizer for player in self.engine.players}
        self.state[PLAYER] = self.engine.players[0].name
        self._cursor = Cursor()
        self._recorded = 0
        self._fitting = False

    def fit(
        self,
        data: Any = None,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        epoch_length: int | None = None,
        validation: Any = None,
        validation_steps: int | None = None,
        record_every: int | None = None,
    ) -> list[dict[str, float]]:
        """Fit until ``steps`` steps or ``epochs`` epochs are done in total; a resumed trial does what is left.

        Args:
            data: Batches, as :func:`unbraid.fit.source` understands them; None fits without data.
            steps: Optimisation steps in total, at least 1.
            epochs: Passes over the data in total, at least 1.
            epoch_length: Batches in an epoch, for data that never ends.
            validation: Data to evaluate on after every epoch.
            validation_steps: How many batches of it at most; needed where it never ends.
            record_every: Steps between two rows of the history; by default one row an epoch, or every 100 steps where
                the data has no epochs.

        Returns:
            The history: one row a record, with step, epoch and every metric.

        Raises:
            InvalidOption: When it is not said how long to fit.
            InvalidData: When the data has no batch, or cannot be passed over as often as needed.
            KeyboardInterrupt: After an interruption, once ``on_checkpoint`` has been called.
        """
        given = {"steps": steps, "epochs": epochs, "epoch_length": epoch_length, "record_every": record_every}
        require_at_least(1, **{name: value for name, value in given.items() if value is not None})
        if validation is not None:
            finite(validation, validation_steps, "validation_steps")
        batches, state, engine = source(data), self.state, self.engine
        if (steps is None) == (epochs is None):
            raise InvalidOption("say how long to fit: either steps or epochs")
        endless = batches.endless and epoch_length is None
        if endless and epochs is not None:
            raise InvalidOption("this data never ends: give steps, or epochs with an epoch_length")
        every = record_every or (RECORD_EVERY if endless else None)
        lengths = [length for length in (epoch_length, batches.length) if length is not None]
        state.update({STEPS: steps, EPOCHS: epochs, EPOCH_LENGTH: min(lengths, default=None), STOP: False})
        engine.listen(self.callbacks)
        for callback in self.callbacks:
            callback.bind(self)
        self.runtime.begin()
        self.model.train()
        with interruptible() as interruption, memory_kept():
            try:
                self._fitting = True
                engine.fire("on_start")
                # A trial that was saved after the last step may still owe the end of the epoch.
                while not self._done() or self._epoch_complete():
                    if state[POSITION] == 0:
                        self._cursor.begin_epoch()
                        engine.fire("on_start_epoch")
                    for window in self._cursor.windows(
                        batches, state[EPOCH], state[POSITION], self.accumulate, epoch_length, self._sign
                    ):
                        engine.step(window)
                        state[STEP] += 1
                        state[POSITION] += len(window)
                        if every and state[STEP] % every == 0:
                            self._record()
                        engine.fire("on_step")
                        if self._interrupted(interruption):
                            engine.fire("on_checkpoint")
                            raise KeyboardInterrupt
                        if self._done() and not self._epoch_complete():
                            break
                    else:
                        self._end_epoch(validation, validation_steps, per_epoch=every is None)
                        (state[STOP],) = self.runtime.agree(state[STOP])
                if state[STEP] > self._recorded:
                    self._record()
                if self._interrupted(interruption):
                    engine.fire("on_checkpoint")
                    raise KeyboardInterrupt
            except BaseException:
                engine.fire("on_exception")
                raise
            finally:
                self._fitting = False
                engine.hooks.end(state)
        return state[HISTORY]

    def evaluate(self, data: Any, *, steps: int | None = None) -> dict[str, float]:
        """The metrics over some data; whether a trial evaluates has no influence on how its fit goes on.

        Args:
            data: Batches, as for :meth:`fit`, but never shuffled here.
            steps: How many batches at most; needed where the data never ends.
        """
        batches, state, engine = finite(data, steps), self.state, self.engine
        kept = [metric.state_dict() for metric in engine.metrics]
        engine.reset()
        try:
            with self._looking():
                engine.fire("on_start_validation")
                with self._averaged():
                    for batch in self._drawn(batches, steps):
                        engine.look(batch)
                    state[METRICS] = values = engine.values()
                    engine.fire("on_end_validation")
        finally:
            engine.reset()
            for metric, saved in zip(engine.metrics, kept, strict=True):
                metric.load_state_dict(saved)
        return values

    def predict(self, data: Any, *, steps: int | None = None) -> Any:
        """The model's outputs over some data, in its order, joined along the batch where they are tensors.

        Callbacks hear ``on_sample_validation`` and ``on_forward_validation``, and may replace ``X`` and ``Y_PRED``;
        an average of the weights (``EMA``, ``SWA``) predicts in their place.

        Args:
            data: Batches, as for :meth:`fit`, but never shuffled here; of a tuple or list the first part is the input.
            steps: How many batches at most; needed where the data never ends.
        """
        batches = finite(data, steps)
        with self._looking(), self._averaged(), self.runtime.autocast():
            outputs = [self.engine.output(batch) for batch in self._drawn(batches, steps)]
        return torch.cat(outputs) if outputs and all(isinstance(out, Tensor) for out in outputs) else outputs

    def replay(
        self, callbacks: Iterable[Callback], history: str | Path | Iterable[Mapping[str, float]] | None = None
    ) -> list[dict[str, float]]:
        """Show callbacks the history as if the trial ran again, with nothing computed: to draw or log after the fact.

        The trial stays as it is; see :func:`unbraid.fit.replay` for what they hear.

        Args:
            callbacks: Which; those that need batches, weights or optimisers are refused.
            history: Another history: its rows, or the file that the callback ``History`` wrote.
        """
        return replay(self.state[HISTORY] if history is None else history, callbacks)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the trial depends on, in types that a safe loader accepts.

        Several processes must ask for it together.
        """
        state = self.state
        metrics = self.runtime.gather([metric.state_dict() for metric in self.engine.metrics])
        whole = self.runtime.whole
        return {
            "format": 1,
            "model": self.model.state_dict(),
            "optimizers": {player.name: whole(player.optimizer.state_dict()) for player in self.engine.players},
            "step": state[STEP],
            "epoch": state[EPOCH],
            "position": state[POSITION],
            "recorded": self._recorded,
            "history": [dict(row) for row in state[HISTORY]],
            "metrics": metrics[0],
            "metrics_elsewhere": metrics[1:],
            "callbacks": {name: whole(callback.state_dict()) for name, callback in by_name(self.callbacks)},
            "runtime": self.runtime.state_dict(),
            "random": self._cursor.random_state(),
            "epoch_random": self._cursor.epoch_random,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave; the next :meth:`fit` goes on from there, bit for bit.

        Raises:
            InvalidData: When it comes from a trial with another model, other players or other metrics.
        """
        names, metrics = [player.name for player in self.engine.players], self.engine.metrics
        if names != list(saved["optimizers"]) or len(metrics) != len(saved["metrics"]):
            raise InvalidData(
                f"this trial has players {names} and {len(metrics)} metrics, but what was saved has "
                f"{list(saved['optimizers'])} and {len(saved['metrics'])}: make the trial as it was"
            )
        named, pieces = dict(self.model.named_parameters()), self.runtime.pieces
        try:
            self.model.load_state_dict(saved["model"])
            for player in self.engine.players:
                groups = player.optimizer.param_groups
                order = dict(enumerate(p for group in groups for p in group["params"]))
                player.optimizer.load_state_dict(pieces(saved["optimizers"][player.name], order))
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InvalidData(f"what was saved does not fit the model or its optimisers ({reason})") from error
        self._load_metrics([saved["metrics"], *saved.get("metrics_elsewhere", [])])
        for name, callback in by_name(self.callbacks):
            if name in saved["callbacks"]:
                callback.load_state_dict(pieces(saved["callbacks"][name], named))
        self.runtime.load_state_dict(saved["runtime"])
        self.state.update({STEP: saved["step"], EPOCH: saved["epoch"], POSITION: saved["position"]})
        self.state[HISTORY] = [dict(row) for row in saved["history"]]
        self._recorded = saved["recorded"]
        self._cursor = Cursor(saved["epoch_random"], saved["random"])

    def _load_metrics(self, everywhere: Sequence[Any]) -> None:
        runtime = self.runtime
        for i, metric in enumerate(self.engine.metrics):
            if len(everywhere) == runtime.size:
                metric.load_state_dict(runtime.place(everywhere[runtime.rank][i]))
            elif runtime.is_main:  # another number of processes: what all have seen so far is counted once
                metric.load_state_dict(runtime.place(metric.merge([states[i] for states in everywhere])))
            else:
                metric.reset()

    def __repr__(self) -> str:
        optimisers = ", ".join(f"{player.name}: {type(player.optimizer).__name__}" for player in self.engine.players)
        names = ", ".join(type(callback).__name__ for callback in self.callbacks) or "none"
        name, device, step = type(self.model).__name__, self.runtime.device, self.state[STEP]
        return f"Trial({name} on {device}; {optimisers}; callbacks: {names}; step {step})"

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """A context in which nothing is fitted, and after which nothing shows that it was entered."""
        state, engine = self.state, self.engine
        kept = {key: state[key] for key in OF_A_BATCH if key in state}
        state[TRAINING] = False
        engine.listen(self.callbacks)
        try:
            with looking(self.model), torch.no_grad(), memory_kept():
                yield
        except BaseException:
            if kept[TRAINING] and not self._fitting:  # else what it is part of does it
                engine.fire("on_exception")
            raise
        finally:
            state.update(kept)

    def _averaged(self) -> ExitStack:
        """A context in which the model has the weights that callbacks lend it."""
        with ExitStack() as entered:
            for callback in self.callbacks:
                entered.enter_context(callback.evaluating(self.state))
            return entered.pop_all()

    def _drawn(self, batches: Source, steps: int | None) -> Iterator[Any]:
        """The batches to look at; an error in the data says so."""
        try:
            yield from islice(batches.batches(0, 0), steps)
        except Exception as error:
            self._sign(error)
            raise

    def _sign(self, error: Exception) -> None:
        sign(error, "the data", self.state)

    def _done(self) -> bool:
        state = self.state
        steps, epochs = state[STEPS], state[EPOCHS]
        return (
            state[STOP]
            or (steps is not None and state[STEP] >= steps)
            or (epochs is not None and state[EPOCH] >= epochs)
        )

    def _interrupted(self, interruption: Interruption) -> bool:
        """Whether to break off here; several processes agree on it, and on ``STOP``."""
        if self.runtime.size == 1:
            return interruption.requested
        asked, self.state[STOP] = self.runtime.agree(interruption.requested, self.state[STOP])
        return asked

    def _epoch_complete(self) -> bool:
        return 0 < self.state[POSITION] == self.state[EPOCH_LENGTH]

    def _end_epoch(self, validation: Any, steps: int | None, *, per_epoch: bool) -> None:
        state = self.state
        if state[POSITION] == 0:
            raise InvalidData("the data gave no batch: give at least one, and not an iterator that is used up")
        state[EPOCH] += 1
        state[POSITION] = 0
        extra = {} if validation is None else self.evaluate(validation, steps=steps)
        if per_epoch or extra:
            self._record({f"validation_{name}": value for name, value in extra.items()})
        self.engine.fire("on_end_epoch")

    def _record(self, extra: Mapping[str, float] | None = None) -> None:
        state = self.state
        values: dict[str, float] = {**self.engine.values(), **(extra or {})}
        state[METRICS] = values
        state[HISTORY].append({"step": state[STEP], "epoch": state[EPOCH], **values})
        self._recorded = state[STEP]
        self.engine.reset()
        self.engine.fire("on_record")
