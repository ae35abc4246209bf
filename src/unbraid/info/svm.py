r"""Linear support vector machines that see one number at a time, all classes of all label columns solved at once.

For class k and one number x, with :math:`y_n = 1` in the class and -1 outside, the weight w and the offset b minimise

.. math:: \tfrac12 (w^2 + b^2) + \sum_n C_n \max(0, 1 - y_n (w x_n + b))^2

as liblinear's L2-regularised squared-hinge machine does. The samples inside the margin are a half-line of the sorted x,
so every sum over them is a difference of two prefix sums: a Newton step costs a search, not a pass over the samples.

References:
    Fan et al., "LIBLINEAR: a library for large linear classification", JMLR 9, 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["single_latent_accuracy"]


def single_latent_accuracy(
    codes: Floats, factors: Integers, test_codes: Floats, test_factors: Integers, *, strength: float = 0.01
) -> Floats:
    """How often a linear machine that sees one latent names each factor's value rightly.

    One machine for each class against the rest, the greatest of them decides. As with scikit-learn's
    ``LinearSVC(C=strength, class_weight="balanced")``, samples of a class of n among N count ``N / (classes n)`` in its
    own machine and 1 in the others; with two classes there is one machine and both are balanced.

    Args:
        codes: What is learned from, ``(N, D)``.
        factors: The classes, at least two in every column, ``(N, F)``.
        test_codes: What is judged on, ``(M, D)``.
        test_factors: ``(M, F)``.
        strength: The weight C of a violation against the size of (w, b), above 0.

    Returns:
        The share of right answers, ``(D, F)``, in [0, 1].
    """
    named = [np.unique(column, return_inverse=True) for column in factors.T]
    sizes = np.array([len(values) for values, _ in named])
    starts = np.cumsum(sizes) - sizes
    classes = np.stack([start + inverse for start, (_, inverse) in zip(starts, named, strict=True)])
    counts = np.bincount(classes.ravel())
    inside = strength * len(codes) / (np.repeat(sizes, sizes) * counts)
    outside = np.full_like(inside, strength)
    for start in starts[sizes == 2]:
        outside[start : start + 2] = inside[start : start + 2][::-1]

    right = np.empty((codes.shape[1], factors.shape[1]))
    for d, (column, test_column) in enumerate(zip(codes.T, test_codes.T, strict=True)):
        weight, offset = _Machines.over(column, classes, counts, inside, outside).solve()
        heights = test_column[:, None] * weight + offset
        for f, (start, (values, _)) in enumerate(zip(starts, named, strict=True)):
            answers = values[heights[:, start : start + len(values)].argmax(axis=1)]
            right[d, f] = np.mean(answers == test_factors[:, f])
    return right


@dataclass
class _Machines:
    """One machine for each of K classes, over the N sorted values of one latent; moments are sums of 1, x and x^2."""

    scale: float
    x: Floats  # (N,) sorted, in [-1, 1]
    moments: Floats  # (3, N + 1) of the first n of x
    keys: Integers  # (F N,) class * (N + 1) + place in x, sorted
    class_moments: Floats  # (3, F N + 1) of x in the order of the keys
    begin: Integers  # (K,) where each class begins among the keys
    end: Integers
    inside: Floats  # (K,) the weight of a violation by a sample of the class
    outside: Floats  # (K,) and by one of the others

    @classmethod
    def over(cls, x: Floats, classes: Integers, counts: Integers, inside: Floats, outside: Floats) -> _Machines:
        scale = float(np.clip(np.abs(x).max(), 1e-100, 1e100))
        order = np.argsort(x)
        x = x[order] / scale
        ranked = classes[:, order]
        # A stable sort of 16-bit numbers is a radix sort.
        places = np.argsort(ranked.astype(np.uint16) if len(counts) < 2**16 else ranked, axis=1, kind="stable")
        keys = np.take_along_axis(ranked, places, axis=1) * (len(x) + 1) + places
        end = np.cumsum(counts)
        moments, class_moments = _prefix_moments(x), _prefix_moments(x[places.ravel()])
        return cls(scale, x, moments, keys.ravel(), class_moments, end - counts, end, inside, outside)

    def solve(self) -> tuple[Floats, Floats]:
        """The weights and offsets ``(K,)`` by Newton's method with step halving, which ends on the exact minimum."""
        point = np.zeros((2, len(self.inside)))
        loss, slope, step = self.newton(point)
        for _ in range(100):
            fall = -(slope * step).sum(axis=0)
            if not (active := fall > 1e-13 * (1.0 + loss)).any():
                break
            rate = active.astype(np.float64)
            for _ in range(40):
                trial = self.newton(point + rate * step)
                if (accepted := trial[0] <= loss - 1e-4 * rate * fall).all():
                    break
                rate = np.where(accepted, rate, rate / 2)
            point = point + rate * step
            loss, slope, step = trial
        return point[0] / self.scale, point[1]

    def newton(self, point: Floats) -> tuple[Floats, Floats, Floats]:
        """The loss ``(K,)``, its slope ``(2, K)`` and the Newton step ``(2, K)`` at weights and offsets ``(2, K)``."""
        w, b = point
        s, t = self.violations(w, b)
        s, t = self.inside * s, self.outside * t
        p, q = 1.0 - b, 1.0 + b
        ridge = self.scale**-2
        loss = 0.5 * (ridge * w**2 + b**2) + p**2 * s[0] - 2 * p * w * s[1] + q**2 * t[0] + 2 * q * w * t[1]
        loss = loss + w**2 * (s[2] + t[2])
        both = 2.0 * (s + t)
        slope_w = ridge * w + both[2] * w - 2 * p * s[1] + 2 * q * t[1]
        slope_b = b + both[1] * w - 2 * p * s[0] + 2 * q * t[0]
        ww, wb, bb = ridge + both[2], both[1], 1.0 + both[0]
        determinant = ww * bb - wb**2
        step = np.stack([wb * slope_b - bb * slope_w, wb * slope_w - ww * slope_b]) / determinant
        return loss, np.stack([slope_w, slope_b]), step

    def violations(self, w: Floats, b: Floats) -> tuple[Floats, Floats]:
        """The moments ``(3, K)`` of the samples inside the margin: of the class (w x + b < 1), of the others (> -1)."""
        rising = w >= 0
        slope = np.where(np.abs(w) > 1e-300, w, 1e-300)
        _, among = self.below((1.0 - b) / slope)
        low, high = np.where(rising, self.begin, among), np.where(rising, among, self.end)
        own = self.class_moments[:, high] - self.class_moments[:, low]
        place, among = self.below((-1.0 - b) / slope)
        low, high = np.where(rising, among, self.begin), np.where(rising, self.end, among)
        class_part = self.class_moments[:, high] - self.class_moments[:, low]
        low, high = np.where(rising, place, 0), np.where(rising, len(self.x), place)
        return own, self.moments[:, high] - self.moments[:, low] - class_part

    def below(self, threshold: Floats) -> tuple[Integers, Integers]:
        """How many of x are below each threshold ``(K,)``, and where that is among the keys of each class."""
        place = np.searchsorted(self.x, threshold)
        return place, np.searchsorted(self.keys, np.arange(len(threshold)) * (len(self.x) + 1) + place)


def _prefix_moments(x: Floats) -> Floats:
    totals = np.zeros((3, len(x) + 1))
    np.cumsum([np.ones_like(x), x, x**2], axis=1, out=totals[:, 1:])
    return totals
