"""What plots ask of codes: which latents live, in which order, and which factor each one tells of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.score import as_codes, as_factors
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["BINS", "as_divergence", "as_pair", "base", "dead", "favourites", "order", "shares", "telling"]

BINS = 20
"""Into how many equal bins a latent is cut to measure its information, as scores do."""
QUIET = 0.1
"""A latent whose KL is below this, in nats, carries nothing."""
STILL = 0.01
"""Where no KL is known: a latent whose variance is below this, and below this share of the largest, carries nothing."""


def as_pair(codes: Any, factors: Any, space: FactorSpace) -> tuple[Floats, Integers]:
    """Codes ``(N, D)`` and factors ``(N, F)`` of the same samples, checked against the space.

    Raises:
        InvalidData: When they do not fit together.
    """
    codes, factors = as_codes(codes), as_factors(factors)
    if len(codes) != len(factors):
        raise InvalidData(f"codes have {len(codes)} rows but factors {len(factors)}: they must be of the same samples")
    space.index(factors)
    return codes, factors


def as_divergence(divergence: Any, latents: int) -> Floats | None:
    """The mean KL of every latent, ``(D,)`` in nats, or None.

    Raises:
        InvalidData: When it is not one finite number for each latent.
    """
    if divergence is None:
        return None
    plain = divergence.detach().cpu() if hasattr(divergence, "detach") else divergence
    array: Floats = np.asarray(plain, dtype=np.float64)
    if array.shape != (latents,) or not np.isfinite(array).all():
        raise InvalidData(f"divergence must be {latents} finite numbers, one a latent, but is {array}")
    return array


def order(codes: Floats, divergence: Floats | None) -> Integers:
    """The latents with the most nats first, ``(D,)``; with the greatest variance first where no nats are known."""
    return np.argsort(-(codes.var(axis=0) if divergence is None else divergence), kind="stable").astype(np.int64)


def dead(codes: Floats, divergence: Floats | None) -> npt.NDArray[np.bool_]:
    """Which latents carry nothing, ``(D,)``."""
    if divergence is not None:
        return np.asarray(divergence < QUIET)
    variance = codes.var(axis=0)
    return np.asarray((variance < STILL) & (variance <= STILL * variance.max()))


def base(codes: Floats) -> Floats:
    """The code of the sample nearest to the median of all, ``(D,)``: a real one, and an ordinary one."""
    distance = np.square(codes - np.median(codes, axis=0)).sum(axis=1)
    return np.asarray(codes[distance.argmin()])


def shares(codes: Floats, factors: Integers) -> Floats:
    r"""The share of every factor's entropy that each latent carries, :math:`I(z_j; v_k) / H(v_k)`.

    Returns:
        ``(D, F)`` in 0 .. 1; NaN where a factor takes one value only and there is nothing to tell.
    """
    information, uncertain = mutual_information(discretise(codes, BINS), factors), entropy(factors)
    ratio = np.full(information.shape, np.nan)
    np.divide(information, uncertain, out=ratio, where=uncertain > 1e-12)
    return ratio


def telling(codes: Floats, factors: Integers) -> npt.NDArray[np.bool_]:
    r"""Where a latent carries more about a factor than chance explains, ``(D, F)``.

    Between independent columns of A and B values, N samples show :math:`(A - 1)(B - 1) / 2N` nats on average; twice
    that is more than three standard deviations above it from 18 degrees of freedom on.
    """
    bins = discretise(codes, BINS)
    freedom = np.outer(_sizes(bins) - 1, _sizes(factors) - 1)
    return np.asarray(mutual_information(bins, factors) > freedom / len(codes))


def favourites(codes: Floats, factors: Integers) -> list[tuple[int, float] | None]:
    """The factor of which each latent carries the greatest share, and the share; None where chance explains as much."""
    share = np.where(telling(codes, factors), np.nan_to_num(shares(codes, factors)), 0.0)
    return [(int(row.argmax()), float(row.max())) if row.max() > 0 else None for row in share]


def _sizes(columns: Integers) -> Integers:
    return np.array([len(np.unique(column)) for column in columns.T], dtype=np.int64)
