"""Weights & Biases and MLflow: the history, or steps, to a tracking service, continued after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unbraid.fit.callbacks._shared import extra
from unbraid.fit.callbacks.log import Log, Row
from unbraid.fit.state import Key, State

__all__ = ["MLflow", "WandB"]


class WandB(Log):
    """Logs to Weights & Biases; a resumed trial goes on in the same run.

    Rows are drawn over the column ``step``, so that those a resumed trial repeats are not refused.

    Args:
        project: Where the run belongs.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        parameters: Hyper-parameters.
        options: Anything else that ``wandb.init`` takes (``name=``, ``mode="offline"``).

    Raises:
        MissingExtra: When wandb is not installed.
    """

    def __init__(
        self,
        project: str,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(steps=steps, values=values)
        self._wandb = extra("wandb", "the WandB callback", "wandb")
        self.project, self.parameters, self.options = project, dict(parameters or {}), options
        self.run: Any = None
        self.run_id: str | None = None
        self._failed = False

    def begin(self, state: State) -> None:
        """Begin the run, or go on with it."""
        known = {"id": self.run_id, "resume": "allow"} if self.run_id else {}
        self.run = self._wandb.init(project=self.project, config=self.parameters, **{**self.options, **known})
        self.run_id, self._failed = self.run.id, False
        self.run.define_metric("step")
        self.run.define_metric("*", step_metric="step")

    def write(self, rows: Sequence[Row]) -> None:
        """Log rows."""
        for row in rows:
            self.run.log(dict(row))

    def on_exception(self, state: State) -> None:
        """Remember that this was no success."""
        self._failed = True

    def finish(self) -> None:
        """End the run."""
        self.run.finish(exit_code=int(self._failed))

    def state_dict(self) -> dict[str, Any]:
        """Which run it is."""
        super().state_dict()
        return {"run_id": self.run_id}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.run_id = state["run_id"]


class MLflow(Log):
    """Logs to MLflow; a resumed trial goes on in the same run.

    Args:
        experiment: Where the run belongs, or None for the default.
        steps: As for :class:`Log`.
        values: As for :class:`Log`.
        parameters: Hyper-parameters.
        uri: Where the tracking server or folder is, or None for the default.
        name: What the run is called.

    Raises:
        MissingExtra: When mlflow is not installed.
    """

    def __init__(
        self,
        experiment: str | None = None,
        *,
        steps: int | None = None,
        values: Mapping[str, Key[Any] | Callable[[State], Any]] | None = None,
        parameters: Mapping[str, Any] | None = None,
        uri: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(steps=steps, values=values)
        self._mlflow = extra("mlflow", "the MLflow callback", "mlflow")
        self.experiment, self.parameters, self.uri, self.name = experiment, dict(parameters or {}), uri, name
        self.run_id: str | None = None
        self._failed = False

    def begin(self, state: State) -> None:
        """Begin the run, or go on with it."""
        mlflow, fresh = self._mlflow, self.run_id is None
        if self.uri is not None:
            mlflow.set_tracking_uri(self.uri)
        if self.experiment is not None:
            mlflow.set_experiment(self.experiment)
        run = mlflow.start_run(run_name=self.name) if fresh else mlflow.start_run(run_id=self.run_id)
        self.run_id, self._failed = run.info.run_id, False
        if fresh and self.parameters:
            mlflow.log_params(self.parameters)

    def write(self, rows: Sequence[Row]) -> None:
        """Log rows."""
        for row in rows:
            numbers = {name: float(value) for name, value in row.items() if name != "step"}
            self._mlflow.log_metrics(numbers, step=int(row["step"]))

    def on_exception(self, state: State) -> None:
        """Remember that this was no success."""
        self._failed = True

    def finish(self) -> None:
        """End the run."""
        self._mlflow.end_run("FAILED" if self._failed else "FINISHED")

    def state_dict(self) -> dict[str, Any]:
        """Which run it is."""
        super().state_dict()
        return {"run_id": self.run_id}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.run_id = state["run_id"]
