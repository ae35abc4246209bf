r"""Mutual information of numbers by the distances to nearest neighbours.

References:
    Kraskov, Stögbauer and Grassberger, "Estimating mutual information", Physical Review E 69, 2004 (the first form).
    Gao, Kannan, Oh and Viswanath, "Estimating mutual information for discrete-continuous mixtures", NIPS 2017.
    Gao, Ver Steeg and Galstyan, "Efficient estimation of mutual information for strongly dependent variables", AISTATS
    2015 (why it falls short).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import digamma

from unbraid.errors import InvalidData, require_at_least
from unbraid.info.estimators.estimate import NEAR, Estimate, estimated, paired
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["ksg_information", "mixed_information"]

WIDE = 6
"""Columns of both sides together, beyond which neighbours of some thousand samples are no longer near."""


def ksg_information(first: npt.ArrayLike, second: npt.ArrayLike, *, neighbours: int = 3, seed: int = 0) -> Estimate:
    r"""The mutual information of two continuous variables, by the first form of Kraskov, Stögbauer and Grassberger.

    .. math:: I \approx \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle

    with :math:`n_x` the samples nearer in x alone than the k-th neighbour is in x and y together, by the largest
    difference of coordinates. Columns are brought to one spread. It is unbiased where there is nothing to find, hardly
    depends on the shape of distributions, and falls short where much is shared or columns are many: samples would have
    to grow as :math:`e^I`. Its interval is a little too narrow, since neighbours are neighbours of one another.

    Args:
        first: ``(N,)`` or ``(N, D)``.
        second: ``(N,)`` or ``(N, E)``.
        neighbours: k, at least 1 and below N.
        seed: Draws the dust that parts equal numbers, 1e-10 of their spread.

    Raises:
        InvalidData: When the samples do not fit together, or are too few.

    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> abs(ksg_information(x[:, 0], x[:, 1]).value) < 0.1
    True
    """
    x, y = _spread(first, second, neighbours)
    generator = numpy_generator(seed, "part equal numbers")
    x, y = (values + 1e-10 * generator.normal(size=values.shape) for values in (x, y))
    both = np.hstack([x, y])
    radius = cKDTree(both).query(both, k=[neighbours + 1], p=np.inf)[0][:, 0]
    # Strictly nearer: the neighbour that set the radius is not counted.
    inside = np.nextafter(radius, 0)
    near = [cKDTree(values).query_ball_point(values, inside, p=np.inf, return_length=True) for values in (x, y)]
    terms = digamma(neighbours) + digamma(len(x)) - digamma(near[0]) - digamma(near[1])
    return _told(terms, both.shape[1], neighbours)


def mixed_information(first: npt.ArrayLike, second: npt.ArrayLike, *, neighbours: int = 5) -> Estimate:
    r"""The mutual information of variables of any kind: continuous, discrete, or now one and now the other.

    .. math:: I \approx \big\langle \psi(\tilde k) + \log N - \psi(n_x + 1) - \psi(n_y + 1) \big\rangle

    as :func:`ksg_information`, but where the k-th neighbour is at distance 0, :math:`\tilde k` counts all that are. No
    dust is added: equal numbers mean something. The paper has logarithms in place of the last two, its program these,
    which understate less where neighbours are few. Labels that have no order should be given as one-hot columns.

    Args:
        first: ``(N,)`` or ``(N, D)``.
        second: ``(N,)`` or ``(N, E)``.
        neighbours: k, at least 1 and below N.

    Raises:
        InvalidData: When the samples do not fit together, or are too few.

    >>> labels = np.arange(600) % 3
    >>> round(mixed_information(labels, labels).value, 2)  # log 3
    1.1
    """
    x, y = _spread(first, second, neighbours)
    both = np.hstack([x, y])
    tree = cKDTree(both)
    radius = tree.query(both, k=[neighbours + 1], p=np.inf)[0][:, 0]
    tied = radius == 0
    k = np.full(len(x), neighbours, dtype=np.int64)
    if tied.any():
        k[tied] = tree.query_ball_point(both[tied], 0.0, p=np.inf, return_length=True)
    inside = np.where(tied, 0.0, np.nextafter(radius, 0))
    near = [cKDTree(values).query_ball_point(values, inside, p=np.inf, return_length=True) for values in (x, y)]
    # Counts hold the sample itself, which is the formula's + 1.
    terms = digamma(k) + np.log(len(x)) - digamma(near[0]) - digamma(near[1])
    return _told(terms, both.shape[1], neighbours)


def _spread(first: npt.ArrayLike, second: npt.ArrayLike, neighbours: int) -> tuple[Floats, Floats]:
    """Both, every column with a standard deviation of 1, or constant at 0."""
    require_at_least(1, neighbours=neighbours)
    x, y = paired(first, second)
    if neighbours >= len(x):
        raise InvalidData(f"{len(x)} samples have fewer than {neighbours} neighbours each: give more, or ask for fewer")
    scaled = []
    for values in (x, y):
        deviation = values.std(axis=0)
        scaled.append((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))
    return scaled[0], scaled[1]


def _told(terms: Floats, columns: int, neighbours: int) -> Estimate:
    ceiling = float(digamma(len(terms)) - digamma(neighbours))
    found = float(terms.mean())
    warning = ""
    if found > NEAR * ceiling:
        warning = f"neighbours of {len(terms):,} samples cannot tell of much more than {ceiling:.2f} nats"
    elif columns > WIDE and found > 0.5:
        warning = f"in {columns} columns the neighbours of {len(terms):,} samples are far: the amount is understated"
    about = {"neighbours": neighbours, "columns": columns}
    return estimated(terms, ceiling=ceiling, warning=warning, settings=about)
