"""Information of numbers, by neighbours and as if Gaussian, against closed forms, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

from unbraid.errors import InvalidData
from unbraid.info.estimators.estimate import Estimate, estimated
from unbraid.info.estimators.gaussian import covariance_information, gaussian_information
from unbraid.info.estimators.ksg import ksg_information, mixed_information
from unbraid.types import Floats


def correlated(rho: float, columns: int, count: int, seed: int = 0) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    x, noise = generator.normal(size=(2, count, columns))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def closed(rho: float, columns: int) -> float:
    return -0.5 * columns * math.log(1 - rho**2)


def slow_ksg(x: Floats, y: Floats, k: int) -> float:
    apart = [np.abs(v[:, None] - v[None]).max(axis=2) for v in (x / x.std(axis=0), y / y.std(axis=0))]
    joint = np.maximum(*apart)
    terms = []
    for i in range(len(x)):
        radius = np.sort(np.delete(joint[i], i))[k - 1]
        near = [np.sum(np.delete(distance[i], i) < radius) for distance in apart]
        terms.append(digamma(k) + digamma(len(x)) - digamma(near[0] + 1) - digamma(near[1] + 1))
    return float(np.mean(terms))


def test_neighbours_are_counted_as_the_definition_says() -> None:
    x, y = correlated(0.6, 2, 150)
    assert ksg_information(x, y, neighbours=4).value == pytest.approx(slow_ksg(x, y, 4), abs=1e-6)


@pytest.mark.parametrize(("rho", "columns"), [(0.0, 1), (0.6, 1), (0.9, 1), (0.6, 2)])
def test_correlated_gaussians_share_what_the_formula_says(rho: float, columns: int) -> None:
    x, y = correlated(rho, columns, 2000)
    true = closed(rho, columns)
    for found in (ksg_information(x, y), mixed_information(x, y), gaussian_information(x, y)):
        assert found.value == pytest.approx(true, abs=0.08)
        assert found.low < found.value < found.high
        assert not found.warning


def test_neighbours_hardly_see_monotone_maps_and_not_which_side_is_which() -> None:
    x, y = correlated(0.8, 1, 1500)
    plain = ksg_information(x, y).value
    assert ksg_information(np.exp(x), y**3).value == pytest.approx(plain, abs=0.06)
    assert ksg_information(y, x).value == pytest.approx(plain, abs=1e-4)
    assert ksg_information(1e6 * x + 3, -y).value == pytest.approx(plain, abs=1e-4)
    assert gaussian_information(1e6 * x + 3, -y).value == pytest.approx(gaussian_information(y, x).value, abs=1e-9)


def test_noise_added_twice_tells_less() -> None:
    x, y = correlated(0.9, 1, 1500)
    later = y + np.random.default_rng(1).normal(size=y.shape)
    for estimator in (ksg_information, mixed_information, gaussian_information):
        assert estimator(x, later).value < estimator(x, y).value - 0.2


def test_many_columns_are_warned_of_where_neighbours_fall_short() -> None:
    x, y = correlated(0.9, 8, 600)
    found = ksg_information(x, y)
    assert found.value < closed(0.9, 8) / 2
    assert "understated" in found.warning
    same = ksg_information(x[:, 0], x[:, 0])
    assert same.saturated
    assert "cannot tell" in same.warning


def test_mixtures_of_points_and_densities_are_told_apart() -> None:
    # A label and a number that is noisy, uniform on an interval of its own for each label: log 5 - 4/5 log 2.
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 5, 3000)
    numbers = labels + generator.uniform(0, 2, 3000)
    assert mixed_information(labels, numbers).value == pytest.approx(math.log(5) - 0.8 * math.log(2), abs=0.04)
    # Half of the time y is x exactly; else it is drawn anew: of eight values alike.
    x, other = generator.integers(0, 8, (2, 3000))
    y = np.where(generator.random(3000) < 0.5, x, other)
    own = 0.5 + 0.5 / 8
    true = own * math.log(8 * own) + (1 - own) * math.log(8 * (1 - own) / 7)
    one_hot = (np.eye(8)[x], np.eye(8)[y])
    assert mixed_information(*one_hot).value == pytest.approx(true, abs=0.06)


def test_the_gaussian_estimate_is_unbiased_where_samples_are_few() -> None:
    true = closed(0.5, 4)
    found = [gaussian_information(*correlated(0.5, 4, 40, seed)) for seed in range(120)]
    values = np.array([one.value for one in found])
    assert abs(values.mean() - true) < 3 * values.std() / math.sqrt(120)
    assert sum(one.low <= true <= one.high for one in found) >= 0.85 * 120
    nothing = [gaussian_information(*correlated(0.0, 1, 100, seed)) for seed in range(100)]
    assert sum(one.low <= 0 <= one.high for one in nothing) >= 90


def test_known_covariances_are_exact() -> None:
    whole = np.array([[1, 0.3, 0.2], [0.3, 2, 0.5], [0.2, 0.5, 1]])
    turned = np.array([[2, 1, 0], [0, 1, 0], [0, 0, -3]]) @ whole @ np.array([[2, 1, 0], [0, 1, 0], [0, 0, -3]]).T
    assert covariance_information(whole, 2) == pytest.approx(covariance_information(turned, 2), abs=1e-12)
    assert covariance_information(np.diag([1.0, 2.0]), 1) == pytest.approx(0, abs=1e-12)
    with pytest.raises(InvalidData, match="positive definite"):
        covariance_information(np.ones((2, 2)), 1)
    with pytest.raises(InvalidData, match="both sides"):
        covariance_information(np.eye(2), 2)


def test_samples_that_do_not_fit_or_are_no_numbers_are_refused() -> None:
    for wrong in (np.zeros(9), np.full(10, np.nan), np.zeros((10, 0))):
        with pytest.raises(InvalidData):
            ksg_information(np.arange(10.0), wrong)
    with pytest.raises(InvalidData, match="fewer than 20 neighbours"):
        ksg_information(np.arange(10.0), np.arange(10.0), neighbours=20)
    with pytest.raises(InvalidData, match="11 samples or more"):
        gaussian_information(np.zeros((9, 4)), np.zeros((9, 4)))


def test_an_estimate_knows_its_units_and_when_it_is_held_down() -> None:
    found = Estimate(0.95, 0.9, 1.0, "lower bound", 100, 1.0, "full")
    assert found.saturated
    assert found.bits().ceiling == pytest.approx(1 / math.log(2))
    assert found.bits().bits() == found.bits()
    assert str(found) == "0.950 nats (0.900 .. 1.000), lower bound; full"
    assert float(found) == 0.95
    assert not Estimate(0.95, 0.9, 1.0).saturated
    assert estimated([1.0, 3.0]).high > 3
