"""The rule for dead latents, which every score follows."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.info.alive import alive


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1.0, 1e30, 1e99])
def test_the_unit_of_a_latent_does_not_decide(unit: float) -> None:
    generator = np.random.default_rng(0)
    codes = np.column_stack([generator.normal(size=100), np.ones(100), 1.0 + 1e-3 * generator.normal(size=100)])
    assert alive(codes * unit).tolist() == [True, False, True]


def test_what_rounding_in_single_precision_makes_of_a_constant_is_dead() -> None:
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(200, 64)).astype(np.float32)
    # One sum in many orders differs in its last digits.
    sums = np.array([row[generator.permutation(64)].sum() for row in np.repeat(weights[:1], 200, axis=0)])
    assert len(np.unique(sums)) > 1
    assert not alive(sums[:, None].astype(np.float64)).any()


def test_a_latent_that_differs_in_one_sample_is_alive() -> None:
    codes = np.zeros((10_000, 1))
    codes[17] = 1e-5
    assert alive(codes).all()
    assert not alive(codes[:1]).any()
