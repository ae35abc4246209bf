"""How fast ``exact`` and ``fast`` train beside a plain PyTorch loop, and whether their losses are the same.

*Speed*: the same beta-VAE (four convolutions and their mirror image) on 64x64 Sprites, with batches of 64 and 256 on
one and two threads. The plain loop has PyTorch's own Adam; the others are what ``train`` runs. The batches of all lie
ready in memory, and what it costs to draw one is a row of its own. Each fits in a process of its own, since how memory
is kept is a process's affair, and they take turns, a step each; what is shown is CPU time, and how much of it the
kernel's, and of the ratios of neighbours the median and the middle half. Where the processor multiplies bfloat16,
``fast`` uses it.

*Losses*: runs of 300 steps with batches of 16 from three seeds at both speeds, and their loss over the last tenth.

Run ``python benchmarks/training.py speed`` (a minute and a half) or ``losses`` (three minutes), or both without a word;
``training.md`` keeps what was found.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

# A thread that waits for another must not count as computing; OpenMP reads this once.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from unbraid.fit import on_step
from unbraid.models.betavae import BetaVAE
from unbraid.runs.speed import Speed, Way, fastest
from unbraid.runs.train import train
from unbraid.view import Batch
from unbraid.views.images import Images
from unbraid.worlds.sprites import Sprites

SIZES = {64: 12, 256: 6}
"""Batch size to rounds."""
PLAIN, DRAWING = "plain loop", "only drawing the batch"
FIRST = 3
"""Steps before the first that counts: they prepare kernels and memory."""
SEEDS, STEPS, BATCH = 3, 300, 16
CPU = torch.device("cpu")

context = multiprocessing.get_context("spawn")


class Ready:
    """A few batches again and again, as a stream that costs nothing."""

    def __init__(self, stream: Images) -> None:
        self.batches = [stream.batch(step) for step in range(4)]

    def batch(self, step: int) -> Batch:
        """One of them."""
        return self.batches[step % len(self.batches)]


def spent() -> tuple[float, float]:
    """CPU seconds of this process so far, and how many of them are the kernel's."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_stime


def stepping(what: Way | str, batch_size: int, threads: int, steps: int, turns: Connection) -> None:
    """In a process of its own: take a step whenever told to, and say what it cost."""
    torch.set_num_threads(threads)
    world = Sprites()
    stream = Images(world, batch_size=batch_size)
    ready = Ready(stream)
    torch.manual_seed(0)
    model = BetaVAE(world.shape)
    turns.send(None)
    turns.recv()
    before = spent()

    def done(state: object = None) -> None:
        nonlocal before
        turns.send(tuple(now - then for now, then in zip(spent(), before, strict=True)))
        turns.recv()
        before = spent()

    if isinstance(what, Way):
        what.trial(model, 5e-4, CPU, callbacks=[on_step(done)]).fit(ready, steps=steps)
        return
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.0)
    for step in range(steps):
        if what == DRAWING:
            stream.batch(step)
        else:
            optimizer.zero_grad()
            model.loss(ready.batch(step), step).total().backward()
            optimizer.step()
        done()


def named(way: Way) -> str:
    """What a way is called in the table."""
    if way == Way():
        return "`exact`"
    return f"`fast`: {way}" if way == fastest(CPU) else str(way)


def speed(batch_size: int, threads: int, rounds: int) -> None:
    """Print the rows of one setting."""
    ways = dict.fromkeys((Way(), Way(channels_last=True, fused=True), fastest(CPU)))
    what: dict[str, Way | str] = {PLAIN: PLAIN, **{named(way): way for way in ways}, DRAWING: DRAWING}
    ends: dict[str, Connection] = {}
    processes = []
    for name, one in what.items():
        ends[name], theirs = context.Pipe()
        arguments = (one, batch_size, threads, FIRST + rounds, theirs)
        processes.append(context.Process(target=stepping, args=arguments, daemon=True))
        processes[-1].start()
    for end in ends.values():
        end.recv()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ends}
    for turn in range(FIRST + rounds):
        for name, end in ends.items():
            end.send(None)
            cost = end.recv()
            if turn >= FIRST:
                found[name].append(cost)
    for end, process in zip(ends.values(), processes, strict=True):
        end.send(None)
        process.join()
    bare = found[PLAIN]
    for name, costs in found.items():
        low, middle, high = statistics.quantiles([a[0] / b[0] for a, b in zip(bare, costs, strict=True)], n=4)
        cost, kernel = (f"{1000 * statistics.median(column):.0f}" for column in zip(*costs, strict=True))
        ratio = f"{middle:.2f} ({low:.2f} .. {high:.2f})" if name != DRAWING else ""
        print(f"| {batch_size} | {threads} | {name} | {cost} | {kernel} | {ratio} |", flush=True)


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
        header("batch", "threads", "what", "CPU ms a step", "of them the kernel's", "times as fast as the plain loop")
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
