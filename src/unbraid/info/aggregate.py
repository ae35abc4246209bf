r"""The aggregate posterior :math:`q(z) = \frac1N \sum_n q(z \mid x_n)`, estimated from one minibatch.

References:
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942,
    section 4.1 and appendix C.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["minibatch_stratified", "minibatch_weighted"]


def minibatch_weighted(log_density: Tensor) -> tuple[Tensor, Tensor]:
    r"""Minibatch-weighted sampling: :math:`q(z_i) \approx \frac1B \sum_k q(z_i \mid x_k)`.

    The paper's weight is 1/(NB); the constant N has no gradient, and with it the total correlation would be off by
    (D - 1) log N. With 1/B it is 0 when every posterior is the prior, and mutual information is at most log B.

    Args:
        log_density: log q(z_ij | x_k) for every sample i, posterior k and latent j: ``(B, B, D)``, in nats.

    Returns:
        log q(z_i), ``(B,)``, and log q(z_ij), ``(B, D)``.
    """
    shift = math.log(log_density.shape[1])
    return log_density.sum(dim=2).logsumexp(dim=1) - shift, log_density.logsumexp(dim=1) - shift


def minibatch_stratified(log_density: Tensor, population: int) -> tuple[Tensor, Tensor]:
    r"""Minibatch-stratified sampling: an unbiased estimate of q(z_i) from a minibatch drawn without replacement.

    A sample's own posterior is one of N, the other B - 1 of its minibatch stand for the remaining N - 1:
    :math:`q(z_i) \approx \frac1N q(z_i \mid x_i) + \frac{N-1}{N(B-1)} \sum_{k \ne i} q(z_i \mid x_k)`. This is
    appendix C.2 with every pair weighted alike; widely copied code writes the weights to the wrong places.

    Args:
        log_density: As for :func:`minibatch_weighted`; B is at least 2.
        population: N, the number of images that the aggregate is taken over, at least B.

    Returns:
        log q(z_i), ``(B,)``, and log q(z_ij), ``(B, D)``.
    """
    batch = log_density.shape[0]
    others = math.log((population - 1) / population / (batch - 1))
    weights = torch.full((batch, batch), others, device=log_density.device, dtype=log_density.dtype)
    weights.fill_diagonal_(-math.log(population))
    return (log_density.sum(dim=2) + weights).logsumexp(dim=1), (log_density + weights[..., None]).logsumexp(dim=1)
