"""Generalisation under covariate shift where what the trees must say is known."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.representations import representation
from unbraid.score import Sampler
from unbraid.scores.covariateshift import covariateshift
from unbraid.types import Factor, FactorSpace

SPACE = FactorSpace([Factor("a", 4), Factor("b", 4)])


def test_factors_in_latents_of_their_own_are_read_at_values_never_seen() -> None:
    result = covariateshift(Sampler(SPACE, lambda f: np.sinh(f[:, ::-1])))
    assert result.value == 1.0
    assert result.parts["gap"] == 0.0


def test_a_sum_is_read_as_if_the_other_had_stayed() -> None:
    # Learned where b = w: the code a + b says a = code - w, clipped; right elsewhere only where clipping helps.
    result = covariateshift(Sampler(SPACE, lambda f: f.sum(axis=1, keepdims=True).astype(float)), asked=3000)
    possible = []
    for w in range(4):
        right = [np.clip(a + b - w, 0, 3) == a for b in range(4) if b != w for a in range(4)]
        possible.append(np.mean(right))
    assert min(abs(result.parts["0"] - share) for share in possible) < 0.03
    assert min(abs(result.parts["1"] - share) for share in possible) < 0.03
    assert result.parts["unshifted"] == 1.0
    assert result.parts["gap"] == pytest.approx(1 - result.value)


def test_turned_codes_lose_what_straight_ones_keep() -> None:
    space = FactorSpace([Factor("a", 8), Factor("b", 8), Factor("c", 8)])
    turned = covariateshift(Sampler(space, lambda f: representation("rotated", f, sizes=space.sizes)))
    assert turned.parts["unshifted"] > 0.9
    assert turned.parts["gap"] > 0.2
    assert turned.parts["2"] == pytest.approx(1.0, abs=0.02)  # the odd factor is not turned


def test_boosted_trees_do_as_well() -> None:
    sampler = Sampler(SPACE, lambda f: f.astype(float))
    assert covariateshift(sampler, train=200, asked=100, predictor="lightgbm").value == 1.0
    with pytest.raises(InvalidOption, match="'guess'"):
        covariateshift(sampler, train=20, predictor="guess")  # type: ignore[arg-type]


def test_codes_that_say_nothing_are_at_chance() -> None:
    result = covariateshift(Sampler(SPACE, lambda f: np.zeros((len(f), 3))), asked=3000)
    assert result.value == pytest.approx(0.25, abs=0.03)
    assert result.parts["gap"] == pytest.approx(0.0, abs=0.1)


def test_one_factor_alone_and_nothing_asked_are_refused() -> None:
    with pytest.raises(InvalidData, match="needs at least 2"):
        covariateshift(Sampler(FactorSpace([Factor("a", 4), Factor("colour", 1)]), lambda f: f.astype(float)))
    with pytest.raises(InvalidOption, match="asked"):
        covariateshift(Sampler(SPACE, lambda f: f.astype(float)), asked=0)
