"""DCIMIG against loops over scikit-learn's estimate, and on merged, duplicated and dead latents."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.dcimig import dcimig
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(3000, 3))


def slow_dcimig(codes: Floats, factors: Integers) -> float:
    held = [0.0] * factors.shape[1]
    for column in codes.T:
        bins = np.digitize(column, np.histogram(column, 20)[1][:-1])
        known = [mutual_info_score(values, bins) for values in factors.T]
        home = int(np.argmax(known))
        held[home] = max(held[home], known[home] - sorted(known)[-2])
    return sum(held) / sum(mutual_info_score(values, values) for values in factors.T)


@pytest.mark.parametrize("name", ["perfect", "noisy", "mixed", "merged", "rotated"])
def test_dcimig_is_the_best_gap_of_the_latents_that_stand_for_a_factor(name: str) -> None:
    codes = representation(name, FACTORS)
    assert dcimig(codes, FACTORS).value == pytest.approx(slow_dcimig(codes, FACTORS), abs=1e-9)


def test_a_factor_held_twice_costs_nothing_and_two_in_one_latent_cost_both() -> None:
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    assert dcimig(np.column_stack([grid, grid[:, 0]]), grid).value == pytest.approx(1.0)
    assert dcimig(grid @ [[4.0], [1.0]], grid).value == pytest.approx(0.0, abs=1e-12)


def test_a_factor_no_latent_stands_for_has_nothing() -> None:
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(2)), axis=-1).reshape(-1, 2)
    result = dcimig(np.column_stack([grid[:, 0], np.zeros(8)]), grid)
    assert result.parts == pytest.approx({"0": 1.0, "1": 0.0}, abs=1e-12)
    assert result.value == pytest.approx(2 / 3)  # log 4 of log 4 + log 2


def test_codes_that_are_all_dead_score_zero_and_not_nan() -> None:
    assert dcimig(representation("all dead", FACTORS), FACTORS).value == 0.0


DSPRITES = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("permuted", 0.863),
        ("periodic", 0.838),
        ("duplicated", 0.863),
        ("merged", 0.701),
        ("noisy", 0.272),
        ("random", 0.001),
    ],
)
def test_known_codes_score_as_with_other_implementations(name: str, published: float) -> None:
    assert dcimig(representation(name, DSPRITES), DSPRITES).value == pytest.approx(published, abs=0.005)


def test_a_single_bin_is_refused() -> None:
    with pytest.raises(InvalidOption, match="bins"):
        dcimig(np.eye(3), np.arange(3)[:, None], bins=1)
