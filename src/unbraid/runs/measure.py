"""Scores on arrays, in this process or spread over several; nothing here needs torch.

Workers are started afresh, so that they share no lock with this process; each is given the codes and factors once.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import unbraid.info
import unbraid.score
import unbraid.scores
from unbraid import registry
from unbraid.errors import UnbraidError
from unbraid.files.source import data_folder
from unbraid.info.representations import representation
from unbraid.info.shared import sharing
from unbraid.score import Pool, Score
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["BOUNDS", "Arrays", "Task", "measure", "needs", "run"]

TREES = ("dci", "downstream", "reduceddownstream")
"""The scores that take longest; they read factors by the same boosted trees, so one process fits them, and once."""

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
    jobs: int = 1,
) -> Iterator[Result]:
    """Every task and its score, or what it raised, in the order in which they are done.

    Tasks that have work in common (:mod:`unbraid.info.shared`) are done together, the longest first.

    Args:
        tasks: What to do.
        arrays: Of what.
        represent: Codes of any factor values; asked in this process alone.
        able: What else the model can do, as for :func:`measure`; likewise.
        jobs: How many processes besides this one share the work, when more than 1.
    """
    todo = list(tasks)
    known = {task: value for task in todo if task.of != "codes" and (value := _recall(task, arrays)) is not None}
    for task, value in known.items():
        yield task, Score(value, name=task.score)
    here = _together(task for task in todo if task not in known)
    away = [group for group in here if group[0].of != "codes" or needs(group[0].score) != "sampler"]
    if jobs > 1 and len(away) > 1:
        here = [group for group in here if group not in away]
    else:
        away = []
    if away:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(away)), context, _begin, (arrays,)) as pool:
            futures = [pool.submit(_there, group) for group in away]
            try:
                for group in here:
                    yield from _done(group, arrays, represent, able)
                for future in as_completed(futures):
                    for task, result in future.result():
                        _keep(task, arrays, result)
                        yield task, result
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    else:
        for group in here:
            for task, result in _done(group, arrays, represent, able):
                _keep(task, arrays, result)
                yield task, result


def _together(tasks: Iterable[Task]) -> list[list[Task]]:
    """Of each representation, what fits trees, what else is given codes, and singly what intervenes; in this order."""
    groups: dict[tuple[int, str, str], list[Task]] = {}
    for task in tasks:
        kind = 0 if task.score in TREES else 1 if needs(task.score) == "codes" else 2
        groups.setdefault((kind, task.of, task.score if kind == 2 else ""), []).append(task)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


_arrays: Arrays
"""In a worker: what is measured."""


def _begin(arrays: Arrays) -> None:
    global _arrays
    _arrays = arrays
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    threadpool_limits(1)  # as many workers as cores: threads in each would only wait for one another


def _there(tasks: list[Task]) -> list[Result]:
    return _done(tasks, _arrays, None, None)


def _done(
    tasks: list[Task], arrays: Arrays, represent: Represent | None, able: Mapping[str, Any] | None
) -> list[Result]:
    results: list[Result] = []
    with sharing():
        for task in tasks:
            try:
                results.append((task, measure(task, arrays, represent, able)))
            except UnbraidError as error:
                results.append((task, error))
    return results


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
