"""What a study will cost: measured on this machine, before anything is begun."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unbraid import registry
from unbraid.study.spec import Cell, Spec

__all__ = ["Estimate", "estimate"]

STEPS = 6
"""Steps that are timed, after as many that are not."""


@dataclass(frozen=True)
class Estimate:
    """What one kind of cell costs; where some are searched for, at most.

    Args:
        cell: One of the kind.
        count: How many cells there are of it.
        training: Seconds of training, each, by the step on an otherwise idle core.
        scoring: Seconds of measuring, each.
        size: Bytes on the disk, each.
    """

    cell: Cell
    count: int
    training: float
    scoring: float
    size: int


def estimate(spec: Spec, notice: Callable[[str], None] = lambda text: None) -> list[Estimate]:
    """Time a few steps of every kind of model on its world, and every score on noise in place of codes.

    Args:
        spec: The study.
        notice: Told what is timed.

    Returns:
        One for each world, model and set of options that may change what a step costs.
    """
    kinds: dict[tuple[str, str, str], list[Cell]] = {}
    # Of a range, its upper end is timed: where it changes what a step costs, more costs more.
    sought = [one.ends()[1] for one in spec.searches for _ in range(one.size)]
    for cell in (*spec.cells, *sought):
        kinds.setdefault((cell.world, str(sorted(cell.world_options.items())), cell.model), []).append(cell)
    found, scoring = [], dict[tuple[str, int], float]()
    for cells in kinds.values():
        cell = cells[0]
        notice(f"{cell.model} on {cell.world}")
        seconds, parameters, latents = _step(cell)
        if (cell.world, latents) not in scoring:
            notice(f"scores on {cell.world}")
            scoring[cell.world, latents] = _scores(spec, cell, latents)
        # Weights, and two checkpoints of weights with Adam's two moments; the codes of the samples.
        size = 4 * parameters * (1 + 2 * 3) + 8 * spec.samples * latents
        found.append(Estimate(cell, len(cells), seconds * cell.steps, scoring[cell.world, latents], size))
    return found


def _step(cell: Cell) -> tuple[float, int, int]:
    import torch

    from unbraid.fit import Trial
    from unbraid.view import view

    world = registry.load("worlds", cell.world)(**cell.world_options)
    with torch.random.fork_rng(devices=[]):
        model = registry.load("models", cell.model)(world.shape, **cell.options)
        size = int(cell.fit.get("batch_size", 64))
        trial = Trial(model, lambda group: torch.optim.Adam(group, lr=1e-4))
        stream = view(model.view)(world, batch_size=size, seed=0, **cell.view)
        trial.fit(stream, steps=STEPS)
        began = time.perf_counter()
        trial.fit(stream, steps=2 * STEPS)
        seconds = (time.perf_counter() - began) / STEPS
    return seconds, sum(value.numel() for value in model.parameters()), model.latent_dim


def _scores(spec: Spec, cell: Cell, latents: int) -> float:
    from unbraid.runs.encode import choose
    from unbraid.runs.measure import Arrays, Task, needs, run

    world = registry.load("worlds", cell.world)(**cell.world_options)
    indices = choose(world, spec.samples, seed=0)
    generator = np.random.default_rng(0)
    arrays = Arrays(generator.standard_normal((len(indices), latents)), world.factors(indices), world.space)
    names = registry.names("scores") if spec.scores == ("all",) else spec.scores
    tasks = [Task(name, "codes", 0) for name in names if needs(name) in ("codes", "sampler")]
    began = time.perf_counter()
    for _ in run(tasks, arrays, lambda values: generator.standard_normal((len(values), latents))):
        pass
    return time.perf_counter() - began
