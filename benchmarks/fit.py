"""What a trial costs beside a bare PyTorch loop, as ratios of CPU time on one thread.

Two settings. *Small*: a two-layer classifier on 2,000 ready batches, where a step takes a fraction of a millisecond and
everything a trial does shows. *VAE*: a convolutional VAE on 64x64 Sprites, drawn while it trains, against a bare loop
over batches that lie ready in memory.

Trial and bare loop take turns in one process, and the median of the ratios of neighbours is what is shown, so that a
busy machine slows both alike. Run ``python benchmarks/fit.py``; it takes about a minute and a half.
"""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable

import torch
from _timing import cpu_seconds
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from unbraid.fit import Progress, Trial
from unbraid.fit.state import STEP
from unbraid.models.vae import VAE
from unbraid.views.images import Images
from unbraid.worlds.sprites import Sprites

BATCHES, ROUNDS = 2000, 9
VAE_BATCH, VAE_STEPS, VAE_ROUNDS = 64, 8, 9

SMALL = ("small, no metrics", "small, loss and acc", "small, with a progress bar besides")
VAE_ROW = "VAE on Sprites, drawn meanwhile"
LIMITS = dict(zip((*SMALL, VAE_ROW), (1.15, 1.35, 1.45, 1.05), strict=True))

Job = Callable[[], None]


def ratios(bare: Job, jobs: dict[str, Job], rounds: int) -> tuple[float, dict[str, float]]:
    """CPU seconds of the bare job, and for each other job the median ratio to the bare run just before it."""
    spent: list[float] = []
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for job in (bare, *jobs.values()):  # once to warm up
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            spent.append(cpu_seconds(bare))
            found[name].append(cpu_seconds(job) / spent[-1])
    return statistics.median(spent), {name: statistics.median(values) for name, values in found.items()}


def small() -> tuple[float, dict[str, float]]:
    """Linear-ReLU-Linear, batches of 32, SGD, cross entropy."""
    batches = [(torch.randn(32, 64), torch.randint(10, (32,))) for _ in range(BATCHES)]
    criterion = nn.functional.cross_entropy

    def made() -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        return model, torch.optim.SGD(model.parameters(), lr=0.01)

    def bare() -> None:
        model, optimizer = made()
        model.train()
        for x, y in batches:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()

    def without_metrics() -> None:
        Trial(*made(), criterion, metrics=None).fit(batches, epochs=1)

    def with_metrics() -> None:
        Trial(*made(), criterion, metrics=["acc"]).fit(batches, epochs=1)

    def with_progress() -> None:
        console = Console(file=io.StringIO(), force_terminal=True)
        Trial(*made(), criterion, metrics=["acc"], callbacks=[Progress("small", console=console)]).fit(
            batches, epochs=1
        )

    jobs = (without_metrics, with_metrics, with_progress)
    return ratios(bare, dict(zip(SMALL, jobs, strict=True)), ROUNDS)


def vae() -> tuple[float, dict[str, float]]:
    """A VAE of ten latents with Adam."""
    world = Sprites()
    stream = Images(world, batch_size=VAE_BATCH)
    ready = [stream.batch(step) for step in range(VAE_STEPS)]

    def made() -> tuple[VAE, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = VAE(world.shape)
        return model, torch.optim.Adam(model.parameters(), lr=5e-4)

    # Models are made once: what is compared is the loop.
    bare_model, bare_optimizer = made()
    trial = Trial(*made())

    def bare() -> None:
        for step, batch in enumerate(ready):
            bare_optimizer.zero_grad()
            total: Tensor = bare_model.loss(batch, step).total()
            total.backward()
            bare_optimizer.step()

    def trained() -> None:
        trial.fit(stream, steps=trial.state[STEP] + VAE_STEPS)

    return ratios(bare, {VAE_ROW: trained}, VAE_ROUNDS)


def main() -> None:
    """Print one row for each comparison."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = Table("trial", "bare loop, a step", "ratio", "at most")
    for bare, found, steps in ((*small(), BATCHES), (*vae(), VAE_STEPS)):
        for name, ratio in found.items():
            table.add_row(name, f"{bare / steps * 1e6:,.0f} us", f"{ratio:.3f}", f"{LIMITS[name]:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
