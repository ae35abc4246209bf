"""InfoC against loops over scikit-learn's estimate, the reference's published values, and codes that broke it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.infoc import infoc

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))
FEW = FACTORS[:1500, [0, 1, 3]]


@pytest.mark.parametrize("name", ["noisy", "mixed"])
def test_infoc_is_the_mean_share_of_the_greatest_in_the_columns_of_active_latents(name: str) -> None:
    codes = representation(name, FEW)
    span = np.ptp(codes, axis=0)
    active = codes[:, span > span.max() / 20]
    ruled = []
    for values in FEW.T:
        known = []
        for column in active.T:
            scaled = ((column - column.mean()) / column.std())[:, None]
            estimate = mutual_info_classif(scaled, values, discrete_features=False, n_neighbors=10, random_state=0)
            known.append(estimate[0] / mutual_info_score(values, values))
        ruled.append((max(known) / sum(known) - 1 / len(known)) / (1 - 1 / len(known)))
    result = infoc(codes, FEW)
    assert list(result.parts.values()) == pytest.approx(ruled, abs=1e-6)
    assert result.value == pytest.approx(np.mean(ruled), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "published"),
    [("permuted", 0.997), ("periodic", 0.876), ("warped", 0.996), ("duplicated", 0.877), ("merged", 0.996)],
)
def test_known_codes_score_as_with_the_reference(name: str, published: float) -> None:
    assert infoc(representation(name, FACTORS), FACTORS).value == pytest.approx(published, abs=0.003)


def test_a_turn_by_45_degrees_leaves_a_half() -> None:
    assert infoc(representation("rotated", FACTORS), FACTORS).value == pytest.approx(0.5, abs=0.01)


def test_a_factor_in_two_of_six_latents_alike_has_two_fifths() -> None:
    # A share of a half, above an even sixth: (1/2 - 1/6) / (5/6).
    result = infoc(representation("duplicated", FACTORS), FACTORS)
    assert result.parts["4"] == pytest.approx(0.4, abs=0.01)


def test_codes_of_few_values_are_counted() -> None:
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    doubled = infoc(np.column_stack([grid, grid[:, 0]]), grid, discrete=True)
    assert doubled.parts == pytest.approx({"0": 0.25, "1": 1.0})  # (1/2 - 1/3) / (2/3)


def test_dead_latents_neither_crash_nor_count() -> None:
    assert infoc(representation("all dead", FEW), FEW).value == 0.0
    padded = np.column_stack([FEW, np.full((len(FEW), 7), 0.5)])
    assert infoc(padded, FEW).parts == pytest.approx(infoc(FEW, FEW).parts, abs=1e-12)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="neighbours"):
        infoc(FEW, FEW, neighbours=0)
