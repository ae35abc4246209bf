"""Posteriors that become one, and which latents they should become one in.

References:
    Bouchacourt, Tomioka and Nowozin, "Multi-level variational autoencoder", AAAI 2018, arXiv:1705.08841.
    Hosoya, "Group-based learning of disentangled representations with generalizability for novel contents", IJCAI 2019,
    arXiv:1809.02383.
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020, arXiv:2002.02886.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unbraid.errors import InvalidData
from unbraid.nn.gaussian import Gaussian

__all__ = ["alike", "averaged", "blended", "multiplied", "told"]


def averaged(q: Gaussian) -> Gaussian:
    r"""The Gaussian of mean mean and mean variance.

    .. math:: \mu = \tfrac1G \sum_n \mu_n, \quad e^v = \tfrac1G \sum_n e^{v_n}

    Args:
        q: ``(B, G, D)``.

    Returns:
        ``(B, D)``; of G equal posteriors, that posterior.

    >>> averaged(Gaussian(torch.tensor([[[0.0], [2.0]]]), torch.zeros(1, 2, 1))).mean
    tensor([[1.]])
    """
    size = q.mean.shape[1]
    return Gaussian(q.mean.mean(dim=1), q.log_variance.logsumexp(dim=1) - math.log(size))


def multiplied(q: Gaussian, *, harmonic: bool) -> Gaussian:
    r"""The product of the densities, normalised.

    .. math:: e^{-v} = \sum_n e^{-v_n}, \quad \mu = e^v \sum_n \mu_n e^{-v_n}

    The product takes the posteriors for independent evidence: of G equal ones it has a G-th of their variance. With
    ``harmonic`` the variance is G times that, the harmonic mean, and G equal posteriors give that posterior.

    Args:
        q: ``(B, G, D)``.
        harmonic: Whether the variance is the harmonic mean.

    Returns:
        ``(B, D)``.

    >>> two = Gaussian(torch.zeros(1, 2, 1), torch.zeros(1, 2, 1))
    >>> [round(multiplied(two, harmonic=harmonic).log_variance.exp().item(), 3) for harmonic in (False, True)]
    [0.5, 1.0]
    """
    size = q.mean.shape[1]
    weight = (-q.log_variance).softmax(dim=1)
    log_variance = -(-q.log_variance).logsumexp(dim=1)
    return Gaussian((weight * q.mean).sum(dim=1), log_variance + (math.log(size) if harmonic else 0.0))


def alike(q: Gaussian, *, k: int = 0, symmetric: bool = False) -> Tensor:
    r"""Which latents two images share, judged by :math:`\delta_i = \mathrm{KL}(q_1(z_i) \,\|\, q_2(z_i))`.

    Where k latents differ, all but the k of largest :math:`\delta_i` are shared. Where nobody knows how many do, those
    are whose :math:`\delta_i` lies below the middle between the least and the largest of the pair.

    Args:
        q: ``(B, 2, D)``; no gradient passes to it.
        k: How many latents differ, at most D; 0 where that is not known.
        symmetric: Whether :math:`\delta_i` is the mean of both KLs.

    Returns:
        Bool, ``(B, D)``.

    >>> q = Gaussian(torch.tensor([[[0.0, 0.0, 0.0], [0.1, 3.0, 1.0]]]), torch.zeros(1, 2, 3))
    >>> alike(q), alike(q, k=2)
    (tensor([[ True, False,  True]]), tensor([[ True, False, False]]))
    """
    with torch.no_grad():
        first, second = (Gaussian(q.mean[:, n], q.log_variance[:, n]) for n in (0, 1))
        delta = first.divergences_from(second)
        if symmetric:
            delta = 0.5 * (delta + second.divergences_from(first))
        if k:
            return torch.ones_like(delta, dtype=torch.bool).scatter(1, delta.topk(k, dim=1).indices, False)
        return delta < 0.5 * (delta.amin(dim=1, keepdim=True) + delta.amax(dim=1, keepdim=True))


def told(differ: Tensor, latents: int) -> Tensor:
    """Which latents differ where latent i stands for factor i, and those beyond the factors for nothing.

    Args:
        differ: Which factors differ, bool ``(B, F)``.
        latents: How many latents there are, at least F.

    Returns:
        Bool, ``(B, latents)``.

    Raises:
        InvalidData: When there are fewer latents than factors.

    >>> told(torch.tensor([[True, False]]), 3)
    tensor([[ True, False, False]])
    """
    if differ.shape[1] > latents:
        raise InvalidData(
            f"pairs tell of {differ.shape[1]} factors, but the model has {latents} latents: it needs one a factor"
        )
    return torch.nn.functional.pad(differ, (0, latents - differ.shape[1]))


def blended(q: Gaussian, joint: Gaussian, shared: Tensor) -> Gaussian:
    """The joint posterior for the latents that are shared, everyone's own for the others.

    Args:
        q: ``(B, G, D)``.
        joint: ``(B, D)``.
        shared: Bool, ``(B, D)``.

    Returns:
        ``(B * G, D)``.
    """
    where = shared[:, None]
    return Gaussian(
        torch.where(where, joint.mean[:, None], q.mean).flatten(0, 1),
        torch.where(where, joint.log_variance[:, None], q.log_variance).flatten(0, 1),
    )
