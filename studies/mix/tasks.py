"""What is learned: garments (Fashion-MNIST), and generated waveforms and solids, each few samples and many tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unbraid.worlds.fashionmnist import FashionMNIST

__all__ = ["TASKS", "Task", "task"]


@dataclass(frozen=True)
class Task:
    """Samples to learn from and to be tested on, with their labels; numbers are about 0 .. 1.

    Args:
        x: ``(N, C, ...)``.
        y: ``(N,)``.
        test_x: Likewise.
        test_y: Likewise.
        flip: Whether a sample mirrored along its last axis is as good.
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    flip: bool = False


def garments(count: int = 2000) -> Task:
    """A fixed few of the 60,000 images of Fashion-MNIST, and all of its test."""
    world, test = FashionMNIST(), FashionMNIST(split="test")
    chosen = np.random.default_rng(0).choice(len(world), count, replace=False)
    parts = []
    for where, rows in ((world, chosen), (test, np.arange(len(test)))):
        parts += [torch.from_numpy(where.images(rows)).float() / 255, torch.from_numpy(where.factors(rows)[:, 0])]
    # The margin of two that the world adds tells nothing.
    return Task(parts[0][..., 2:-2, 2:-2], parts[1], parts[2][..., 2:-2, 2:-2], parts[3], flip=True)


def few() -> Task:
    """A quarter of those images, so that a network learns them by heart in as many steps."""
    return garments(500)


def waves(count: int = 400, length: int = 128) -> Task:
    """Six kinds of waves of any frequency and phase in noise: sine, square, saw, triangle, pulses, chirp."""

    def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(seed)
        y = np.arange(count) % 6
        time = np.linspace(0, 1, length)
        frequency, phase = rng.uniform(3, 9, (count, 1)), rng.uniform(0, 1, (count, 1))
        turn = (frequency * time + phase) % 1
        kinds = [
            np.sin(2 * math.pi * turn),
            np.where(turn < 0.5, 1.0, -1.0),
            2 * turn - 1,
            4 * np.abs(turn - 0.5) - 1,
            np.where(turn < 0.2, 1.6, -0.4),
            np.sin(2 * math.pi * (frequency * time * (0.6 + 0.8 * time) + phase)),
        ]
        x = np.stack(kinds)[y, np.arange(count)] + 0.6 * rng.normal(size=(count, length))
        return torch.from_numpy(0.5 + 0.25 * x).float()[:, None], torch.from_numpy(y)

    return Task(*drawn(count, 1), *drawn(1800, 2))


def solids(count: int = 300, side: int = 12) -> Task:
    """Six solids, turned, of any size and place, in noise: ball, cube, cylinder, cone, torus, cross."""

    def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(seed)
        y = np.arange(count) % 6
        line = np.linspace(-1, 1, side)
        grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
        turn = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
        place = (grid - rng.uniform(-0.15, 0.15, (count, 1, 3))) @ turn / rng.uniform(0.75, 1.0, (count, 1, 1))
        a, b, c = np.moveaxis(place, -1, 0)
        round_ = np.hypot(a, b)
        widest = np.abs(place).max(axis=2)
        thin = np.sort(np.abs(place), axis=2)
        kinds = [
            np.linalg.norm(place, axis=2) < 0.95,
            widest < 0.75,
            (round_ < 0.75) & (np.abs(c) < 0.85),
            round_ < 0.55 * (1 - c) * (np.abs(c) < 1),
            np.hypot(round_ - 0.75, c) < 0.4,
            (widest < 1.1) & (thin[..., 1] < 0.4),
        ]
        x = np.stack(kinds)[y, np.arange(count)] + 0.25 * rng.normal(size=(count, side**3))
        return torch.from_numpy(0.25 + 0.5 * x).float().reshape(count, 1, side, side, side), torch.from_numpy(y)

    return Task(*drawn(count, 1), *drawn(1200, 2))


TASKS = {"waves": waves, "garments": garments, "few": few, "solids": solids}


def task(name: str) -> Task:
    """A task by its name."""
    return TASKS[name]()
