"""MIG-sup against loops over scikit-learn's estimate, and on merged, duplicated and dead latents."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.migsup import migsup
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(3000, 3))


def slow_migsup(codes: Floats, factors: Integers) -> float:
    total = []
    for column in codes.T:
        bins = np.digitize(column, np.histogram(column, 20)[1][:-1])
        shares = [mutual_info_score(values, bins) / mutual_info_score(values, values) for values in factors.T]
        best, second = sorted(shares)[:-3:-1]
        total.append(best - second)
    return float(np.mean(total))


@pytest.mark.parametrize("name", ["perfect", "noisy", "mixed", "merged"])
def test_migsup_is_the_mean_gap_between_the_two_best_factors_of_a_latent(name: str) -> None:
    codes = representation(name, FACTORS)
    assert migsup(codes, FACTORS).value == pytest.approx(slow_migsup(codes, FACTORS), abs=1e-9)


def test_a_merged_latent_has_no_gap_and_a_copied_one_has_all() -> None:
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    assert migsup(grid @ [[4.0], [1.0]], grid).value == pytest.approx(0.0, abs=1e-12)
    assert migsup(np.column_stack([grid, grid]), grid).value == pytest.approx(1.0)


def test_latents_that_vary_and_know_nothing_count_and_dead_ones_do_not() -> None:
    # As in the published comparison: five latents of noise beside five perfect ones leave a half, dead ones leave all.
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5), np.arange(2)), axis=-1).reshape(-1, 3)
    codes = grid[:, :2].astype(float)
    assert migsup(np.column_stack([codes, grid[:, 2], grid[:, 2]]), grid[:, :2]).value == pytest.approx(0.5)
    assert migsup(np.column_stack([codes, np.zeros((50, 2))]), grid[:, :2]).value == pytest.approx(1.0)


def test_codes_that_are_all_dead_score_zero_and_not_nan() -> None:
    assert migsup(representation("all dead", FACTORS), FACTORS).value == 0.0


def test_a_single_bin_is_refused() -> None:
    with pytest.raises(InvalidOption, match="bins"):
        migsup(np.eye(3), np.arange(3)[:, None], bins=1)
