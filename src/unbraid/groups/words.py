r"""Actions found in pairs of codes that lie several unknown actions apart.

**What cannot be known.** Pairs that are all k actions apart tell the actions only up to a common factor: if c commutes
with every action and :math:`c^k = 1`, then :math:`A_i` and :math:`c A_i` have the same products of k. On a plane c is a
turn by any multiple of :math:`2\pi/k`, so that from pairs two actions apart a step by :math:`\theta` cannot be told
from one by :math:`\theta + \pi`. Pairs at two distances without a common divisor leave no such c but the identity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidData, require_at_least
from unbraid.groups.learnable import Exponentials
from unbraid.seed import derive
from unbraid.types import Floats

__all__ = ["Generators", "generators", "products"]

WARM, COLD = 1.0, 0.02
"""The temperatures at which a pair is shared among words, first and last."""


@dataclass(frozen=True)
class Generators:
    """What was found.

    Args:
        maps: Rotations, one for each action, of the restart that leaves least, ``(K, D, D)``.
        errors: What every restart leaves of the pairs' squared distances, least first, ``(R,)``.
        all: The maps of every restart, in that order, ``(R, K, D, D)``.
    """

    maps: Floats
    errors: Floats
    all: Floats


def generators(
    pairs: Mapping[int, tuple[Floats, Floats]],
    count: int,
    *,
    restarts: int = 16,
    iterations: int = 200,
    rate: float = 0.05,
    reach: float = math.pi,
    seed: int = 0,
) -> Generators:
    """Fit rotations whose products, one factor for each action in between, explain pairs of codes.

    Every pair is shared among all words of as many letters as lie between, by how well they explain it; the sharing
    grows strict over the fit. All restarts run side by side, on all pairs in every iteration.

    Args:
        pairs: By how many actions they are apart, whitened codes before and after, ``(n, D)`` each.
        count: How many actions, K, at least 1.
        restarts: From how many random beginnings, R, at least 1.
        iterations: Of Adam, at least 1.
        rate: Its learning rate, at least 0.
        reach: How far the beginnings turn in each plane at most, in radians, at least 0. Small beginnings end in small
            turns, which is a guess where the pairs leave a choice.
        seed: Draws the beginnings, at least 0.

    Raises:
        InvalidData: When there are no pairs.
        InvalidOption: When an option is out of range.
    """
    require_at_least(1, count=count, restarts=restarts, iterations=iterations)
    require_at_least(0, rate=rate, reach=reach)
    if not pairs:
        raise InvalidData("actions are found in pairs of codes, but none are given")
    given = {k: tuple(torch.from_numpy(np.asarray(part)).float() for part in pair) for k, pair in pairs.items()}
    dimension = next(iter(given.values()))[0].shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "generators"))
        acting = Exponentials(restarts * count, dimension)
        torch.nn.init.uniform_(acting.generator, -reach, reach)
    optimiser = torch.optim.Adam(acting.parameters(), rate)
    for turn in range(iterations):
        heat = WARM * (COLD / WARM) ** (turn / iterations)
        maps = acting().unflatten(0, (restarts, count))
        loss = torch.zeros(())
        for distance, (before, after) in given.items():
            errors = _errors(products(maps, distance), before, after)
            loss = loss - heat * torch.logsumexp(-errors / heat, dim=2).mean(dim=1).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        maps = acting().unflatten(0, (restarts, count))
        left = torch.zeros(restarts)
        for distance, (before, after) in given.items():
            step = (after - before).square().sum(dim=1).mean().clamp_min(1e-12)
            errors = _errors(products(maps, distance), before, after)
            left += errors.amin(dim=2).mean(dim=1) / step / len(given)
    order = left.argsort()
    found = maps[order].double().numpy()
    return Generators(found[0], left[order].double().numpy(), found)


def products(maps: Tensor, length: int) -> Tensor:
    """All products of so many maps, in every order: ``(R, K, D, D)`` to ``(R, K ** length, D, D)``."""
    words = maps
    for _ in range(length - 1):
        words = torch.einsum("raij,rbjk->rabik", maps, words).flatten(1, 2)
    return words


def _errors(words: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Squared errors of orthogonal maps ``(R, W, D, D)``, ``(R, n, W)``."""
    size = before.square().sum(dim=1) + after.square().sum(dim=1)
    shared = torch.einsum("ni,nj->nij", after, before).flatten(1) @ words.flatten(2).mT
    return (size[:, None] - 2 * shared).clamp_min(0.0)
