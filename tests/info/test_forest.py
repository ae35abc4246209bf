"""The quick reader of factors, on codes whose factors can be read."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.info.forest import answer
from unbraid.info.representations import representation

FACTORS = np.random.default_rng(0).integers(0, (3, 32, 32), size=(3000, 3))


@pytest.mark.parametrize("name", ["perfect", "warped", "duplicated"])
def test_factors_with_a_latent_of_their_own_are_read_whole(name: str) -> None:
    codes = representation(name, FACTORS)
    assert np.mean(answer(codes[:1000], FACTORS[:1000, 1], codes[1000:]) == FACTORS[1000:, 1]) > 0.99


def test_any_scale_and_any_labels_are_read_alike() -> None:
    codes = representation("mixed", FACTORS)
    named = answer(codes[:500], FACTORS[:500, 0], codes[500:])
    assert np.array_equal(answer(1e50 * codes[:500] - 3e49, 7 - FACTORS[:500, 0], 1e50 * codes[500:] - 3e49), 7 - named)


def test_dead_codes_and_single_values_leave_the_commonest() -> None:
    assert answer(np.zeros((5, 2)), np.array([1, 4, 4, 4, 1]), np.zeros((2, 2))).tolist() == [4, 4]
    assert answer(np.eye(3), np.array([6, 6, 6]), np.eye(3)).tolist() == [6, 6, 6]


def test_an_unknown_predictor_is_refused() -> None:
    with pytest.raises(InvalidOption, match="'guess'"):
        answer(np.eye(3), np.arange(3), np.eye(3), predictor="guess")  # type: ignore[arg-type]
