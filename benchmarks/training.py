"""How fast ``exact`` and ``fast`` train beside a plain PyTorch loop, and whether their losses are the same.

*Speed*: the same beta-VAE (four convolutions and their mirror image) on 64x64 Sprites, with batches of 64 and 256 on
one and two threads. The plain loop has PyTorch's own Adam; the others are what ``train`` runs. The batches of all lie
ready in memory, and what it costs to draw one is a row of its own. All take turns, a step each, in one process; what is
shown is CPU time and, of the ratios of neighbours, the median and the middle half. Where the processor multiplies
bfloat16, ``fast`` uses it.

*Losses*: runs of 300 steps with batches of 16 from three seeds at both speeds, and their loss over the last tenth.

Run ``python benchmarks/training.py speed`` (a minute and a half) or ``losses`` (three minutes), or both without a word;
``training.md`` keeps what was found.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

# A thread that waits for another must not count as computing; OpenMP reads this once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from unbraid.fit.state import STEP
from unbraid.models.betavae import BetaVAE
from unbraid.runs.speed import Speed, Way, fastest
from unbraid.runs.train import train
from unbraid.view import Batch
from unbraid.views.images import Images
from unbraid.worlds.sprites import Sprites

SIZES = {64: 12, 256: 6}
"""Batch size to rounds."""
DRAWING = "only drawing the batch"
SEEDS, STEPS, BATCH = 3, 300, 16
CPU = torch.device("cpu")

Job = Callable[[], Any]


class Ready:
    """A few batches again and again, as a stream that costs nothing."""

    def __init__(self, stream: Images) -> None:
        self.batches = [stream.batch(step) for step in range(4)]

    def batch(self, step: int) -> Batch:
        """One of them."""
        return self.batches[step % len(self.batches)]


def jobs(batch_size: int) -> dict[str, Job]:
    """What takes turns: each is a step of training."""
    world = Sprites()
    stream = Images(world, batch_size=batch_size)
    ready = Ready(stream)

    def made() -> BetaVAE:
        torch.manual_seed(0)
        return BetaVAE(world.shape)

    plain, numbers = made(), count()
    optimizer = torch.optim.AdamW(plain.parameters(), lr=5e-4, weight_decay=0.0)

    def bare() -> None:
        step = next(numbers)
        optimizer.zero_grad()
        plain.loss(ready.batch(step), step).total().backward()
        optimizer.step()

    def trained(way: Way) -> Job:
        trial = way.trial(made(), 5e-4, CPU)
        return lambda: trial.fit(ready, steps=trial.state[STEP] + 1)

    ways = dict.fromkeys((Way(), Way(channels_last=True, fused=True), fastest(CPU)))
    drawn = count()
    return {
        "plain loop": bare,
        **{named(way): trained(way) for way in ways},
        DRAWING: lambda: stream.batch(next(drawn)),
    }


def named(way: Way) -> str:
    """What a way is called in the table."""
    if way == Way():
        return "`exact`"
    return f"`fast`: {way}" if way == fastest(CPU) else str(way)


def speed(batch_size: int, threads: int, rounds: int) -> None:
    """Print the rows of one setting."""
    torch.set_num_threads(threads)
    made = jobs(batch_size)
    spent: dict[str, list[float]] = {name: [] for name in made}
    for turn in range(rounds + 1):
        for name, job in made.items():
            start = time.process_time()
            job()
            if turn:  # the first step prepares kernels and memory
                spent[name].append(time.process_time() - start)
    bare = spent["plain loop"]
    for name, seconds in spent.items():
        low, middle, high = statistics.quantiles([a / b for a, b in zip(bare, seconds, strict=True)], n=4)
        cost = f"{1000 * statistics.median(seconds):.0f}"
        ratio = f"{middle:.2f} ({low:.2f} .. {high:.2f})" if name != DRAWING else ""
        print(f"| {batch_size} | {threads} | {name} | {cost} | {ratio} |", flush=True)


def losses() -> None:
    """Print the loss over the last tenth of each run."""
    torch.set_num_threads(1)
    found: dict[Speed, list[float]] = {"exact": [], "fast": []}
    for seed in range(SEEDS):
        row = []
        for name, values in found.items():
            with tempfile.TemporaryDirectory() as folder:
                run = train(
                    "betavae", "sprites", steps=STEPS, batch_size=BATCH, seed=seed, speed=name,
                    out=Path(folder) / "run", progress=False,
                )  # fmt: skip
                curve = [one["loss"] for one in run.history]
            values.append(statistics.mean(curve[-len(curve) // 10 :]))
            row.append(f"{statistics.mean(curve[: len(curve) // 10]):.2f} | {values[-1]:.2f}")
        print(f"| {seed} | {' | '.join(row)} |", flush=True)
    mean = (f" | {statistics.mean(values):.2f} +- {statistics.stdev(values):.2f}" for values in found.values())
    print(f"| mean +- sd | {' | '.join(mean)} |", flush=True)


def main() -> None:
    """Print what was asked for, as rows of tables."""
    asked = sys.argv[1:] or ["speed", "losses"]
    if "speed" in asked:
        header("batch", "threads", "what", "CPU ms a step", "times as fast as the plain loop")
        for batch_size, rounds in SIZES.items():
            for threads in (1, 2):
                speed(batch_size, threads, rounds)
    if "losses" in asked:
        header("seed", "exact, first tenth", "last tenth", "fast, first tenth", "last tenth")
        losses()


def header(*columns: str) -> None:
    """Print the head of a table."""
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)


if __name__ == "__main__":
    main()
