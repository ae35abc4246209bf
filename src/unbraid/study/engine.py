"""What computes the cells of a study: several workers at once, of which any may die at any moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from unbraid.study.work import Outcome, Task

__all__ = ["Engine", "Lost"]


@dataclass(frozen=True)
class Lost:
    """A worker, or what it worked with, is gone; nothing is said against the cell.

    Args:
        reason: What is known of it.
    """

    reason: str


class Engine(ABC):
    """Workers that are given cells and hand back what came of them."""

    @abstractmethod
    def free(self) -> int:
        """How many more cells it can begin now."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Begin a cell."""

    @abstractmethod
    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        """What has ended, waiting for it at most so long."""

    @abstractmethod
    def close(self, *, grace: float = 30.0) -> None:
        """Stop: workers are asked to write a checkpoint and leave, and after ``grace`` seconds are made to."""
