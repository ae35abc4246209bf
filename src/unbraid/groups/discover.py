"""Actions found in pairs of codes, though nobody tells which action, or how many there are.

Codes before and after an action are whitened, so that what acts on them linearly and comes back after finitely many
steps acts by orthogonal maps. A mixture of such maps is fitted to the pairs by expectation maximisation; the number of
maps, and which of them move the same part of the space, is read from the result.

References:
    Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 1966 (the maps).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unbraid.errors import InvalidData, require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["Discovery", "discover", "mixture", "moved", "parts", "polar", "whitening"]

ELBOW = 2.0
"""By how much one more map must lower the error to be an action: every true one but the last lowers it by less."""
WEAK = 0.1
"""A direction whose variance is less than this share of the greatest is not looked at: whitened, it would be noise."""
MOVED = 0.3
"""What a map moves: directions that it changes by at least this share of the one it changes most."""


@dataclass(frozen=True)
class Discovery:
    """What was found.

    Args:
        maps: Orthogonal, one for each action, in the coordinates of ``basis``, ``(K, D, D)``.
        action: Of each pair, ``(n,)``.
        errors: What is left of the pairs' squared steps with 1, 2, ... maps.
        part: Which part of the space each action moves, ``(K,)``: actions of one part belong to one subgroup.
        centre: The mean of the codes, ``(D,)``.
        basis: From centred codes to coordinates of unit variance, in which each part has axes of its own, part by part
            and what nothing moves last: ``(codes - centre) @ basis``. Directions that were not looked at have less.
        sizes: How many axes each part has; what is left of D is moved by nothing.
    """

    maps: Floats
    action: Integers
    errors: tuple[float, ...]
    part: Integers
    centre: Floats
    basis: Floats
    sizes: tuple[int, ...]


def discover(
    before: Floats, after: Floats, *, most: int = 8, restarts: int = 30, iterations: int = 40, seed: int = 0
) -> Discovery:
    r"""Find the actions in pairs of codes.

    With :math:`\epsilon_K` what K maps leave of the pairs' squared steps, the number of actions is the K for which
    :math:`\epsilon_{K-1} / \epsilon_K` is greatest, if that is at least 2, and else 1: with a map too few, pairs of
    some action are left over; with one too many, only noise is shared out. Actions belong to one part of the space
    when the subspaces that they move overlap by more than half.

    Args:
        before: Codes, ``(n, D)``.
        after: Codes one action later, ``(n, D)``.
        most: How many actions there may be, at least 1.
        restarts: From how many random beginnings each mixture is fitted, at least 1.
        iterations: Of each fit, at most; at least 1.
        seed: Draws the beginnings, at least 0.

    Raises:
        InvalidData: When the codes do not vary, or there are too few for so many maps.

    >>> angle = np.random.default_rng(0).uniform(0, 6.28, 200)
    >>> step = np.where(np.arange(200) % 2, 0.7, -0.7)
    >>> circle = lambda a: np.stack([np.cos(a), np.sin(a)], axis=1)
    >>> len(discover(circle(angle), circle(angle + step), most=4).maps)
    2
    """
    require_at_least(1, most=most, restarts=restarts, iterations=iterations)
    if before.shape != after.shape or len(before) < (most + 1) * (before.shape[1] + 1):
        raise InvalidData(
            f"{most} maps of {before.shape[1]} dimensions need pairs of codes of one shape, at least "
            f"{(most + 1) * (before.shape[1] + 1)}, but there are {before.shape} and {after.shape}"
        )
    centre, whiten = whitening(np.concatenate([before, after]))
    # It has one column for each principal direction, divided by the spread there.
    spread = 1 / np.linalg.norm(whiten, axis=0)
    weak = spread**2 < WEAK * spread.max() ** 2
    whiten, left = whiten[:, ~weak], (whiten * spread)[:, weak] / spread[~weak].mean()
    x, y = (before - centre) @ whiten, (after - centre) @ whiten
    generator = numpy_generator(seed, "discover")
    fits = [mixture(x, y, count, restarts, iterations, generator) for count in range(1, most + 1)]
    step = float(((y - x) ** 2).sum(axis=1).mean())
    errors = [error / step if step else 0.0 for _, _, error in fits]
    gains = [errors[k - 1] / max(errors[k], 1e-12) for k in range(1, most)]
    count = int(np.argmax(gains)) + 1 if gains and max(gains) >= ELBOW else 0
    maps, action, _ = fits[count]
    part, frame, sizes = parts(maps)
    acting = np.tile(np.eye(len(spread)), (len(maps), 1, 1))
    acting[:, : len(frame), : len(frame)] = frame.T @ maps @ frame
    return Discovery(acting, action, tuple(errors), part, centre, np.hstack([whiten @ frame, left]), sizes)


def whitening(codes: Floats) -> tuple[Floats, Floats]:
    """The mean of codes, and a matrix that gives them unit covariance, ``(D,)`` and ``(D, D)``.

    Raises:
        InvalidData: When there is a direction in which they do not vary.
    """
    centre = codes.mean(axis=0)
    value, vector = np.linalg.eigh(np.cov((codes - centre).T, bias=True).reshape(codes.shape[1], -1))
    if value[0] <= 1e-9 * max(value[-1], 1e-300):
        raise InvalidData(
            f"codes must vary in every direction to be whitened, but of {len(value)} their spread vanishes in "
            f"{int((value <= 1e-9 * max(value[-1], 1e-300)).sum())}: give fewer latents"
        )
    return centre, np.asarray(vector / np.sqrt(value))


def polar(matrix: Floats) -> Floats:
    """The nearest orthogonal matrices, ``(..., D, D)``."""
    left, _, right = np.linalg.svd(matrix)
    return np.asarray(left @ right)


def mixture(
    x: Floats, y: Floats, count: int, restarts: int, iterations: int, generator: np.random.Generator
) -> tuple[Floats, Integers, float]:
    """Orthogonal maps, the best one of which for each pair leaves least: hard expectation maximisation.

    All restarts run side by side. A map that explains too few pairs begins again on those that are explained worst.

    Args:
        x: Before, ``(n, D)``.
        y: After, ``(n, D)``.
        count: How many maps, K.
        restarts: How many beginnings, R.
        iterations: At most.
        generator: Draws the beginnings.

    Returns:
        The maps ``(K, D, D)``, the map of each pair ``(n,)``, and the mean squared error.
    """
    size, dimension = x.shape
    few = generator.random((restarts, count, size)).argpartition(dimension + 1, axis=2)[:, :, : dimension + 1]
    maps = polar(np.einsum("rkni,rknj->rkij", y[few], x[few]))
    best = np.full(restarts, np.inf)
    for _ in range(iterations):
        errors = _errors(maps, x, y)
        least = errors.min(axis=2)
        mean = least.mean(axis=1)
        if (best - mean < 1e-9).all():
            break
        best = np.minimum(best, mean)
        weight = (errors.argmin(axis=2)[:, :, None] == np.arange(count)).astype(np.float64)
        empty = weight.sum(axis=1) < dimension
        if empty.any():
            worst = least.argpartition(size - dimension - 1, axis=1)[:, -dimension - 1 :]
            for r, k in np.argwhere(empty):
                weight[r, :, k] = 0.0
                weight[r, worst[r], k] = 1.0
        maps = polar(np.einsum("rnk,ni,nj->rkij", weight, y, x, optimize=True))
    errors = _errors(maps, x, y)
    winner = int(errors.min(axis=2).mean(axis=1).argmin())
    return maps[winner], errors[winner].argmin(axis=1), float(errors[winner].min(axis=1).mean())


def _errors(maps: Floats, x: Floats, y: Floats) -> Floats:
    """Squared errors of maps ``(R, K, D, D)`` on pairs, ``(R, n, K)``."""
    # |Mx - y|^2 = |x|^2 + |y|^2 - 2 y.Mx for orthogonal M: one product in place of all the predictions.
    shared = (x**2).sum(axis=1) + (y**2).sum(axis=1)
    products = np.einsum("ni,nj->nij", y, x).reshape(len(x), -1) @ maps.reshape(-1, x.shape[1] ** 2).T
    errors = shared[:, None] - 2 * products
    return np.asarray(errors.reshape(len(x), *maps.shape[:2]).transpose(1, 0, 2)).clip(min=0.0)


def moved(map_: Floats) -> Floats:
    """An orthonormal basis of what a map moves, ``(D, r)``; empty for the identity."""
    left, value, _ = np.linalg.svd(map_ - np.eye(len(map_)))
    return np.asarray(left[:, (value > MOVED * value[0]) & (value > 1e-2)])


def parts(maps: Floats) -> tuple[Integers, Floats, tuple[int, ...]]:
    """Which maps move the same part of the space, an orthonormal frame with the parts in turn, and their sizes.

    >>> turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> two = np.stack([np.kron(np.diag([1, 0]), turn) + np.diag([0, 0, 1, 1]), np.diag([1.0, 1, 1, -1])])
    >>> parts(two)[0], parts(two)[2]
    (array([0, 1]), (2, 1))
    """
    bases = [moved(one) for one in maps]
    part = np.arange(len(maps))
    for i in range(len(maps)):
        for j in range(i):
            smaller = min(bases[i].shape[1], bases[j].shape[1])
            if smaller and ((bases[i].T @ bases[j]) ** 2).sum() > 0.5 * smaller:
                part[part == part[i]] = part[j]
    part = np.unique(part, return_inverse=True)[1]
    dimension, frames = maps.shape[1], np.zeros((maps.shape[1], 0))
    sizes = []
    for one in range(int(part.max()) + 1):
        members = [bases[i] for i in np.flatnonzero(part == one)]
        wide = max(basis.shape[1] for basis in members)
        together = np.linalg.svd(np.concatenate(members, axis=1))[0] if wide else np.zeros((dimension, 0))
        # A part has no more axes than are left: parts of overlapping maps share some.
        wide = min(wide, dimension - frames.shape[1])
        frames = np.concatenate([frames, together[:, :wide]], axis=1)
        sizes.append(wide)
    # In one piece again, and with what nothing moves at the end.
    left, _, right = np.linalg.svd(frames, full_matrices=True)
    turned = left[:, : frames.shape[1]] @ right
    return part, np.concatenate([turned, left[:, frames.shape[1] :]], axis=1), tuple(sizes)
