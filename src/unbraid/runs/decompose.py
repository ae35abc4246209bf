"""What the KL of a fitted VAE is made of."""

from __future__ import annotations

from pathlib import Path

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.decomposition import Decomposition
from unbraid.info.decomposition import decompose as taken_apart
from unbraid.model import Model, VariationalModel
from unbraid.runs import folder
from unbraid.runs.encode import choose, posteriors
from unbraid.runs.run import Run, measured
from unbraid.world import World

__all__ = ["decompose"]


def decompose(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    samples: int = 5000,
    draws: int = 1,
    seed: int = 0,
) -> Decomposition:
    """Take a VAE's KL apart into mutual information, total correlation and dimension-wise KL, in nats.

    Every one of the images is a component of the aggregate posterior (:func:`unbraid.info.decompose`). What is found of
    a run is also kept in its ``information.json``.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own.
        samples: How many images, N, at least 2; a smaller world is taken whole. The mutual information is at most
            log N, and the time grows as N².
        draws: Samples of each posterior, at least 1.
        seed: What the choice of images and the samples of their posteriors depend on, at least 0.

    Raises:
        InvalidOption: When the model has no Gaussian posterior, is given without a world, or an option is out of range.
        RunError: When the run cannot be read.
    """
    require_at_least(2, samples=samples)
    require_at_least(0, seed=seed)
    run, model, world = measured(run_or_model, world)
    if not isinstance(model, VariationalModel):
        raise InvalidOption(
            f"{type(model).__name__} has no Gaussian posterior whose KL could be taken apart: take a VariationalModel"
        )
    found = taken_apart(*posteriors(model, world, choose(world, samples, seed)), draws=draws, seed=seed)
    if run is not None:
        kept = {**found.to_dict(), "whole_world": found.samples == len(world), "seed": seed}
        folder.write_json(run.path / folder.INFORMATION, kept)
    return found
