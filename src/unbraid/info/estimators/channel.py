r"""Mutual information of a code and its input, where the conditional density of the code is known.

References:
    Poole, Ozair, van den Oord, Alemi and Tucker, "On variational bounds of mutual information", ICML 2019,
    arXiv:1905.06922, section 2.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from unbraid.errors import InvalidData
from unbraid.info.estimators.estimate import NEAR, Estimate, estimated

__all__ = ["channel_information"]


def channel_information(log_density: npt.ArrayLike) -> tuple[Estimate, Estimate]:
    r"""A lower and an upper bound of I(x; z) from samples :math:`z_i \sim q(z \mid x_i)` of a known channel.

    .. math:: \mathbb E \log \frac{q(z_i \mid x_i)}{\frac1N \sum_k q(z_i \mid x_k)} \;\le\; I(x; z) \;\le\;
              \mathbb E \log \frac{q(z_i \mid x_i)}{\frac1{N-1} \sum_{k \ne i} q(z_i \mid x_k)}

    The lower bound is at most log N. Nothing is fitted; where densities are known no critic should be asked. For a VAE
    whose images are all there, :func:`unbraid.info.decompose` computes the first bound without the matrix.

    Args:
        log_density: :math:`\log q(z_i \mid x_k)` in row i and column k, in nats: ``(N, N)``, N at least 3.

    Raises:
        InvalidData: When it is not a square matrix, or holds a number that is not one.

    >>> lower, upper = channel_information(np.zeros((8, 8)))  # a channel that ignores its input
    >>> abs(lower.value) < 1e-12, abs(upper.value) < 1e-12
    (True, True)
    """
    density = np.asarray(log_density, dtype=np.float64)
    if density.ndim != 2 or density.shape[0] != density.shape[1] or len(density) < 3:
        raise InvalidData(f"the densities of N samples under N inputs are (N, N), N at least 3, not {density.shape}")
    own = np.diag(density)
    if np.isnan(density).any() or not np.isfinite(own).all():
        raise InvalidData("a sample's density under its own input must be a finite number, and none may be no number")
    count = len(density)
    others = density.copy()
    np.fill_diagonal(others, -np.inf)
    ceiling = math.log(count)
    least = own - logsumexp(density, axis=1) + ceiling
    most = own - logsumexp(others, axis=1) + math.log(count - 1)
    full = least.mean() > NEAR * ceiling
    warning = f"of {count:,} inputs no more than log N = {ceiling:.2f} nats can be shown: take more" if full else ""
    return (
        estimated(least, kind="lower bound", ceiling=ceiling, warning=warning),
        estimated(most, kind="upper bound"),
    )
