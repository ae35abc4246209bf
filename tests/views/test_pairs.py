"""Pairs differ in as many factors, and by as much, as their protocol says."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.types import Factor, FactorSpace
from unbraid.views.pairs import Pairs
from unbraid.world import LabelledWorld

MANY = 20000


def moves(world, **options):
    """The factors before and after, of many pairs."""
    batch = Pairs(world, batch_size=MANY, **options).batch(0)
    return world.factors(batch.index.numpy()), world.factors(batch.other_index.numpy())


@pytest.mark.parametrize("k", [1, 2, 4])
def test_uni_changes_exactly_k_factors_all_alike(drawn, k) -> None:
    before, after = moves(drawn, protocol="uni", k=k)
    changed = before != after
    assert (changed.sum(axis=1) == k).all()
    assert np.allclose(changed.mean(axis=0), [k / 4] * 4 + [0], atol=0.02)


def test_uni_takes_every_other_value_alike(drawn) -> None:
    before, after = moves(drawn, protocol="uni", k=1, factors=("hue",))
    shift = (after - before)[:, 1] % 7
    assert np.allclose(np.bincount(shift, minlength=7) / MANY, [0] + [1 / 6] * 6, atol=0.015)


def test_a_random_number_of_factors_is_alike_from_one_to_all_but_one(drawn) -> None:
    before, after = moves(drawn, protocol="uni")
    number = np.bincount((before != after).sum(axis=1), minlength=5) / MANY
    assert np.allclose(number, [0, 1 / 3, 1 / 3, 1 / 3, 0], atol=0.015)


def test_loc_redraws_one_or_k_factors_which_may_keep_their_value(drawn) -> None:
    before, after = moves(drawn, protocol="loc", k=3, factors=("hue", "x", "y"))
    # Half of the pairs redraw one factor, half all three; a redrawn one keeps its value with probability 1 / size.
    for column, size in ((1, 7), (2, 9), (3, 9)):
        redrawn = 0.5 / 3 + 0.5
        assert (before != after)[:, column].mean() == pytest.approx(redrawn * (1 - 1 / size), abs=0.015)
    all_three = (before != after)[:, 1:4].all(axis=1).mean()
    assert all_three == pytest.approx(0.5 * 6 / 7 * 8 / 9 * 8 / 9, abs=0.015)
    assert np.array_equal(before[:, [0, 4]], after[:, [0, 4]])


def test_loc_by_itself_redraws_one_factor_in_most_pairs(drawn) -> None:
    before, after = moves(drawn)
    # k is 1, 2 or 3 alike, and used in half of the pairs; no four factors ever change.
    number = np.bincount((before != after).sum(axis=1), minlength=6) / MANY
    keep = np.mean([1 / 4, 1 / 7, 1 / 9, 1 / 9])
    expected_none_of_one = (1 / 2 + 1 / 6) * keep
    assert expected_none_of_one < number[0] < expected_none_of_one + 0.02
    assert number[4] == 0
    assert number[1] > number[2] > number[3] > 0.05


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0])
def test_lap_moves_by_a_truncated_laplace_and_always_moves(drawn, rate) -> None:
    before, after = moves(drawn, protocol="lap", rate=rate, factors=("x", "y"))
    x = np.arange(9)
    table = np.exp(-rate * np.abs(x[:, None] - x) / np.log(9))
    table /= table.sum(axis=1, keepdims=True)
    elsewhere = np.where(np.eye(9, dtype=bool), 0, table)
    elsewhere /= elsewhere.sum(axis=1, keepdims=True)
    both_still = np.diag(table).mean()
    start = before[:, 2] == 3
    got = np.bincount(after[start, 2], minlength=9) / start.sum()
    # Where neither moves, one of the two, with equal odds, is drawn again among its other values.
    redrawn = table[3, 3] * both_still / 2
    expected = table[3] + redrawn * (elsewhere[3] - np.eye(9)[3])
    assert np.allclose(got, expected, atol=5 * np.sqrt(0.25 / start.sum()))
    assert (before != after).any(axis=1).all()


def test_lap_keeps_categories_and_a_larger_rate_moves_less(drawn) -> None:
    slow, fast = (moves(drawn, protocol="lap", rate=rate) for rate in (0.5, 8.0))
    for before, after in (slow, fast):
        assert np.array_equal(before[:, [0, 4]], after[:, [0, 4]])
    assert np.abs(fast[0] - fast[1]).mean() < 0.5 * np.abs(slow[0] - slow[1]).mean()
    huge = moves(drawn, protocol="lap", rate=1e6)
    assert (np.abs(huge[0] - huge[1]).sum(axis=1) == 1).all()


def test_a_random_rate_lies_between_its_ends(drawn) -> None:
    still = [(np.equal(*moves(drawn, protocol="lap", rate=rate)))[:, 2].mean() for rate in (1.0, -1.0, 10.0)]
    assert still[0] < still[1] < still[2]


def test_what_differs_is_told_only_when_asked_for(drawn) -> None:
    assert Pairs(drawn).batch(0).differ is None
    batch = Pairs(drawn, known=True, k=2).batch(0)
    truth = drawn.factors(batch.index.numpy()) != drawn.factors(batch.other_index.numpy())
    assert np.array_equal(batch.differ.numpy(), truth)
    assert np.array_equal((batch.x != batch.other).flatten(1).numpy(), truth)


def test_pairs_of_collected_images_exist_and_keep_to_the_protocol(collected) -> None:
    before, after = moves(collected, protocol="uni", k=1, factors=("hue", "x"))
    assert ((before != after).sum(axis=1) == 1).all()


def test_of_several_images_of_a_combination_any_may_be_the_second() -> None:
    space = FactorSpace([Factor("class", 2, "categorical")])
    labels = np.arange(40)[:, None] % 2
    world = LabelledWorld(np.zeros((40, 1, 1, 1), np.uint8), labels, space)
    batch = Pairs(world, batch_size=2000, protocol="uni", k=1).batch(0)
    assert set(batch.other_index.tolist()) == set(range(40))
    assert ((batch.index + batch.other_index) % 2 == 1).all()


def test_a_world_without_such_pairs_says_so() -> None:
    space = FactorSpace([Factor("x", 3), Factor("y", 3)])
    world = LabelledWorld(np.zeros((3, 1, 1, 1), np.uint8), np.array([[0, 0], [1, 1], [2, 2]]), space)
    assert len(Pairs(world, protocol="uni", k=2).batch(0)) == 64
    with pytest.raises(InvalidData, match=r"the world has too few pairs for Pairs\(.*k=1"):
        Pairs(world, protocol="uni", k=1).batch(0)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"k": 0}, "k must be -1 or 1 .. 4, the factors that may change, but is 0"),
    ({"k": 5}, "but is 5"),
    ({"k": 2, "factors": ("x",)}, r"1 \.\. 1"),
    ({"k": 1, "protocol": "lap"}, "lap moves every factor"),
    ({"protocol": "pal"}, "protocol must be one of loc, lap, uni, but is 'pal'"),
    ({"protocol": "lap", "factors": ("class",)}, "'class' is not: choose among hue, x, y"),
    ({"factors": ("only",)}, "at least two values, which 'only' is not"),
    ({"rate": 0.0}, "rate must be above 0"),
    ({"rate": float("nan")}, "rate must be"),
])  # fmt: skip
def test_an_option_out_of_range_is_refused(drawn, options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Pairs(drawn, **options)


def test_one_name_is_as_good_as_a_tuple_of_one(drawn) -> None:
    assert Pairs(drawn, factors="x").factors == ("x",)
    with pytest.raises(UnknownName, match="unknown factor 'z'"):
        Pairs(drawn, factors="z")
