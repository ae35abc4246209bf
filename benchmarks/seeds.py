"""What it gives to train all seeds of one configuration as a single batched model, against one after the other.

The parameters of K beta-VAEs are stacked, ``torch.func.vmap`` runs one loss over all of them (convolutions become
grouped ones), and one Adam moves the stack. Each model has its own weights, batches and noise, as runs of their own
would; the losses of both ways are compared after every step, so that the same mathematics is timed. Both take turns in
one process on one thread: on a machine of several cores the rival is a process per core, each with its own seeds. What
is shown is CPU time for a step of one seed.

Run ``python benchmarks/seeds.py``; it takes about two minutes. ``seeds.md`` keeps what was found.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from unbraid.models.betavae import BetaVAE
from unbraid.nn.networks import NetworkName

SEEDS, ROUNDS, BATCH = (2, 4, 8), 3, 64
RATE = 1e-3

Step = Callable[[], list[float]]
"""A step of every seed, and their losses."""


class Loss(nn.Module):
    """A beta-VAE's loss as a function of images and noise, so that nothing is drawn within."""

    def __init__(self, model: BetaVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Reconstruction and KL, in nats per image."""
        q = self.model.encode(x)
        z = q.mean + (0.5 * q.log_variance).exp() * noise
        return self.model.nll(x, z) + self.model.beta * q.kl()


def made(side: int, network: NetworkName, seeds: int) -> tuple[list[Loss], Tensor, Tensor]:
    """Models, and images and noise of shape (K, B, ...)."""
    models = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        models.append(Loss(BetaVAE((1, side, side), network=network)))
    return models, torch.rand(seeds, BATCH, 1, side, side).round(), torch.randn(seeds, BATCH, 10)


def adam(parameters: Any) -> torch.optim.Optimizer:
    """The same for both ways."""
    return torch.optim.Adam(parameters, lr=RATE, foreach=True)


def apart(models: list[Loss], x: Tensor, noise: Tensor) -> Step:
    """Every model with an optimiser of its own, one after the other."""
    optimizers = [adam(model.parameters()) for model in models]

    def step() -> list[float]:
        found = []
        for model, optimizer, image, one in zip(models, optimizers, x, noise, strict=True):
            optimizer.zero_grad()
            loss = model(image, one)
            loss.backward()
            optimizer.step()
            found.append(float(loss.detach()))
        return found

    return step


def together(models: list[Loss], x: Tensor, noise: Tensor) -> Step:
    """All models as one."""
    parameters, buffers = stack_module_state(models)
    optimizer, model = adam(parameters.values()), models[0]
    losses = vmap(lambda *state: functional_call(model, state[:2], state[2:]))

    def step() -> list[float]:
        optimizer.zero_grad()
        found: Tensor = losses(parameters, buffers, x, noise)
        found.sum().backward()
        optimizer.step()
        return found.detach().tolist()

    return step


def compared(side: int, network: NetworkName, seeds: int) -> None:
    """Print one row."""
    given = made(side, network, seeds)
    jobs = {"together": together(*given), "apart": apart(*given)}  # the stack is a copy, taken first
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    worst = 0.0
    for turn in range(ROUNDS + 1):
        found = {}
        for name, job in jobs.items():
            start = time.process_time()
            found[name] = job()
            if turn:  # the first step prepares kernels and memory
                spent[name].append((time.process_time() - start) / seeds)
        pairs = zip(found["apart"], found["together"], strict=True)
        worst = max(worst, *(abs(a - b) / a for a, b in pairs))
    if worst > 1e-3:
        sys.exit(f"the losses differ by {worst:.1e} of their size: this is not the same mathematics")
    low, middle, high = statistics.quantiles(
        [a / b for a, b in zip(spent["apart"], spent["together"], strict=True)], n=4
    )
    costs = " | ".join(f"{1000 * statistics.median(spent[name]):.1f}" for name in ("apart", "together"))
    print(
        f"| {network} | {side} | {seeds} | {costs} | {middle:.2f} ({low:.2f} .. {high:.2f}) | {worst:.0e} |", flush=True
    )


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print("| network | pixels a side | seeds | apart, ms | together, ms | times as fast | losses differ by |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    networks: tuple[NetworkName, ...] = ("dense", "conv")
    for network in networks:
        for side in (32, 64):
            for seeds in SEEDS:
                compared(side, network, seeds)


if __name__ == "__main__":
    main()
