"""What the benchmarks share: CPU time, which other work on the machine disturbs least, and turns of like length."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

__all__ = ["cpu_seconds", "turns"]


def cpu_seconds(job: Callable[[], object]) -> float:
    """What a job costs on all threads of this process together."""
    start = time.process_time()
    job()
    return time.process_time() - start


def turns(
    jobs: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    seconds: float | None = None,
    least: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """What it takes to do each job once, in seconds, in so many turns; those of one round have the same place.

    A turn is one time or many, whose mean counts, so that turns last about as long for all: what is over at once would
    else pay for what ran before it. Of two more turns, which do not count, the first prepares tables and memory, and
    the second tells how many times make a turn.

    Args:
        jobs: What is timed, by its name; the jobs take turns, so that a busy machine slows all alike.
        rounds: How many turns each has.
        seconds: About how long a turn lasts; by default as long as the slowest job takes for one time.
        least: How many times a job is done in a turn at least.
        clock: Of seconds: by default the CPU time of all threads; ``time.perf_counter`` for what waits.
    """
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    times = dict.fromkeys(jobs, least)
    for turn in range(-2, rounds):
        mean = {}
        for name, job in jobs.items():
            start = clock()
            for _ in range(times[name]):
                job()
            mean[name] = (clock() - start) / times[name]
            if turn >= 0:
                spent[name].append(mean[name])
        if turn < 0:
            length = max(mean.values()) if seconds is None else seconds
            times = {name: max(least, round(length / cost)) for name, cost in mean.items()}
    return spent
