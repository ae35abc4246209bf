"""E and S of DCI-ES against trees grown one by one, and on codes that need much or little of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.dcies import dcies

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(1200, 3))


@pytest.mark.parametrize("name", ["noisy", "mixed", "random"])
def test_explicitness_is_the_area_under_the_losses_of_trees_of_every_depth(name: str) -> None:
    codes = representation(name, FACTORS)
    train, test = slice(0, 800), slice(800, None)
    each, floors = [], []
    for values in FACTORS.T:
        losses = [np.mean(values[test] != np.bincount(values[train]).argmax())]
        for depth in range(1, 7):
            tree = DecisionTreeClassifier(criterion="entropy", max_depth=depth, random_state=0)
            named = tree.fit(codes[train], values[train]).predict(codes[test])
            losses.append(min(losses[-1], np.mean(named != values[test])))
        shares = np.array(losses) / losses[0]
        each.append(1 - 2 * np.trapezoid(shares) / 6)
        floors.append(1 - 2 * np.trapezoid(shares - shares[-1]) / 6)
    result = dcies(codes[train], FACTORS[train], test=(codes[test], FACTORS[test]), depth=6)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(each, abs=0.02)
    assert result.value == pytest.approx(np.mean(each), abs=0.01)
    assert result.parts["explicitness"] == pytest.approx(np.mean(floors), abs=0.02)


def test_noise_is_explicit_above_its_own_floor_and_at_the_bottom_above_zero() -> None:
    result = dcies(representation("random", FACTORS), FACTORS)
    assert result.parts["explicitness"] > 0.9
    assert result.value < -0.9


def test_turned_codes_are_as_informative_and_less_explicit() -> None:
    straight, turned = (dcies(representation(name, FACTORS), FACTORS) for name in ("perfect", "rotated"))
    assert turned.parts["informativeness"] == pytest.approx(straight.parts["informativeness"], abs=0.02)
    assert turned.value < straight.value - 0.05


def test_size_is_the_number_of_factors_for_each_latent_alive() -> None:
    padded = np.column_stack([FACTORS, FACTORS, np.zeros((1200, 4)), FACTORS[:, :0]])
    assert dcies(padded, FACTORS).parts["size"] == pytest.approx(0.5)
    dead = dcies(representation("all dead", FACTORS), FACTORS)
    assert dead.parts["size"] == 0.0
    assert dead.value == -1.0


def test_no_depth_is_refused() -> None:
    with pytest.raises(InvalidOption, match="depth"):
        dcies(FACTORS, FACTORS, depth=0)
