"""How well an image is taken apart into its objects: masks against masks, each image by itself, all images at once.

References:
    Hubert and Arabie, "Comparing partitions", Journal of Classification 1985 (the adjusted Rand index).
    Greff et al., "Multi-object representation learning with iterative variational inference", ICML 2019,
    arXiv:1903.00450 (the same over foreground pixels alone).
"""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from unbraid.errors import InvalidData

__all__ = ["adjusted_rand", "overlaps", "owners", "paired"]

MOST = 6
"""Masks on the longer side, beyond which trying all pairings would take too long."""


def owners(masks: Tensor) -> Tensor:
    """Which entity a pixel belongs to, one-hot: masks ``(B, N, H, W)`` in 0 .. 1 to bool likewise.

    It is the one with the greatest mask; of pixels that no mask covers, nobody.
    """
    most, which = masks.max(dim=1, keepdim=True)
    return torch.zeros_like(masks, dtype=torch.bool).scatter_(1, which, most > 0)


def adjusted_rand(found: Tensor, truth: Tensor) -> Tensor:
    r"""How alike two partitions of the pixels of objects are: 1 for the same, about 0 by chance, ``(B,)``.

    .. math:: \frac{\sum_{ij} \binom{n_{ij}}{2} - E}{\frac12 (A + B) - E}, \qquad
              A = \sum_i \binom{a_i}{2}, \quad B = \sum_j \binom{b_j}{2}, \quad E = A B / \binom{n}{2}

    Where both have everything in one part, they are alike; an image without objects has no number (NaN).

    Args:
        found: Whose each pixel is said to be, one-hot, ``(B, N, H, W)``; a pixel of nobody is in a part of its own.
        truth: Which object each pixel shows, bool ``(B, M, H, W)``; pixels of none do not count.

    >>> halves = torch.eye(2, dtype=torch.bool).repeat_interleave(3, 1).view(1, 2, 1, 6)
    >>> adjusted_rand(halves.flip(1), halves), adjusted_rand(halves[:, :1] | halves[:, 1:], halves)
    (tensor([1.]), tensor([0.]))
    """
    found, truth = found.flatten(2).double(), truth.flatten(2).double()
    found = torch.cat([found, 1 - found.sum(dim=1, keepdim=True)], dim=1)
    shared = torch.einsum("bnp,bmp->bnm", found, truth)
    a, b = shared.sum(dim=2), shared.sum(dim=1)
    total = shared.sum(dim=(1, 2))
    same, left, right = (_pairs(n).flatten(1).sum(dim=1) for n in (shared, a, b))
    expected = left * right / _pairs(total).clamp(min=1)
    greatest = (left + right) / 2
    index = torch.where(greatest == expected, 1.0, (same - expected) / (greatest - expected))
    return torch.where(total > 0, index, torch.nan).float()


def _pairs(n: Tensor) -> Tensor:
    return n * (n - 1) / 2


def overlaps(found: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of every entity with every object, ``(B, N, M)``.

    Args:
        found: Whose each pixel is said to be, bool ``(B, N, H, W)``.
        truth: Which object each pixel shows, bool ``(B, M, H, W)``.
    """
    found, truth = found.flatten(2).float(), truth.flatten(2).float()
    shared = torch.einsum("bnp,bmp->bnm", found, truth)
    union = found.sum(dim=2)[:, :, None] + truth.sum(dim=2)[:, None] - shared
    return shared / union.clamp(min=1)


def paired(overlap: Tensor) -> tuple[Tensor, Tensor]:
    """The pairing of entities with objects whose overlaps have the greatest sum, for each image.

    Args:
        overlap: ``(B, N, M)``, at least 0; N and M at most 6.

    Returns:
        For each object its entity, int64 ``(B, M)``, and their overlap, ``(B, M)``. An object that meets no entity, or
        for which none is left, has the entity -1 and the overlap 0.

    Raises:
        InvalidData: When there are more entities or objects than 6.

    >>> paired(torch.tensor([[[0.6, 0.5], [0.5, 0.0], [0.0, 0.0]]]))
    (tensor([[1, 0]]), tensor([[0.5000, 0.5000]]))
    """
    entities, objects = overlap.shape[1:]
    size = max(entities, objects)
    if size > MOST:
        raise InvalidData(f"at most {MOST} entities and objects can be paired, but there are {entities} and {objects}")
    square = torch.nn.functional.pad(overlap, (0, size - objects, 0, size - entities))
    orders = torch.tensor(list(permutations(range(size))), device=overlap.device)
    values = square[:, orders, torch.arange(size, device=overlap.device)]
    best = orders[values.sum(dim=2).argmax(dim=1)][:, :objects]
    kept = square.gather(1, best[:, None])[:, 0, :objects]
    return torch.where(kept > 0, best, -1), kept
