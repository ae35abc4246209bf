"""Judging a life: what a model still knows of each environment, and what its latents mean in all of them.

References:
    Achille et al., "Life-long disentangled representation learning with cross-domain latent homologies", NeurIPS 2018,
    arXiv:1808.06508, section 4.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Model, VariationalModel
from unbraid.nn.judge import explained
from unbraid.runs import folder
from unbraid.runs.encode import CHUNK, device_of
from unbraid.runs.run import Run, measured
from unbraid.runs.verdict import Numbers
from unbraid.views.environments import Environments
from unbraid.world import World

__all__ = ["TOLD", "LifeVerdict", "forgetting", "judge_life"]

TOLD = 0.1
"""Nats from which on a latent counts as used in an environment."""


class LifeVerdict(Numbers):
    """What is found of a life."""

    kind, width, digits = "life", 40, 4


def forgetting(after: LifeVerdict, then: LifeVerdict, environment: str) -> float:
    """How many times the error of an environment has become what it was.

    >>> forgetting(LifeVerdict({"error_digits": 0.03}), LifeVerdict({"error_digits": 0.02}), "digits")
    1.5
    """
    return after.parts[f"error_{environment}"] / then.parts[f"error_{environment}"]


def judge_life(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    factor: str = "",
    samples: int = 500,
    seed: int = 0,
) -> LifeVerdict:
    """Judge what a model that lives through environments knows of each of them now.

    For every environment by its name: ``taken_for``, the number the model has given it, by what it says of all
    images together, and ``recognised``, of how many it says so when it sees them one by one; ``error``, the mean
    square of what is not reconstructed in that environment, from masked means; ``latents``, how many of its latents
    carry more than 0.1 nats there. ``shared_latents`` are those that do so in all. For each ordered factor,
    ``x_read_in_first`` is how well it can be read linearly from the latents of the first environment, and
    ``x_carried_to_digits`` how well the same weights read it in another, R² on images that they were not fitted to.

    The verdict on a run is also kept in its ``verdict.json``.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own.
        factor: The factor that is the environment; by default the run's, or the first categorical one.
        samples: How many images of each environment are looked at, at least 8.
        seed: What the choice of images depends on, at least 0.

    Raises:
        InvalidOption: When the model does not see the world as environments, or is given without a world.
        RunError: When the run cannot be read.
    """
    require_at_least(8, samples=samples)
    run, model, world = measured(run_or_model, world)
    if type(model).view != Environments.name or not isinstance(model, VariationalModel):
        raise InvalidOption(f"{type(model).__name__} does not live: take a model that sees the world as environments")
    living: Any = model
    factor = factor or (run.config["view"]["options"]["factor"] if run is not None else "")
    values = Environments(world, factor=factor).environments
    names = [str(name).replace(" ", "_") for name in values.values]
    ordered = {one.name: world.space.position(one.name) for one in world.space if one.kind == "ordinal"}
    columns = list(ordered.values())
    model.eval()
    parts: dict[str, float] = {}
    codes, truths, used = [], [], []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for number, name in enumerate(names):
            batch = Environments(world, batch_size=samples, seed=seed, factor=factor, order=(number,)).batch(0)
            found, mean, told = _looked(living, batch.x.to(device_of(model)))
            parts |= {f"{part}_{name}": value for part, value in found.items()}
            used.append(told)
            codes.append(mean)
            truths.append(torch.from_numpy(world.factors(batch.index.numpy())[:, columns]).float())
    parts["shared_latents"] = float(torch.stack(used).all(dim=0).sum())
    if columns and used[0].any():
        half = samples // 2
        weights = _fitted(codes[0][:half, used[0]], truths[0][:half])
        for name, z, truth in zip(names, codes, truths, strict=True):
            read = explained(_read(z[half:, used[0]], weights), truth[half:])
            where = "read_in_first" if name == names[0] else f"carried_to_{name}"
            parts |= {f"{one}_{where}": float(value) for one, value in zip(ordered, read, strict=True)}
    verdict = LifeVerdict(parts)
    if run is not None:
        folder.write_json(run.path / folder.VERDICT, verdict.to_dict())
    return verdict


def _looked(model: Any, x: Tensor) -> tuple[dict[str, float], Tensor, Tensor]:
    """What is found of one environment, the means of its codes, and which latents it uses."""
    logs = torch.cat([model.recognise(part) for part in x.split(CHUNK)])
    said, taken = logs.argmax(dim=1), int(logs.mean(dim=0).argmax())
    posteriors = [model.encode(part) for part in x.split(CHUNK)]
    mean = torch.cat([q.mean for q in posteriors])
    mask = model.masks()[taken]
    used = mask & (torch.cat([q.divergences() for q in posteriors]).mean(dim=0) > TOLD)
    drawn = torch.cat([model.draw(part, taken) for part in (mean * mask).split(CHUNK)])
    parts = {
        "taken_for": float(taken),
        "recognised": float((said == taken).float().mean()),
        "error": float((drawn - x).square().mean()),
        "latents": float(used.sum()),
    }
    return parts, mean.cpu(), used.cpu()


def _fitted(codes: Tensor, truth: Tensor) -> Tensor:
    """Weights of a linear reader, the last for the mean."""
    return torch.from_numpy(np.linalg.lstsq(_with_one(codes).double().numpy(), truth.double().numpy(), rcond=1e-6)[0])


def _read(codes: Tensor, weights: Tensor) -> Tensor:
    return (_with_one(codes).double() @ weights).float()


def _with_one(codes: Tensor) -> Tensor:
    return torch.cat([codes, torch.ones(len(codes), 1)], dim=1)
