"""InfoM against loops over scikit-learn's estimate, the reference's published values, and codes that broke it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.infom import infom
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))
FEW = FACTORS[:1500, [0, 1, 3]]


def slow_shares(codes: Floats, factors: Integers) -> Floats:
    """Latents x factors, as in the reference: standardised latents one by one, ten neighbours."""
    shares = np.zeros((codes.shape[1], factors.shape[1]))
    for d, column in enumerate(codes.T):
        scaled = ((column - column.mean()) / column.std())[:, None]
        for f, values in enumerate(factors.T):
            known = mutual_info_classif(scaled, values, discrete_features=False, n_neighbors=10, random_state=0)
            shares[d, f] = known[0] / mutual_info_score(values, values)
    return shares


@pytest.mark.parametrize("name", ["noisy", "mixed"])
def test_infom_is_the_mean_share_of_the_greatest_in_the_rows_of_active_latents(name: str) -> None:
    codes = representation(name, FEW)
    shares, span = slow_shares(codes, FEW), np.ptp(codes, axis=0)
    active = shares[span > span.max() / 20]
    expected = (np.mean([max(row) / sum(row) if sum(row) else 1 / 3 for row in active]) - 1 / 3) / (1 - 1 / 3)
    assert infom(codes, FEW).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "published"),
    [("permuted", 0.997), ("periodic", 0.995), ("warped", 0.996), ("duplicated", 0.997), ("merged", 0.841)],
)
def test_known_codes_score_as_with_the_reference(name: str, published: float) -> None:
    assert infom(representation(name, FACTORS), FACTORS).value == pytest.approx(published, abs=0.003)


def test_a_turn_by_45_degrees_leaves_a_half() -> None:
    # The fifth latent alone is not turned in ours, so only the four are looked at.
    assert infom(representation("rotated", FACTORS[:, :4]), FACTORS[:, :4]).value == pytest.approx(1 / 3, abs=0.02)
    assert infom(representation("rotated", FACTORS), FACTORS).value == pytest.approx(0.5, abs=0.01)


def test_codes_of_few_values_are_counted() -> None:
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    assert infom(grid / 7.0, grid, discrete=True).value == pytest.approx(1.0)
    assert infom(grid @ [[4.0], [1.0]], grid, discrete=True).value == pytest.approx(0.0, abs=1e-9)


def test_dead_latents_neither_crash_nor_count() -> None:
    # The reference divides 0 by 0 or stops; with numpy 2 it stops at every latent, at the array put into a scalar.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert infom(representation("all dead", FEW), FEW).value == 0.0
        alone = infom(FEW.astype(float), FEW)
        beside = infom(np.column_stack([FEW, np.full((len(FEW), 7), 0.5)]), FEW)
    assert beside.value == pytest.approx(alone.value, abs=1e-12)
    assert beside.settings["active_latents"] == 3


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="neighbours"):
        infom(FEW, FEW, neighbours=0)
    with pytest.raises(InvalidOption, match="least"):
        infom(FEW, FEW, least=-1.0)
