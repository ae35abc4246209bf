"""One thread that computes for everybody: what waits together is decoded together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from unbraid.types import Bytes, Floats

__all__ = ["Decoding"]

AT_ONCE = 64
"""Rows that are decoded together, however many wait; more would keep the next slider waiting."""

Key = TypeVar("Key")


class _Job(NamedTuple, Generic[Key]):
    key: Key
    codes: Floats
    images: Future[Bytes]


class Decoding(Generic[Key]):
    """Decodes codes for many people at once, in the order in which they asked.

    A decoder computes a batch of 30 in little more time than a batch of 1, so that what waits for the same model is put
    together. One thread does it all: models are not made to be called by several, and torch with one thread answers a
    single image soonest.

    Args:
        decode: From a key (which model) and codes ``(B, D)`` to images ``(B, C, H, W)``.

    >>> with Decoding(lambda key, codes: np.full((len(codes), 1, 1, 1), key, dtype=np.uint8)) as decoding:
    ...     decoding.submit(7, np.zeros((2, 3))).result().shape
    (2, 1, 1, 1)
    """

    def __init__(self, decode: Callable[[Key, Floats], Bytes]) -> None:
        self._decode = decode
        self._jobs: deque[_Job[Key]] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="decoding", daemon=True)
        self._thread.start()

    def submit(self, key: Key, codes: Floats) -> Future[Bytes]:
        """Ask for the images of codes ``(B, D)``; the future holds them, or what went wrong."""
        job = _Job(key, codes, Future[Bytes]())
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()
        return job.images

    def close(self) -> None:
        """Answer what was asked so far, and end the thread."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> Decoding[Key]:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def _work(self) -> None:
        while jobs := self._next():
            # Whoever has gone away in the meantime is not computed for.
            wanted = [job for job in jobs if job.images.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _next(self) -> list[_Job[Key]]:
        """The oldest job with the others of its model that fit beside it; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or not self._open)
            taken: list[_Job[Key]] = []
            left: deque[_Job[Key]] = deque()
            rows = 0
            for job in self._jobs:
                fits = not taken or (job.key == taken[0].key and rows + len(job.codes) <= AT_ONCE)
                (taken if fits else left).append(job)
                rows += len(job.codes) if fits else 0
            self._jobs = left
            return taken

    def _answer(self, jobs: list[_Job[Key]]) -> None:
        try:
            images = self._decode(jobs[0].key, np.concatenate([job.codes for job in jobs]))
        except BaseException as error:  # it is theirs who asked; the thread must live on
            for job in jobs:
                job.images.set_exception(error)
            return
        ends = np.cumsum([len(job.codes) for job in jobs])
        for job, part in zip(jobs, np.split(images, ends[:-1]), strict=True):
            job.images.set_result(part)
