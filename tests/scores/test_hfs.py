"""The Hausdorff distance from a factorised support, against distances taken one by one, and on known supports."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.hfs import hfs

FACTORS = np.random.default_rng(0).integers(0, (4, 5, 6), size=(2000, 3))


def test_hfs_is_the_worst_distance_of_a_combination_from_the_nearest_code() -> None:
    codes = np.random.default_rng(0).normal(size=(12, 3)) @ [[1.0, 0.7, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
    scaled = codes / codes.std(axis=0)
    worst = []
    for i, j in combinations(range(3), 2):
        distances = []
        for a, b in product(range(12), repeat=2):
            distances.append(min((scaled[a, i] - row[i]) ** 2 + (scaled[b, j] - row[j]) ** 2 for row in scaled))
        worst.append(max(distances))
    result = hfs(codes)
    assert result.value == pytest.approx(np.mean(worst), abs=1e-9)
    assert result.parts["widest"] == pytest.approx(max(worst), abs=1e-9)


def test_correlated_factors_are_forgiven_and_turned_ones_are_not() -> None:
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5)), axis=-1).reshape(-1, 2)
    correlated = np.vstack([grid, np.repeat(grid[[0, 6, 12, 18, 24]], 15, axis=0)])
    assert np.corrcoef(correlated.T)[0, 1] > 0.5
    assert hfs(correlated, batch=100).value == 0.0
    assert hfs(correlated @ [[1, 1], [1, -1]], batch=100).value > 0.5


def test_merged_and_repeated_latents_lie_far_from_their_product() -> None:
    scores = {name: float(hfs(representation(name, FACTORS)[:, :4])) for name in ("perfect", "duplicated", "mixed")}
    assert scores["perfect"] < scores["duplicated"]
    assert scores["perfect"] < scores["mixed"]


def test_dead_latents_and_units_change_nothing() -> None:
    codes = representation("mixed", FACTORS)
    padded = np.column_stack([1e-60 * codes[:, :1], 1e60 * codes[:, 1:], np.full((2000, 3), 0.1)])
    assert hfs(padded).value == pytest.approx(hfs(codes).value, rel=1e-9)
    assert hfs(representation("all dead", FACTORS)).value == 0.0
    assert hfs(FACTORS[:, :1]).value == 0.0


@pytest.mark.parametrize("option", [{"batch": 1}, {"batches": 0}])
def test_options_out_of_range_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(option))):
        hfs(FACTORS, **option)
