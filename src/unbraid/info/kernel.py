"""Information that samples share, judged by kernel densities which gradients can follow.

References:
    Silverman, "Density estimation for statistics and data analysis", 1986, section 4.3 (the bandwidth).
    Hsu et al., "Tripod: three complementary inductive biases for disentangled representation learning", ICML 2024,
    arXiv:2404.10282 (the penalty).
"""

from __future__ import annotations

import math

from torch import Tensor

from unbraid.info.aggregate import minibatch_weighted

__all__ = ["kernel_multi_information"]


def kernel_multi_information(z: Tensor, spread: Tensor) -> Tensor:
    r"""What the latents know of each other, by Gaussian kernels around the samples.

    .. math:: \frac1B \sum_i \Big( \log \hat q(z_i) - \sum_j \log \hat q_j(z_{ij}) \Big)

    The joint density has Silverman's bandwidth in D dimensions, :math:`\sigma_j (4 / (D + 2) / B)^{1 / (D + 4)}`. The
    densities of single latents have :math:`\sigma_j` itself, as in the authors' programs: so smooth that the value is
    no estimate in nats, but a penalty by which codes of one kind can be compared.

    Args:
        z: ``(B, D)``.
        spread: :math:`\sigma`, the standard deviation of each latent, above 0: ``(D,)``.

    Returns:
        A scalar.

    >>> import torch
    >>> grid = torch.cartesian_prod(torch.linspace(-1, 1, 9), torch.linspace(-1, 1, 9))
    >>> line = grid[:, :1].expand(-1, 2)
    >>> bool(kernel_multi_information(grid, grid.std(0)) < kernel_multi_information(line, line.std(0)))
    True
    """
    batch, dimensions = z.shape
    silverman = (4 / (dimensions + 2) / batch) ** (1 / (dimensions + 4))
    joint, _ = minibatch_weighted(_log_kernels(z, silverman * spread))
    _, single = minibatch_weighted(_log_kernels(z, spread))
    return (joint - single.sum(dim=1)).mean()


def _log_kernels(z: Tensor, bandwidth: Tensor) -> Tensor:
    """The log density of every sample under the kernel of every other, latent by latent, ``(B, B, D)``."""
    distance = (z[:, None] - z) / bandwidth
    return -0.5 * distance.square() - bandwidth.log() - 0.5 * math.log(2 * math.pi)
