"""What a checkpoint costs, and how soon a run that was stopped goes on, however far it had come.

*Checkpoint*: the whole trial of a convolutional VAE (weights, Adam's moments, random states, its place in the data) as
``train`` writes it, replacing the one before safely, by turns with a bare ``torch.save`` of weights and optimiser.

*Going on*: a trial is made, takes up the checkpoint of a step and does the step after it. Beside it the same network in
a plain loop over a ``DataLoader``, which accelerate's ``skip_first_batches`` brings to the same place. (It passes over
the order of what was seen; the loader's random numbers are those of one epoch.) A view makes batch n from n alone.

    python benchmarks/resume.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _peers import installed
from _timing import cpu_seconds
from fit_peers import PACKAGES
from torch.utils.data import DataLoader, Dataset

from unbraid.fit import Trial, resume
from unbraid.fit.callbacks.checkpoint import write
from unbraid.models import VAE
from unbraid.view import Batch, to_float
from unbraid.views import Images
from unbraid.world import World
from unbraid.worlds import Sprites

BATCH, ROUNDS = 64, 7
STOPPED = (10, 100, 500)


class Frames(Dataset[torch.Tensor]):
    """A world, image by image."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __len__(self) -> int:
        return len(self.world)

    def __getitem__(self, index: int) -> torch.Tensor:
        return to_float(self.world.images([index]))[0]


def by_turns(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, str]:
    """Milliseconds of CPU time of each job: the median, and between what all lie."""
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            found[name].append(1e3 * cpu_seconds(job))
    return {name: f"{statistics.median(some):.1f} ({min(some):.1f} .. {max(some):.1f})" for name, some in found.items()}


def trial(world: World, network: str) -> Trial:
    """A VAE that nothing has trained yet."""
    torch.manual_seed(0)
    return Trial(VAE(world.shape, network=network), lambda parameters: torch.optim.Adam(parameters, lr=5e-4))


def checkpoint(world: World, folder: Path) -> None:
    """Print what one costs."""
    trained = trial(world, "conv")
    trained.fit(Images(world, batch_size=BATCH), steps=2)

    def bare() -> None:
        saved = trained.state_dict()
        torch.save({name: saved[name] for name in ("model", "optimizers")}, folder / "bare.pt")

    found = by_turns({"ours": lambda: write(folder / "ours.pt", trained.state_dict()), "bare": bare}, ROUNDS)
    size = (folder / "ours.pt").stat().st_size / 2**20
    print(f"a checkpoint of {size:.1f} MiB: {found['ours']} ms; a bare torch.save: {found['bare']} ms\n")


def going_on(world: World, folder: Path, skip: Callable[[Any, int], Any]) -> None:
    """Print a row for every step that a run was stopped at."""
    print(
        "| stopped after | going on, ms | `DataLoader` and `skip_first_batches`, ms |\n| --- | --- | --- |", flush=True
    )
    for steps in STOPPED:
        file = folder / f"{steps}.pt"
        first = trial(world, "dense")
        first.fit(Images(world, batch_size=BATCH), steps=steps)
        write(file, first.state_dict())

        def ours(file: Path = file, steps: int = steps) -> None:
            again = trial(world, "dense")
            assert resume(again, file) is None
            again.fit(Images(world, batch_size=BATCH), steps=steps + 1)

        def theirs(file: Path = file, steps: int = steps) -> None:
            again = trial(world, "dense")
            saved = torch.load(file, weights_only=True)
            again.model.load_state_dict(saved["model"])
            optimizer = torch.optim.Adam(again.model.parameters(), lr=5e-4)
            optimizer.load_state_dict(saved["optimizers"]["model"])
            loader = DataLoader(Frames(world), BATCH, shuffle=True, generator=torch.Generator().manual_seed(0))
            x = next(iter(skip(loader, steps)))
            again.model.loss(Batch(x, torch.arange(len(x)), len(world)), steps).total().backward()
            optimizer.step()

        found = by_turns({"ours": ours, "theirs": theirs}, ROUNDS)
        print(f"| {steps:,} steps | {found['ours']} | {found['theirs']} |", flush=True)


def main() -> None:
    """Print both."""
    sys.path.append(str(installed("accelerate", PACKAGES["accelerate"])))
    from accelerate import skip_first_batches

    torch.set_num_threads(1)
    world = Sprites()
    with tempfile.TemporaryDirectory() as place:
        checkpoint(world, Path(place))
        going_on(world, Path(place), skip_first_batches)


if __name__ == "__main__":
    main()
