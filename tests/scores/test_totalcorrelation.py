"""Total correlation and Wasserstein correlation, against divergences of Gaussians computed the long way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from unbraid.scores.totalcorrelation import totalcorrelation
from unbraid.types import Floats


def correlated(count: int = 500) -> Floats:
    generator = np.random.default_rng(0)
    return generator.normal(size=(count, 4)) @ generator.normal(size=(4, 4)) * [1.0, 10.0, 0.1, 3.0] + 5.0


def test_it_is_the_divergence_of_a_gaussian_from_the_product_of_its_margins() -> None:
    codes = correlated()
    covariance = np.cov(codes, rowvar=False)
    margins = np.diag(np.diag(covariance))
    divergence = np.trace(np.linalg.inv(margins) @ covariance) - 4
    divergence += np.log(np.linalg.det(margins) / np.linalg.det(covariance))
    assert totalcorrelation(codes).value == pytest.approx(divergence / 2, rel=1e-9)


def test_the_wasserstein_part_is_the_distance_between_the_two_gaussians() -> None:
    codes = correlated()
    covariance = np.cov(codes, rowvar=False)
    margins = np.diag(np.diag(covariance))
    root = sqrtm(margins)
    distance = np.trace(covariance + margins - 2 * sqrtm(root @ covariance @ root)).real
    parts = totalcorrelation(codes).parts
    assert parts["wasserstein"] == pytest.approx(distance, rel=1e-9)
    assert parts["wasserstein_normalised"] == pytest.approx(distance / np.trace(covariance), rel=1e-9)


def test_two_latents_of_known_correlation_have_the_known_value() -> None:
    x, y = np.linalg.qr(np.random.default_rng(0).normal(size=(100, 2)) - 0.0)[0].T
    x, y = x - x.mean(), y - y.mean()
    y = y - x * (x @ y) / (x @ x)
    x, y = x / np.sqrt(x @ x), y / np.sqrt(y @ y)
    result = totalcorrelation(np.column_stack([x, 0.6 * x + 0.8 * y]))
    assert result.value == pytest.approx(-0.5 * np.log(1 - 0.36))


def test_dead_latents_and_single_latents_correlate_with_nothing() -> None:
    # The reference takes the logarithm of their variance and gives NaN.
    codes = correlated()
    assert totalcorrelation(np.column_stack([codes, np.full(500, 7.0)])).value == pytest.approx(
        totalcorrelation(codes).value
    )
    assert totalcorrelation(codes[:, :1]).value == 0.0
    assert totalcorrelation(np.ones((5, 3))).value == 0.0
    assert totalcorrelation(codes[:1]).value == 0.0


def test_a_copy_costs_much_and_never_infinity() -> None:
    codes = correlated()
    assert 10 < totalcorrelation(np.column_stack([codes[:, 0], codes[:, 0]])).value < 40


def test_the_unit_of_a_latent_does_not_matter_to_the_total_correlation() -> None:
    codes = correlated()
    for scale in (1e-90, 1e90):
        assert totalcorrelation(codes * [scale, 1, 1, -1]).value == pytest.approx(totalcorrelation(codes).value)
        assert np.isfinite(list(totalcorrelation(codes * scale).parts.values())).all()
