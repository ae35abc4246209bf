"""What the benchmarks share: CPU time, which other work on the machine disturbs least."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["cpu_seconds"]


def cpu_seconds(job: Callable[[], object]) -> float:
    """What a job costs on all threads of this process together."""
    start = time.process_time()
    job()
    return time.process_time() - start
