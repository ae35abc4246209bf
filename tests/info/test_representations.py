"""Synthetic representations are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.info.representations import REPRESENTATIONS, representation
from unbraid.types import Factor, FactorSpace

SPACE = FactorSpace([Factor("shape", 3), Factor("scale", 6), Factor("orientation", 40), Factor("x", 32)])
FACTORS = SPACE.sample(2000, np.random.default_rng(0))


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_representation_has_ten_finite_latents_and_is_the_same_again(name: str) -> None:
    codes = representation(name, FACTORS)
    assert codes.shape == (2000, 10)
    assert np.isfinite(codes).all()
    assert np.array_equal(codes, representation(name, FACTORS))


@pytest.mark.parametrize("name", [name for name in REPRESENTATIONS if name not in ("noisy", "random")])
def test_latents_stay_where_they_are_however_many_samples_are_asked(name: str) -> None:
    few, many = (representation(name, FACTORS[:count], sizes=SPACE.sizes) for count in (1000, 2000))
    assert np.abs(few - many[:1000]).max() < 1.0, "but for their noise"


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_single_factor_and_a_constant_one_are_fine(name: str) -> None:
    assert np.isfinite(representation(name, FACTORS[:, :1])).all()
    assert np.isfinite(representation(name, np.zeros((50, 2), dtype=np.int64))).all()


def test_every_factor_can_be_read_from_the_rotated_codes_but_from_no_single_latent() -> None:
    codes = representation("rotated", FACTORS)
    back = np.stack([codes[:, 0] + codes[:, 1], codes[:, 0] - codes[:, 1]], axis=1) / np.sqrt(2)
    assert abs(np.corrcoef(back[:, 0], FACTORS[:, 0])[0, 1]) > 0.999
    assert max(abs(np.corrcoef(codes[:, d], FACTORS[:, 0])[0, 1]) for d in range(10)) < 0.8


def test_two_merged_factors_are_both_a_function_of_one_latent() -> None:
    latent = representation("merged", FACTORS)[:, 0]
    for value in np.unique(latent):
        assert len(np.unique(FACTORS[latent == value, :2], axis=0)) == 1


def test_the_circle_goes_to_the_factor_of_most_values() -> None:
    codes = representation("periodic", FACTORS)
    np.testing.assert_allclose(codes[:, 3] ** 2 + codes[:, 4] ** 2, 2.0)
    assert len(np.unique(codes[:, 3:5].round(6), axis=0)) == 40


def test_the_dead_codes_have_three_latents_alive_and_the_all_dead_none() -> None:
    assert (representation("dead", FACTORS).std(axis=0) > 0).sum() == 3
    assert not representation("all dead", FACTORS).any()
