"""MED against loops over scipy's entropy and scikit-learn's estimate, and its choice of the purest latents."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.med import med
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(3000, 3))


def slow_share(codes: Floats, factors: Integers) -> Floats:
    known = np.zeros((codes.shape[1], factors.shape[1]))
    for d, column in enumerate(codes.T):
        bins = np.digitize(column, np.histogram(column, 20)[1][:-1])
        for f, values in enumerate(factors.T):
            known[d, f] = mutual_info_score(values, bins)
    return known / known.sum(axis=0)


def slow_purity(rows: Floats) -> float:
    return float(sum((1 - entropy(row + 1e-11, base=len(row))) * row.sum() for row in rows) / rows.sum())


@pytest.mark.parametrize("name", ["perfect", "noisy", "mixed", "merged", "rotated"])
def test_med_is_dci_with_shares_of_information(name: str) -> None:
    codes = representation(name, FACTORS)
    share = slow_share(codes, FACTORS)
    result = med(codes, FACTORS)
    assert result.matrix == pytest.approx(share, abs=1e-9)
    expected = {"disentanglement": slow_purity(share), "completeness": slow_purity(share.T)}
    assert result.parts == pytest.approx(expected, abs=1e-9)
    assert result.value == result.parts["disentanglement"]


def test_top_k_keeps_the_purest_latents_of_every_factor() -> None:
    codes = representation("noisy", FACTORS)
    share = slow_share(codes, FACTORS)
    kept = []
    for f in range(3):
        mine = [d for d in range(len(share)) if share[d].argmax() == f]
        kept += sorted(mine, key=lambda d: entropy(share[d] + 1e-11))[:1]
    result = med(codes, FACTORS, top=1)
    assert result.value == pytest.approx(slow_purity(share[kept]), abs=1e-9)
    assert result.value > med(codes, FACTORS).value
    assert result.matrix is not None
    assert set(np.flatnonzero(result.matrix.any(axis=1))) == set(kept)


def test_dead_latents_change_neither_part() -> None:
    codes = representation("noisy", FACTORS)
    padded = np.column_stack([codes, np.full((len(codes), 4), 3.0)])
    assert med(padded, FACTORS).parts == pytest.approx(med(codes, FACTORS).parts, abs=1e-12)


def test_codes_that_are_all_dead_score_zero_and_not_nan() -> None:
    assert med(representation("all dead", FACTORS), FACTORS).parts == {"disentanglement": 0.0, "completeness": 0.0}


DSPRITES = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("permuted", 0.91),
        ("periodic", 0.917),
        ("duplicated", 0.911),
        ("merged", 0.726),
        ("noisy", 0.7),
        ("rotated", 0.541),
        ("random", 0.003),
    ],
)
def test_known_codes_score_as_with_other_implementations(name: str, published: float) -> None:
    assert med(representation(name, DSPRITES), DSPRITES).value == pytest.approx(published, abs=0.01)


def test_no_bins_and_no_latents_are_refused() -> None:
    with pytest.raises(InvalidOption, match="bins"):
        med(np.eye(3), np.arange(3)[:, None], bins=1)
    with pytest.raises(InvalidOption, match="top"):
        med(np.eye(3), np.arange(3)[:, None], top=0)
