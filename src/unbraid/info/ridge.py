"""What can be read linearly from codes, also where they are longer than there are samples."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["readable"]

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""In parts of the mean square of a code."""


def readable(codes: Tensor, truth: Tensor) -> float:
    """R² of ridge regression on codes that it was not fitted to, the mean over columns of the truth; 0 at least.

    The first half of the samples is fitted, the next quarter chooses the penalty, and the last is read.

    Args:
        codes: ``(N, D)``, N at least 8.
        truth: ``(N, K)``.

    >>> z = torch.randn(400, 3, generator=torch.Generator().manual_seed(0)).double()
    >>> readable(z, z[:, :1] - z[:, 1:2]) > 0.99, readable(z[:, :1], z[:, 1:2]) < 0.1
    (True, True)
    """
    codes, truth = codes.double(), truth.double()
    half, rest = len(codes) // 2, 3 * len(codes) // 4
    middle, level = codes[:half].mean(dim=0), truth[:half].mean(dim=0)
    codes, wanted = codes - middle, truth - level
    # By products of samples, of which there are fewer than numbers in a map.
    products = codes @ codes[:half].T
    size = products[:half].diagonal().mean().clamp(min=1e-12)
    eye = torch.eye(half, dtype=codes.dtype)
    best = (-torch.inf, 0.0)
    for penalty in PENALTIES:
        weights = torch.linalg.solve(products[:half] + penalty * size * eye, wanted[:half])
        said = products[half:] @ weights
        chosen, read = (
            _explained(said[part], wanted[half:][part]) for part in (slice(0, rest - half), slice(rest - half, None))
        )
        best = max(best, (chosen, read))
    return max(0.0, best[1])


def _explained(said: Tensor, wanted: Tensor) -> float:
    spread = (wanted - wanted.mean(dim=0)).square().sum(dim=0).clamp(min=1e-12)
    return float((1 - (wanted - said).square().sum(dim=0) / spread).mean())
