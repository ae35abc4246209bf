"""Bounds on what was never seen: closed forms, order, and the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import rel_entr

from unbraid.errors import InvalidOption
from unbraid.info.generalisation import activation_bound, pac_bayes_bound


def test_the_bound_is_where_the_divergence_meets_its_budget() -> None:
    bound = pac_bayes_bound(0.1, 200, 5000, confidence=0.9)
    budget = (200 + math.log(2 * math.sqrt(5000) / 0.1)) / 5000
    assert rel_entr(0.1, bound) + rel_entr(0.9, 1 - bound) == pytest.approx(budget, rel=1e-9)
    # Without an error it is 1 - e^-budget.
    budget = (50 + math.log(2 * math.sqrt(400) / 0.05)) / 400
    assert pac_bayes_bound(0, 50, 400) == pytest.approx(1 - math.exp(-budget), rel=1e-9)


def test_more_information_fewer_samples_and_more_confidence_promise_less() -> None:
    plain = pac_bayes_bound(0.1, 200, 5000)
    assert pac_bayes_bound(0.1, 400, 5000) > plain
    assert pac_bayes_bound(0.1, 200, 2500) > plain
    assert pac_bayes_bound(0.1, 200, 5000, confidence=0.999) > plain
    assert pac_bayes_bound(0.1, 1e9, 10) == 1
    assert pac_bayes_bound(1, 0, 10) == 1
    with pytest.raises(InvalidOption, match="error must lie in"):
        pac_bayes_bound(1.1, 0, 10)


def test_a_unit_tells_more_by_half_a_nat_for_each_nat_of_its_weights_once_they_hold_much() -> None:
    assert activation_bound(12) - activation_bound(10) == pytest.approx(1, abs=1e-3)
    assert activation_bound(0) == pytest.approx(1 - 0.5 * math.log(1 - math.exp(-1)))


@pytest.mark.parametrize("nats", [0.1, 1.0, 3.0])
def test_a_layer_of_noisy_weights_tells_what_the_bound_says_but_for_a_little(nats: float) -> None:
    # Of z = w x with x normal: the entropy of z as a Gaussian, less that of z given x, for each unit by itself.
    generator = np.random.default_rng(0)
    weights, x = generator.normal(size=30), generator.normal(size=(20000, 30))
    alpha = math.exp(-nats)
    known = 0.5 * np.log(np.expm1(alpha) * (x**2 @ weights**2)).mean()
    told = 0.5 * math.log(math.exp(alpha) * (weights**2).sum()) - known
    assert activation_bound(nats) - 1 < told < activation_bound(nats) - 0.8
