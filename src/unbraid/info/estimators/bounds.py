r"""Variational bounds of mutual information, as functions of a critic's scores.

A critic f scores every x of a batch with every y of it: ``scores[i, j]`` is :math:`f(x_i, y_j)`, and pairs that belong
together lie on the diagonal. Every bound is a scalar in nats that gradients can follow.

References:
    Donsker and Varadhan, "Asymptotic evaluation of certain Markov process expectations for large time IV", 1983.
    Nguyen, Wainwright and Jordan, "Estimating divergence functionals by convex risk minimization", 2010.
    Belghazi et al., "MINE: mutual information neural estimation", ICML 2018, arXiv:1801.04062.
    van den Oord, Li and Vinyals, "Representation learning with contrastive predictive coding", 2018, arXiv:1807.03748.
    Song and Ermon, "Understanding the limitations of variational mutual information estimators", ICLR 2020,
    arXiv:1910.06222 (SMILE).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["donsker_varadhan", "infonce", "jensen_shannon", "nwj", "smile"]


def infonce(scores: Tensor) -> Tensor:
    r"""InfoNCE: :math:`\big\langle f(x_i, y_i) - \log \tfrac1B \sum_j e^{f(x_i, y_j)} \big\rangle`, at most log B.

    >>> round(infonce(100 * torch.eye(8)).item(), 4)  # log 8
    2.0794
    """
    return (scores.diagonal() - scores.logsumexp(dim=1)).mean() + math.log(scores.shape[1])


def nwj(scores: Tensor) -> Tensor:
    r"""Nguyen, Wainwright and Jordan: :math:`\langle f \rangle_{p(x, y)} - \langle e^{f - 1} \rangle_{p(x) p(y)}`.

    A lower bound for every critic, without the logarithm of a mean: its batches are unbiased, and vary as :math:`e^I`.

    >>> nwj(torch.ones(8, 8)).item()  # the best critic of independent variables
    0.0
    """
    return scores.diagonal().mean() - (_mean_apart(scores) - 1).exp()


def donsker_varadhan(scores: Tensor) -> Tensor:
    r"""Donsker and Varadhan: :math:`\langle f \rangle_{p(x, y)} - \log \langle e^f \rangle_{p(x) p(y)}`.

    A lower bound in expectation over everything; of a batch the logarithm is biased, upwards for the bound.

    >>> donsker_varadhan(torch.zeros(8, 8)).item()
    0.0
    """
    return scores.diagonal().mean() - _mean_apart(scores)


def smile(scores: Tensor, clip: float = 5.0) -> Tensor:
    r"""SMILE: Donsker and Varadhan's bound with :math:`e^f` held within :math:`e^{-\tau} .. e^\tau`.

    It varies little, and is no bound: what is clipped is missing from what is taken off.

    >>> round(smile(10 * torch.eye(8), clip=5.0).item(), 4)
    10.0
    """
    return scores.diagonal().mean() - _mean_apart(scores.clamp(-clip, clip))


def jensen_shannon(scores: Tensor) -> Tensor:
    r"""What trains a critic to tell pairs that belong together from others, by the softplus form; no bound of I.

    .. math:: -\langle \log(1 + e^{-f}) \rangle_{p(x, y)} - \langle \log(1 + e^f) \rangle_{p(x) p(y)}

    Its best critic is the logarithm of the ratio of densities, without exponentials of scores: steady gradients.
    """
    apart = F.softplus(scores)
    size = len(scores)
    return -F.softplus(-scores.diagonal()).mean() - (apart.sum() - apart.diagonal().sum()) / (size * (size - 1))


def _mean_apart(scores: Tensor) -> Tensor:
    """The logarithm of the mean of e to the scores over pairs that do not belong together."""
    size = len(scores)
    hidden = torch.eye(size, dtype=torch.bool, device=scores.device)
    return scores.masked_fill(hidden, -math.inf).flatten().logsumexp(dim=0) - math.log(size * (size - 1))
