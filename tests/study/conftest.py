"""Studies of cells that take a moment each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unbraid.study.engine import Engine, Lost
from unbraid.study.spec import Spec, parse
from unbraid.study.work import Outcome, Task, work

SMALL = """
name: small
worlds: [digits]
models:
  - vae: {latent_dim: 2, network: patches}
  - betavae: {latent_dim: 2, network: patches, beta: [1, 4]}
seeds: 2
steps: 4
fit: {batch_size: 4}
scores: [mig]
samples: 200
"""


@pytest.fixture
def spec() -> Spec:
    return parse(SMALL, "small.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return path


class Here(Engine):
    """One worker, this process; may be made to lose cells."""

    def __init__(self, losses: int = 0) -> None:
        self.losses, self.tasks, self.begun = losses, list[Task](), 0

    def free(self) -> int:
        return 1 - len(self.tasks)

    def submit(self, task: Task) -> None:
        self.begun += 1
        self.tasks.append(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        ended: list[tuple[Task, Outcome | Lost]] = []
        while self.tasks:
            task = self.tasks.pop()
            if self.losses:
                self.losses -= 1
                ended.append((task, Lost("a node is gone")))
            else:
                try:
                    ended.append((task, work(task)))
                except OSError as error:
                    ended.append((task, Lost(str(error))))
        return ended

    def close(self, *, grace: float = 30.0) -> None:
        self.tasks.clear()


@pytest.fixture
def here() -> Callable[..., Engine]:
    """An engine of this process: ``here(losses=2)``."""
    return Here


@pytest.fixture
def children() -> Callable[[int, bytes], list[int]]:
    """Finds the child processes of one, and theirs, by its number and by what is part of their command line."""

    def found(parent: int, called: bytes) -> list[int]:
        there = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status = (entry / "stat").read_text().rpartition(")")[2].split()
                    line = (entry / "cmdline").read_bytes()
                except OSError:  # it has just left
                    continue
                if int(status[1]) == parent and called in line:
                    there.append(int(entry.name))
        return there + [below for child in there for below in found(child, called)]

    return found
