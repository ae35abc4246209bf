"""Schedules: functions of the step."""

from __future__ import annotations

__all__ = ["linear"]


def linear(step: int, start: float, end: float, steps: int) -> float:
    """From ``start`` at step 0 to ``end`` at step ``steps``, and ``end`` ever after; with 0 steps always ``end``.

    >>> [linear(step, 20.0, 1.0, 10) for step in (0, 5, 10, 11)]
    [20.0, 10.5, 1.0, 1.0]
    """
    return end if step >= steps else start + (end - start) * step / steps
