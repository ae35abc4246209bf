"""Unfairness against loops over a predictor that is known exactly, and on codes that are fair and unfair."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.score import Sampler
from unbraid.scores.fairness import fairness
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("skill", 2), Factor("group", 3)])


def swayed(factors: Integers) -> Floats:
    """The skill, except that the last group is always taken for unskilled; the group itself is hidden."""
    return np.where(factors[:, 1] == 2, 0, factors[:, 0])[:, None].astype(float)


def test_unfairness_is_the_mean_total_variation_over_groups() -> None:
    # All trees can do is say what the latent says. Skill p in two groups, 0 in the third; the mean is 2 p / 3.
    result = fairness(Sampler(SPACE, swayed), train=600, points=4000)
    p = 0.5
    over_groups = np.mean([abs(p - 2 * p / 3), abs(p - 2 * p / 3), 2 * p / 3])
    assert result.parts["0"] == pytest.approx(over_groups, abs=0.02)
    assert result.parts["worst"] == pytest.approx(1 / 3, abs=0.03)
    # Asked for the group, a latent of 0 says the third and one of 1 either of the others: all or nothing by skill.
    assert result.parts["1"] == pytest.approx(1 / 3, abs=0.03)
    assert result.value == pytest.approx((result.parts["0"] + result.parts["1"]) / 2)


def test_factors_in_latents_of_their_own_are_fair_and_turned_ones_are_not() -> None:
    space = FactorSpace([Factor("a", 6), Factor("b", 6), Factor("colour", 1)])
    straight = fairness(Sampler(space, lambda f: f[:, :2].astype(float)))
    assert straight.value == pytest.approx(0.0, abs=1e-9)
    assert straight.parts["accuracy"] == 1.0
    sums = fairness(Sampler(space, lambda f: (f[:, :1] + f[:, 1:2]).astype(float)))
    assert sums.value > 0.2


def test_codes_that_say_nothing_are_fair_and_not_accurate() -> None:
    result = fairness(Sampler(SPACE, lambda f: np.zeros((len(f), 3))))
    assert result.value == pytest.approx(0.0, abs=1e-12)
    assert result.parts["accuracy"] < 0.6


def test_one_factor_alone_and_no_points_are_refused() -> None:
    with pytest.raises(InvalidData, match="1 factors of more than one value, but this needs at least 2"):
        fairness(Sampler(FactorSpace([Factor("skill", 2), Factor("colour", 1)]), lambda f: f.astype(float)))
    with pytest.raises(InvalidOption, match="points"):
        fairness(Sampler(SPACE, swayed), points=0)
