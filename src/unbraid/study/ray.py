"""The engine of a cluster: Ray tasks on an existing cluster, or on one that is started here."""

from __future__ import annotations

import os
import time
from typing import Any

from unbraid.errors import MissingExtra, RunError, require_at_least
from unbraid.study.engine import Engine, Lost
from unbraid.study.work import Outcome, Task, work

__all__ = ["Cluster"]


class Cluster(Engine):
    """Ray tasks, one a cell, each on one core; the nodes must see the place where the study is kept.

    Ray is told not to try again by itself: what is lost comes back here, so that attempts are counted and spaced in one
    place, whatever the engine.

    Args:
        address: Of a cluster (``"auto"`` for the one this machine belongs to); None starts one here.
        jobs: How many cells at once, at most; None for as many as the cluster has cores.
        threads: Cores that a cell takes, at least 1.

    Raises:
        MissingExtra: When Ray is not installed.
        RunError: When there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, jobs: int | None = None, threads: int = 1) -> None:
        require_at_least(1, jobs=jobs or 1, threads=threads)
        # Must be set before Ray is loaded; usage figures are nobody's business.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise MissingExtra("a study on ray", "ray") from None
        self._ray, self._busy = ray, dict[Any, Task]()
        self._ours = not ray.is_initialized()
        if self._ours:
            options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
            options |= {"include_dashboard": False} if address is None else {"address": address}
            try:
                ray.init(**options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                reason = str(error).partition("\n")[0]
                raise RunError(
                    f"there is no ray cluster at {address!r} ({reason}): start one, or leave it out"
                ) from None
        self._jobs, self._threads = jobs, threads
        self._function = ray.remote(num_cpus=threads, max_retries=0)(_served)

    def free(self) -> int:
        """How many more cells it can begin now; nodes may come and go."""
        room = int(self._ray.cluster_resources().get("CPU", 0)) // self._threads
        return max(0, min(room, self._jobs or room) - len(self._busy))

    def submit(self, task: Task) -> None:
        """Begin a cell on whatever node has room."""
        self._busy[self._function.remote(task, self._threads)] = task

    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        """What has ended, waiting for it at most so long."""
        if not self._busy:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=seconds)
        ended: list[tuple[Task, Outcome | Lost]] = []
        for reference in ready:
            task = self._busy.pop(reference)
            try:
                ended.append((task, self._ray.get(reference)))
            except self._ray.exceptions.RayError as error:  # its worker or its node is gone
                ended.append((task, Lost(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")))
        return ended

    def close(self, *, grace: float = 30.0) -> None:
        """Stop: tasks are interrupted, write a checkpoint and leave; a cluster that was started here ends."""
        for reference in self._busy:
            self._ray.cancel(reference)
        if self._busy:
            self._ray.wait(list(self._busy), num_returns=len(self._busy), timeout=grace)
        self._busy.clear()
        if self._ours:
            self._ray.shutdown()


def _served(task: Task, threads: int) -> Outcome | Lost:
    """What a node does; faults of the machine are said, not raised, so that Ray need not send an exception home."""
    import torch

    torch.set_num_threads(threads)
    try:
        return work(task)
    except (OSError, MemoryError) as error:
        return Lost(f"{type(error).__name__}: {error}")
