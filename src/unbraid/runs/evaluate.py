"""Evaluation: encode once, feed every score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unbraid import registry
from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Model
from unbraid.runs import folder
from unbraid.runs.encode import check_shape, choose, encode
from unbraid.runs.run import Run
from unbraid.score import Declaration, Sampler, Score
from unbraid.types import Floats, Integers
from unbraid.world import World

__all__ = ["evaluate"]


def evaluate(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    scores: Sequence[str] = ("mig", "dci"),
    samples: int = 10_000,
    seed: int = 0,
) -> dict[str, Score]:
    """Measure how far a model's codes come apart into the world's factors.

    The model encodes each image once, however many scores there are. Scores that fit a predictor are given two thirds
    of the samples to fit and one third to test on. The scores of a run are also kept in its ``scores.json``.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own.
        scores: Names from ``unbraid list scores``.
        samples: How many images are encoded, at least 2; a smaller world is encoded whole.
        seed: What the choice of images and every score's own randomness depend on, at least 0.

    Returns:
        The scores by name, their parts named after the factors where they are per factor.

    Raises:
        UnknownName: When there is no such score.
        InvalidOption: When a model is given without a world, or an option is out of range.
        RunError: When the run cannot be read.
    """
    require_at_least(2, samples=samples)
    require_at_least(0, seed=seed)
    functions = {name: registry.load("scores", name) for name in scores}
    run = (
        Run(run_or_model)
        if isinstance(run_or_model, str | Path)
        else run_or_model
        if isinstance(run_or_model, Run)
        else None
    )
    model = run.model if run is not None else run_or_model
    world = world if world is not None else run.world if run is not None else None
    if world is None or not isinstance(model, Model):
        raise InvalidOption(
            "a model without a run must be given with the world it is measured on: evaluate(model, world)"
        )
    check_shape(model, world)
    indices = choose(world, samples, seed)
    codes, factors = encode(model, world, indices), world.factors(indices)
    results = {name: _score(function, codes, factors, model, world, seed) for name, function in functions.items()}
    if run is not None:
        kept = {**run.scores, **{name: score.to_dict() for name, score in results.items()}}
        folder.write_json(run.path / folder.SCORES, kept)
    return results


def _score(function: Any, codes: Floats, factors: Integers, model: Model, world: World, seed: int) -> Score:
    declaration: Declaration = function.declaration
    takes = registry.parameters(function)
    options: dict[str, Any] = {"seed": seed} if "seed" in takes else {}
    if declaration.needs == "sampler":

        def represent(values: Integers) -> Floats:
            return encode(model, world, world.index(values))

        result: Score = function(Sampler(world.space, represent), **options)
    else:
        # A score that fits a predictor holds out a third of the samples by itself.
        result = function(codes, factors, **options)
    return result.named(world.space.names)
