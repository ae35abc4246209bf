"""Single-neuron classification against every assignment tried, and on ties, turned and dead latents."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from unbraid.info.representations import representation
from unbraid.scores.snc import snc


def test_snc_names_the_bins_of_matched_latents_as_well_as_can_be() -> None:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 4), size=(900, 3))
    codes = factors @ generator.normal(size=(3, 4)) + 0.3 * generator.normal(size=(900, 4))
    train, test = slice(0, 600), slice(600, None)

    def bins(d: int, count: int, part: slice) -> np.ndarray:
        return np.array([np.sum(codes[train, d] < x) * count // 600 for x in codes[part, d]]).clip(max=count - 1)

    known = np.array(
        [[mutual_info_score(bins(d, f + 2, train), factors[train, f]) for f in range(3)] for d in range(4)]
    )
    chosen = max(permutations(range(4), 3), key=lambda order: sum(known[d, f] for f, d in enumerate(order)))
    shares = []
    for f, d in enumerate(chosen):
        own = bins(d, f + 2, train)
        naming = max(permutations(range(f + 2)), key=lambda names: np.sum(np.array(names)[own] == factors[train, f]))
        shares.append(np.mean(np.array(naming)[bins(d, f + 2, test)] == factors[test, f]))
    result = snc(codes[train], factors[train], test=(codes[test], factors[test]))
    assert result.matrix == pytest.approx(known, abs=0.01)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(shares, abs=0.01)


def test_values_that_are_not_equally_common_are_still_told_apart() -> None:
    # A border put among equal codes sends a value to its neighbour's bin: perfect codes then lose a third.
    factors = np.random.default_rng(0).integers(0, (3, 6, 40), size=(6000, 3))
    assert snc(representation("perfect", factors), factors).value == pytest.approx(1.0)


def test_turned_codes_are_told_badly_though_all_can_be_read_from_them() -> None:
    factors = np.random.default_rng(0).integers(0, 6, size=(3000, 2))
    assert snc(representation("rotated", factors), factors).value < 0.5


def test_dead_latents_and_too_few_latents_leave_chance() -> None:
    factors = np.random.default_rng(0).integers(0, 4, size=(4000, 3))
    assert snc(representation("all dead", factors), factors).value == pytest.approx(0.25, abs=0.03)
    assert snc(factors[:, :1], factors).value == pytest.approx((1 + 2 / 4) / 3, abs=0.03)
    beside = snc(np.column_stack([factors, np.zeros(4000)]), factors)
    assert beside.value == snc(factors, factors).value
