"""The runs that can be looked at: those that were named, and those of studies, opened when somebody asks for one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating
from unbraid.runs.run import Run
from unbraid.translation import TranslatingModel

if TYPE_CHECKING:
    from unbraid.explore.studied import Studied

__all__ = ["Gallery", "Shown", "read"]

Shown: TypeAlias = Subject | Translating
OPEN = 16
"""Runs of studies that are kept in memory; the one that was not looked at for longest goes first."""


def read(run: Run, *, samples: int, title: str | None = None) -> Shown:
    """A run as the page shows it, by what its model does, ready to be looked at.

    Args:
        run: A finished run.
        samples: How many images are encoded for what is said of all of them.
        title: What it is called; its folder's name by default.

    Raises:
        RunError: When the run is not finished or cannot be read.
    """
    if isinstance(run.model, TranslatingModel):
        return Translating(run, title=title).warmed()
    return Subject(run, samples=samples, title=title).warmed()


class Gallery:
    """Runs by their number: those that were named come first, then the runs of one study after the other.

    Args:
        subjects: The runs that were named.
        studies: The studies.
        samples: How many images are encoded for a run of a study that is opened.
    """

    def __init__(self, subjects: Sequence[Shown], studies: Sequence[Studied] = (), *, samples: int = 2000) -> None:
        self.subjects, self.studies, self.samples = list(subjects), list(studies), samples
        self._places: list[tuple[Path, str]] = [
            place for study in studies for place in zip(study.paths, study.titles, strict=True)
        ]
        self._open: OrderedDict[int, Shown] = OrderedDict()
        self._lock, self._opening = threading.Lock(), threading.Lock()

    def __len__(self) -> int:
        return len(self.subjects) + len(self._places)

    def ready(self, number: int) -> Shown | None:
        """A run that is open, at once; None for one that would have to be read first."""
        if number < len(self.subjects):
            return self.subjects[number]
        with self._lock:
            if number in self._open:
                self._open.move_to_end(number)
            return self._open.get(number)

    def open(self, number: int) -> Shown:
        """A run, which may take seconds where it was not open; one is read at a time.

        Raises:
            RunError: When it cannot be read.
        """
        with self._opening:
            found = self.ready(number)
            if found is None:
                path, title = self._places[number - len(self.subjects)]
                found = read(Run(path), samples=self.samples, title=title)
                with self._lock:
                    self._open[number] = found
                    while len(self._open) > OPEN:
                        self._open.popitem(last=False)
        return found

    def shown(self) -> dict[int, Shown]:
        """The runs that are open, by number."""
        with self._lock:
            opened = dict(sorted(self._open.items()))
        return dict(enumerate(self.subjects)) | opened

    def firsts(self) -> list[int]:
        """The number of the first run of each study."""
        sizes = [len(self.subjects), *(len(study) for study in self.studies)]
        return [sum(sizes[: i + 1]) for i in range(len(self.studies))]
