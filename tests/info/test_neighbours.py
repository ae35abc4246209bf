"""Mutual information by neighbours against scikit-learn's estimate, a slow derivation and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_classif

from unbraid.info.neighbours import neighbour_information
from unbraid.types import Floats, Integers


def slow_information(column: Floats, classes: Integers, k: int) -> float:
    several = np.isin(classes, [c for c in np.unique(classes) if np.sum(classes == c) > 1])
    column, classes, terms = column[several], classes[several], []
    for n in range(len(column)):
        own = np.flatnonzero((classes == classes[n]) & (np.arange(len(column)) != n))
        nearest = min(k, len(own))
        radius = sorted(abs(column[own] - column[n]))[nearest - 1]
        nearer = np.sum(abs(column - column[n]) < radius)
        terms.append(digamma(nearest) - digamma(len(own) + 1) - digamma(nearer))
    return max(0.0, float(digamma(len(column)) + np.mean(terms)))


def test_the_estimate_is_its_definition_and_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 5, 60), size=(400, 3))
    codes = factors[:, [1, 2, 0]] + generator.normal(size=(400, 3))
    known = neighbour_information(codes, factors, neighbours=4)
    scaled = codes / codes.std(axis=0)
    for f in range(3):
        assert known[:, f] == pytest.approx([slow_information(c, factors[:, f], 4) for c in scaled.T], abs=1e-9)
        if f == 2:
            continue  # for classes of few samples scikit-learn's distances are rounded, and borders fall wrongly
        reference = mutual_info_classif(scaled, factors[:, f], discrete_features=False, n_neighbors=4, random_state=0)
        assert known[:, f] == pytest.approx(reference, abs=1e-9)


def test_a_shift_by_one_standard_deviation_tells_what_the_integral_says() -> None:
    generator = np.random.default_rng(1)
    classes = generator.integers(0, 2, size=(20000, 1))
    codes = 2.0 * classes + generator.normal(size=(20000, 1))

    def density(x: float) -> float:
        return float(0.5 * norm.pdf(x) + 0.5 * norm.pdf(x - 2))

    whole = quad(lambda x: -density(x) * np.log(density(x)), -10, 12)[0] - norm.entropy()
    assert neighbour_information(codes, classes)[0, 0] == pytest.approx(whole, abs=0.015)


def test_equal_numbers_of_one_class_tell_it_whole() -> None:
    values = np.random.default_rng(0).integers(0, 8, size=(4000, 2))
    known = neighbour_information(values.astype(float), values)
    assert known == pytest.approx(np.log(8) * np.eye(2), abs=0.02)


def test_shift_and_scale_change_nothing_and_constants_know_nothing() -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 4, size=(300, 1))
    codes = values + generator.normal(size=(300, 1))
    known = neighbour_information(np.column_stack([codes, -1e-6 * codes + 5, np.full(300, 2.0)]), values)[:, 0]
    assert known[1] == pytest.approx(known[0], abs=1e-3)
    assert known[2] == 0.0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_classes_of_one_sample_are_left_out(count: int) -> None:
    values = np.arange(count)[:, None]
    assert neighbour_information(values.astype(float), values).tolist() == [[0.0]]
