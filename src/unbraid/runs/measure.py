"""Scores on arrays, in this process or spread over several; nothing here needs torch.

Workers are started afresh, so that they share no lock with this process.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import unbraid.info
import unbraid.score
import unbraid.scores
from unbraid import registry
from unbraid.errors import UnbraidError
from unbraid.files.source import data_folder
from unbraid.info.representations import representation
from unbraid.info.shared import Kept, sharing
from unbraid.score import Pool, Score
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["BOUNDS", "Arrays", "Task", "measure", "needs", "run", "workers"]

TREES = ("dci", "downstream", "reduceddownstream")
"""The scores that take longest: the first fits the boosted trees by which the others too read factors."""

BOUNDS = ("random", "rotated", "perfect")
"""The codes beside which every score is shown: noise, pairs of factors turned by 45 degrees, one latent a factor."""

Represent = Callable[[Integers], Floats]


class Task(NamedTuple):
    """One score of one representation.

    Args:
        score: The score's name.
        of: ``"codes"`` for the codes at hand, or the name of a synthetic representation.
        seed: Of the score's randomness.
    """

    score: str
    of: str
    seed: int


Result: TypeAlias = tuple[Task, Score | Exception]

Done: TypeAlias = tuple[list[Result], Kept]
"""What was found, and what was computed on the way that others can use."""


class Arrays(NamedTuple):
    """What is measured: codes ``(N, D)``, factors ``(N, F)`` and their space."""

    codes: Floats
    factors: Integers
    space: FactorSpace


def needs(score: str) -> str:
    """What a score is given: ``"codes"``, ``"sampler"``, or something that one run does not have."""
    return str(registry.load("scores", score).declaration.needs)


def measure(
    task: Task, arrays: Arrays, represent: Represent | None = None, able: Mapping[str, Any] | None = None
) -> Score:
    """One score.

    Args:
        task: Which.
        arrays: Of what.
        represent: Codes of any factor values, for scores that intervene on the codes at hand.
        able: What else the model that made these codes can do, by its names in :class:`~unbraid.score.Sampler`.

    Returns:
        The score, its parts named after the factors.
    """
    codes, factors, space = arrays
    function = registry.load("scores", task.score)
    options: dict[str, Any] = {"seed": task.seed} if "seed" in registry.parameters(function) else {}
    if task.of != "codes":

        def represent(values: Integers) -> Floats:
            return representation(task.of, values, sizes=space.sizes, seed=task.seed)

        codes = represent(factors)
    if needs(task.score) == "sampler":
        assert represent is not None  # `run` keeps such tasks in the process that has the model
        more = (able or {}) if task.of == "codes" else {}
        result: Score = function(Pool(space, represent, codes, factors, **more), **options)
    else:
        result = function(codes, factors, **options)
    return result.named(space.names)


def run(
    tasks: Iterable[Task],
    arrays: Arrays,
    represent: Represent,
    *,
    able: Mapping[str, Any] | None = None,
    pool: Executor | None = None,
) -> Iterator[Result]:
    """Every task and its score, or what it raised, in the order in which they are done.

    Tasks that have work in common (:mod:`unbraid.info.shared`) are done together, the longest first.

    Args:
        tasks: What to do.
        arrays: Of what.
        represent: Codes of any factor values; asked in this process alone.
        able: What else the model can do, as for :func:`measure`; likewise.
        pool: The processes that share the work with this one, from :func:`workers`.
    """
    todo = list(tasks)
    known = {task: value for task in todo if task.of != "codes" and (value := _recall(task, arrays)) is not None}
    for task, value in known.items():
        yield task, Score(value, name=task.score)
    here = _together(task for task in todo if task not in known)
    away = [group for group in here if _movable(group[0])] if pool is not None else []
    here = [group for group in here if group not in away]
    ready, expected = _hand_out(pool, arrays, away) if pool is not None else (SimpleQueue(), 0)
    for group in here:
        for task, result in _done(group, arrays, represent, able)[0]:
            _keep(task, arrays, result)
            yield task, result
    for _ in range(expected):
        for task, result in ready.get().result()[0]:
            _keep(task, arrays, result)
            yield task, result


@contextmanager
def workers(tasks: Iterable[Task], jobs: int) -> Iterator[Executor | None]:
    """Processes for :func:`run`, begun ahead: they load what the scores need while this one encodes.

    Args:
        tasks: What there will be to do.
        jobs: How many processes at most.

    Yields:
        None where this process does as well alone.
    """
    away = [group for group in _together(tasks) if _movable(group[0])]
    if jobs == 1 or len(away) < 2:
        yield None
        return
    count, context = min(jobs, len(away)), multiprocessing.get_context("spawn")
    names = sorted({task.score for group in away for task in group})
    with ProcessPoolExecutor(count, context, _begin, (names,)) as pool:
        for _ in range(count):
            pool.submit(int)  # a process is started when it is first needed: now
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _movable(task: Task) -> bool:
    """Whether it can be done without the model."""
    return task.of != "codes" or needs(task.score) != "sampler"


def _together(tasks: Iterable[Task]) -> list[list[Task]]:
    """Of each representation, what fits trees, what else is given codes, and singly what intervenes; in this order."""
    groups: dict[tuple[int, str, str], list[Task]] = {}
    for task in tasks:
        kind = 0 if task.score in TREES else 1 if needs(task.score) == "codes" else 2
        groups.setdefault((kind, task.of, task.score if kind == 2 else ""), []).append(task)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _hand_out(pool: Executor, arrays: Arrays, groups: list[list[Task]]) -> tuple[SimpleQueue[Future[Done]], int]:
    """Give workers every group; of trees, the first task and then, with what it kept, each of the others by itself.

    Returns:
        Where what is done arrives, and how many times.
    """
    ready: SimpleQueue[Future[Done]] = SimpleQueue()

    def follow(rest: list[Task], first: Future[Done]) -> None:
        ready.put(first)
        if first.cancelled() or first.exception() is not None:
            return  # whoever waits for it learns of it
        with suppress(RuntimeError):  # the pool is being shut down: nobody waits for the others
            for task in rest:
                pool.submit(_there, arrays, [task], first.result()[1]).add_done_callback(ready.put)

    expected = 0
    for group in groups:
        leads = 1 if group[0].score in TREES else len(group)
        pool.submit(_there, arrays, group[:leads]).add_done_callback(partial(follow, group[leads:]))
        expected += 1 + len(group) - leads
    return ready, expected


def _begin(names: list[str]) -> None:
    """What a worker does first."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    for name in names:
        registry.load("scores", name)
    threadpool_limits(1)  # as many workers as cores: threads in each would only wait for one another


def _there(arrays: Arrays, tasks: list[Task], known: Kept | None = None) -> Done:
    return _done(tasks, arrays, None, None, known)


def _done(
    tasks: list[Task],
    arrays: Arrays,
    represent: Represent | None,
    able: Mapping[str, Any] | None,
    known: Kept | None = None,
) -> Done:
    results: list[Result] = []
    with sharing(known) as kept:
        for task in tasks:
            try:
                results.append((task, measure(task, arrays, represent, able)))
            except UnbraidError as error:
                results.append((task, error))
    return results, kept


def _place(task: Task, arrays: Arrays) -> Path:
    """Where the value of a synthetic representation is kept: it is the same for every run on the same factors."""
    options = {name: p.default for name, p in registry.parameters(registry.load("scores", task.score)).items()}
    about = json.dumps([_code(), *task, options, arrays.space.sizes, arrays.factors.shape], default=repr)
    digest = hashlib.blake2b(about.encode() + np.ascontiguousarray(arrays.factors).tobytes(), digest_size=16)
    return data_folder() / "bounds" / f"{digest.hexdigest()}.json"


@lru_cache
def _code() -> str:
    """A digest of what computes scores: a value kept by other code is not today's."""
    digest = hashlib.blake2b(digest_size=16)
    for module in (unbraid.scores, unbraid.info, unbraid.score):
        file = Path(str(module.__file__))
        for source in sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(source.read_bytes())
    return digest.hexdigest()


def _recall(task: Task, arrays: Arrays) -> float | None:
    with suppress(OSError, ValueError):
        value = json.loads(_place(task, arrays).read_text("utf-8"))
        if isinstance(value, int | float):
            return float(value)
    return None


def _keep(task: Task, arrays: Arrays, result: Score | Exception) -> None:
    if task.of == "codes" or isinstance(result, Exception):
        return
    place = _place(task, arrays)
    with suppress(OSError):  # a cache that cannot be written is no reason to fail
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(result.value), "utf-8")
        temporary.replace(place)
