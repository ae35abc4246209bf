"""The interventional robustness score, against loops over groups and against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.scores.irs import irs


@pytest.mark.parametrize("bins", [20, None])
def test_irs_is_one_less_the_deviation_within_groups(bins: int | None) -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (3, 6, 40), size=(1500, 3))
    codes = np.column_stack([factors + generator.normal(size=(1500, 3)), factors[:, 1] - 0.3 * factors[:, 0]])
    codes = np.column_stack([codes, np.zeros(1500)])
    robust, weights = [], []
    for d in range(4):
        greatest = np.abs(codes[:, d] - codes[:, d].mean()).max()
        row = []
        for f in range(3):
            values = factors[:, f]
            if bins is not None:
                values = np.digitize(values, np.histogram(values, bins)[1][:-1])
            strayed = []
            for value in np.unique(values):
                group = codes[values == value, d]
                strayed.append(np.quantile(np.abs(group - group.mean()), 0.99))
            row.append(1 - np.mean(strayed) / greatest)
        robust.append(max(row))
        weights.append(greatest)
    assert irs(codes, factors, bins=bins).value == pytest.approx(np.average(robust, weights=weights), rel=1e-10)


def test_bins_of_the_reference_merge_values_of_a_fine_factor() -> None:
    factors = np.stack(np.meshgrid(np.arange(40), np.arange(2)), axis=-1).reshape(-1, 2)
    assert irs(factors, factors, bins=None, quantile=1.0).value == pytest.approx(1.0)
    assert irs(factors, factors, quantile=1.0).value < 0.99


def test_a_dead_latent_has_no_weight_and_all_dead_have_no_robustness() -> None:
    factors = np.random.default_rng(0).integers(0, 4, size=(200, 2))
    codes = factors + np.random.default_rng(1).normal(size=(200, 2))
    dead = irs(np.column_stack([codes, np.full(200, 1e6)]), factors)
    assert dead.value == pytest.approx(irs(codes, factors).value, rel=1e-12)
    # The reference reports the sum of the codes as the number of active latents.
    assert dead.settings["dead_latents"] == [2]
    assert irs(np.full((200, 3), 2.0), factors).value == 0.0


def test_a_quantile_outside_the_unit_interval_is_refused() -> None:
    for quantile in (0.0, 1.1, float("nan")):
        with pytest.raises(InvalidOption, match="quantile"):
            irs(np.eye(4), np.arange(4)[:, None], quantile=quantile)
