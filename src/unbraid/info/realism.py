"""How far apart two heaps of images are, judged by features of them.

References:
    Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017,
    arXiv:1706.08500 (the Fréchet distance, eq. 6).
    Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401 (the other).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["frechet_distance", "kernel_distance"]


def frechet_distance(x: Tensor, y: Tensor) -> float:
    r"""The squared Fréchet distance of the normal distributions with the samples' means and covariances.

    .. math:: \|\mu_x - \mu_y\|^2 + \operatorname{tr}\big(\Sigma_x + \Sigma_y - 2 (\Sigma_x \Sigma_y)^{1/2}\big)

    It is biased upwards in small samples: compare it with that of two halves of the real ones.

    Args:
        x: ``(N, D)``, N at least 2.
        y: ``(M, D)``, M at least 2.

    >>> x = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0))
    >>> round(frechet_distance(x, x + torch.tensor([3.0, 0.0, 4.0])), 6)
    25.0
    """
    x, y = x.double(), y.double()
    first, second = torch.cov(x.T).reshape(x.shape[1], -1), torch.cov(y.T).reshape(y.shape[1], -1)
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    # The product has the eigenvalues of a symmetric matrix, and so a trace that needs no complex numbers.
    middle = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    means = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    return float(means + first.trace() + second.trace() - 2 * middle)


def kernel_distance(x: Tensor, y: Tensor) -> float:
    r"""The squared maximum mean discrepancy under the kernel :math:`(a \cdot b / D + 1)^3`, without bias.

    Args:
        x: ``(N, D)``, N at least 2.
        y: ``(M, D)``, M at least 2.

    Returns:
        About 0 or above; a little below 0 where both are alike.

    >>> kernel_distance(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))
    7.0
    """
    x, y = x.double(), y.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        k = kernel(a, a)
        return (k.sum() - k.trace()) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())
