"""The engine of one machine: processes that share its cores without fighting over them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from unbraid.errors import require_at_least
from unbraid.study.engine import Engine, Lost
from unbraid.study.work import Outcome, Task, work

__all__ = ["Local"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
NEEDED = ["torch", "torch._dynamo", "unbraid.runs.evaluate", "unbraid.runs.train", "unbraid.study.work"]
"""What every cell needs; torch loads its compiler as soon as there is an optimiser, and that takes as long as torch."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    cores: frozenset[int]
    task: Task | None = None


class Local(Engine):
    """Worker processes, each on cores of its own and with as many threads, so that they never wait for one another.

    A worker is started when it is first needed and serves one cell after the other. One that dies is replaced. On Linux
    all are forked from one process that has loaded torch and nothing else, so that many start in the time of one and
    share its memory. They end when this process does, however it ends.

    Args:
        jobs: How many; by default as many as there are cores for. More share them.
        threads: Cores that a cell takes, at least 1. Results depend on it in the last digits, and on nothing else here.
    """

    def __init__(self, jobs: int | None = None, threads: int = 1) -> None:
        require_at_least(1, threads=threads)
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [*range(os.cpu_count() or 1)]
        jobs = max(1, len(cores) // threads) if jobs is None else jobs
        require_at_least(1, jobs=jobs)
        # Elsewhere what a fork takes along of the system's own libraries is not safe to use.
        forks = sys.platform == "linux"
        self._context = multiprocessing.get_context("forkserver") if forks else multiprocessing.get_context("spawn")
        self._context.set_forkserver_preload(NEEDED)
        self._threads = threads
        places = [frozenset(cores[(i * threads + k) % len(cores)] for k in range(threads)) for i in range(jobs)]
        self._places, self._workers = places, list[_Worker]()

    def free(self) -> int:
        """How many more cells it can begin now."""
        return len(self._places) - sum(worker.task is not None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Begin a cell, in a worker that waits or in a new one."""
        idle = next((worker for worker in self._workers if worker.task is None), None) or self._start()
        idle.task = task
        with contextlib.suppress(OSError):  # it died while it waited: `wait` finds out
            idle.pipe.send(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        """What has ended, waiting for it at most so long."""
        busy = {worker.pipe: worker for worker in self._workers if worker.task is not None}
        if not busy:
            time.sleep(seconds)
            return []
        ended: list[tuple[Task, Outcome | Lost]] = []
        for ready in wait(list(busy), seconds):
            worker = busy[ready]  # type: ignore[index]
            task, worker.task = worker.task, None
            assert task is not None  # it was busy
            try:
                ended.append((task, worker.pipe.recv()))
            except (EOFError, OSError):
                worker.process.join()
                self._workers.remove(worker)
                ended.append((task, Lost(_death(worker.process.exitcode))))
        return ended

    def close(self, *, grace: float = 30.0) -> None:
        """Stop: workers are asked to write a checkpoint and leave, and after ``grace`` seconds are made to."""
        for worker in self._workers:
            worker.process.terminate()
        until = time.monotonic() + grace
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _start(self) -> _Worker:
        taken = [worker.cores for worker in self._workers]
        cores = next(place for place in self._places if taken.count(place) < self._places.count(place))
        ours, theirs = self._context.Pipe()
        before = {name: os.environ.get(name) for name in THREADS}
        # Read by the libraries as they are loaded, which is before any code of ours runs there.
        os.environ.update(dict.fromkeys(THREADS, str(self._threads)))
        given = (theirs, cores, self._threads, dict(os.environ))
        process = self._context.Process(target=_serve, args=given, daemon=True)
        try:
            process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
        theirs.close()
        self._workers.append(_Worker(process, ours, cores))
        return self._workers[-1]


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ": perhaps there was too little memory" if name == "SIGKILL" else ""
        return f"its worker was ended by {name}{hint}"
    return f"its worker ended with exit code {code}"


def _serve(pipe: Connection, cores: frozenset[int], threads: int, around: dict[str, str]) -> None:
    """What a worker does: one cell after the other, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides what it means
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    # What it was forked from may have begun in another environment, and with other threads.
    os.environ.clear()
    os.environ.update(around)
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    threadpool_limits(threads)
    torch.set_num_threads(threads)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            outcome: Outcome | Lost = work(task)
        except (OSError, MemoryError) as error:
            outcome = Lost(f"{type(error).__name__}: {error}")
        except KeyboardInterrupt:
            return
        pipe.send(outcome)


def _leave_with_parent() -> None:
    """End this process when the one that asked for it is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # it is a worker
    parent.join()
    os._exit(1)
