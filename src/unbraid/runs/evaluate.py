"""Evaluation: encode once, feed every score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from safetensors import SafetensorError, safe_open

from unbraid import registry
from unbraid.errors import InvalidOption, require_at_least
from unbraid.files.whole import writing
from unbraid.model import Model
from unbraid.runs import folder
from unbraid.runs.encode import abilities, choose, encode, represented
from unbraid.runs.measure import BOUNDS, Arrays, Task, needs, run, workers
from unbraid.runs.run import Run, measured
from unbraid.score import Score
from unbraid.types import Floats, Integers
from unbraid.world import World

__all__ = ["evaluate"]

Notice = Callable[[int, int, str], None]


def evaluate(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    scores: Sequence[str] = ("mig", "dci"),
    samples: int = 10_000,
    seed: int = 0,
    bounds: bool = False,
    repeats: int = 1,
    jobs: int = 1,
    notice: Notice | None = None,
    skipped: Callable[[str, str], None] | None = None,
) -> dict[str, Score]:
    """Measure how far a model's codes come apart into the world's factors.

    The model encodes each image once, however many scores there are; a run keeps its codes in ``codes.safetensors`` for
    the next time. Scores that fit a predictor hold out a third of the samples to test on. Scores that compare samples
    of one factor's value (:class:`~unbraid.score.Pool`) pick them from the encoded ones. The scores of a run are also
    kept in its ``scores.json``.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own. Of one of which the run's own is a part, as of what :class:`HeldOut
            <unbraid.worlds.heldout.HeldOut>` leaves, scores of actions judge the steps from what the model never saw.
        scores: Names from ``unbraid list scores``; ``["all"]`` for every one that a single run can be given.
        samples: How many images are encoded, at least 2; a smaller world is encoded whole.
        seed: What the choice of images and every score's own randomness depend on, at least 0.
        bounds: Whether to measure also noise, codes turned by 45 degrees and perfect codes, for the same factors,
            samples and settings: what a value means depends on them.
        repeats: How often to measure, at least 1, each time with other images and another seed; the value is the first,
            and the interval holds 95 % of them.
        jobs: How many processes share the scores; with more than 1 a script needs ``if __name__ == "__main__"``.
        notice: Called with how many measurements are done, how many there are, and which was the last.
        skipped: Called with each of ``["all"]`` that cannot be had of these factors, and the reason; the others follow.

    Returns:
        The scores by name, their parts named after the factors where they are per factor.

    Raises:
        UnknownName: When there is no such score.
        InvalidOption: When a model is given without a world, or an option is out of range.
        RunError: When the run cannot be read.
    """
    require_at_least(2, samples=samples)
    require_at_least(0, seed=seed)
    require_at_least(1, repeats=repeats, jobs=jobs)
    names = _names(scores)
    found, model, world = measured(run_or_model, world)
    total, done = len(names) * (repeats + (len(BOUNDS) if bounds else 0)), 0
    results: dict[tuple[Task, int], Score] = {}
    kinds = [(name, of) for name in names for of in _shown(bounds)]
    fitted, view = (None, None) if found is None else (found.world, found.config["view"])
    able = abilities(model, world, fitted, view=view)
    with workers([Task(name, of, seed) for name, of in kinds], jobs) as pool:
        for repeat in range(repeats):
            indices = choose(world, samples, seed + repeat)
            codes = _codes(found, model, world, indices) if repeat == 0 else encode(model, world, indices)
            arrays = Arrays(codes, world.factors(indices), world.space)
            tasks = [Task(name, of, seed + repeat) for name, of in kinds if repeat == 0 or of == "codes"]
            represent = _represent(model, world, alone=pool is None)
            for task, result in run(tasks, arrays, represent, able=able, pool=pool):
                if isinstance(result, Score):
                    results[task, repeat] = result
                elif task.of == "codes":  # what cannot be said of noise is no reason to say nothing
                    if list(scores) != ["all"]:
                        raise type(result)(f"{task.score}: {result}")
                    if skipped is not None and repeat == 0:
                        skipped(task.score, str(result))
                done += 1
                if notice is not None:
                    notice(done, total, task.score)
    had = [name for name in names if all((Task(name, "codes", seed + r), r) in results for r in range(repeats))]
    summary = {name: _summary(name, results, seed, repeats) for name in had}
    if found is not None:
        _keep(found, summary)
    return summary


def _keep(found: Run, summary: dict[str, Score]) -> None:
    """Add scores to those of a run; what another process adds in the same moment stays too."""
    with writing(found.path / folder.SCORES) as file:  # read only now that nobody else can add to them
        file.write(folder.as_json({**found.scores, **{name: score.to_dict() for name, score in summary.items()}}))


def _names(scores: Sequence[str]) -> list[str]:
    if list(scores) == ["all"]:
        return [name for name in registry.names("scores") if needs(name) in ("codes", "sampler")]
    for name in scores:
        registry.check("scores", name)
        if needs(name) not in ("codes", "sampler"):
            raise InvalidOption(f"{name} compares several runs: it cannot be measured on one")
    return list(dict.fromkeys(scores))


def _shown(bounds: bool) -> tuple[str, ...]:
    return ("codes", *BOUNDS) if bounds else ("codes",)


def _represent(model: Model, world: World, *, alone: bool) -> Callable[[Integers], Floats]:
    """Codes of factor values; several scores ask for the same ones, which are encoded once."""
    known: dict[bytes, Floats] = {}
    of = represented(model, world)

    def represent(values: Integers) -> Floats:
        key = hashlib.blake2b(np.ascontiguousarray(values).tobytes()).digest()
        if key not in known:
            with nullcontext() if alone else _one_thread():
                known[key] = of(values)
        return known[key].copy()

    return represent


@contextmanager
def _one_thread() -> Iterator[None]:
    """Where other processes keep all cores busy, a second thread is one more that waits, and busily."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _summary(name: str, results: dict[tuple[Task, int], Score], seed: int, repeats: int) -> Score:
    score = results[Task(name, "codes", seed), 0]
    if repeats > 1:
        values = [results[Task(name, "codes", seed + repeat), repeat].value for repeat in range(repeats)]
        low, high = np.quantile(values, [0.025, 0.975])
        score = replace(score, interval=(float(low), float(high)), settings={**score.settings, "repeats": repeats})
    known = {of: results[Task(name, of, seed), 0].value for of in BOUNDS if (Task(name, of, seed), 0) in results}
    return replace(score, bounds=known)


def _codes(found: Run | None, model: Model, world: World, indices: Integers) -> Floats:
    """The codes of the images, from the run's own file where it holds just these."""
    if found is None:
        return encode(model, world, indices)
    digest = hashlib.blake2b((found.path / folder.MODEL).read_bytes(), digest_size=16)
    digest.update(json.dumps(repr(world)).encode() + np.ascontiguousarray(indices).tobytes())
    key, path = digest.hexdigest(), found.path / folder.CODES
    with suppress(SafetensorError, OSError), safe_open(path, "numpy") as file:  # damaged: it is only a copy
        if (file.metadata() or {}).get("key") == key:
            return np.asarray(file.get_tensor("codes"), dtype=np.float64)
    codes = encode(model, world, indices)
    folder.write_bytes(path, safetensors.numpy.save({"codes": codes}, metadata={"key": key}))
    return codes
