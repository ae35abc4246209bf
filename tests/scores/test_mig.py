"""The mutual information gap, against loops over scikit-learn's estimate and against its own known answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.scores.mig import mig


def test_mig_is_the_gap_of_pairwise_mutual_information() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (3, 6, 40), size=(2000, 3))
    codes = np.column_stack([factors + generator.normal(size=(2000, 3)), factors[:, 1] - 0.3 * factors[:, 0]])
    shares = []
    for f in range(3):
        known = []
        for column in codes.T:
            bins = np.digitize(column, np.histogram(column, 20)[1][:-1])
            known.append(mutual_info_score(factors[:, f], bins))
        best, second = sorted(known)[:-3:-1]
        shares.append((best - second) / mutual_info_score(factors[:, f], factors[:, f]))
    result = mig(codes, factors)
    assert result.value == pytest.approx(np.mean(shares), rel=1e-12)
    assert list(result.parts.values()) == pytest.approx(shares, rel=1e-12)


def test_a_factor_held_twice_has_no_gap() -> None:
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)
    result = mig(np.column_stack([factors, factors[:, 0]]), factors)
    assert result.parts == pytest.approx({"0": 0.0, "1": 1.0})


def test_more_values_than_bins_keep_a_perfect_code_below_one() -> None:
    factors = np.stack(np.meshgrid(np.arange(40), np.arange(2)), axis=-1).reshape(-1, 2)
    # Two values share every bin: log 20 of log 40 nats are left.
    assert mig(factors, factors).parts["0"] == pytest.approx(np.log(20) / np.log(40))


def test_every_latent_keeps_its_own_samples() -> None:
    # Copied code elsewhere reads the samples of one latent as latents of one sample, and nothing is left of the gap.
    factors = np.random.default_rng(0).integers(0, (4, 5), size=(600, 2))
    order = np.random.default_rng(1).permutation(600)
    assert mig(factors[order], factors[order]).value == pytest.approx(mig(factors, factors).value)
    assert mig(factors, factors).value > 0.95
    assert mig(factors[order], factors).value < 0.05


def test_the_gap_is_a_share_of_the_entropy_of_the_factor_not_of_the_code() -> None:
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(2)), axis=-1).reshape(-1, 2)
    halved = np.column_stack([factors[:, 0] // 2, factors[:, 1]])
    assert mig(halved, factors).parts == pytest.approx({"0": 0.5, "1": 1.0})


def test_a_single_bin_is_refused() -> None:
    with pytest.raises(InvalidOption, match="bins"):
        mig(np.eye(3), np.arange(3)[:, None], bins=1)
