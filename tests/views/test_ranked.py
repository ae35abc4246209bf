"""Ranks say which of two unrelated images has more of a factor."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.views.ranked import Ranked


def test_ranks_are_the_signs_of_the_differences_of_ordinal_factors(drawn) -> None:
    batch = Ranked(drawn, batch_size=500).batch(0)
    first, second = (drawn.factors(index.numpy()) for index in (batch.index, batch.other_index))
    assert np.array_equal(batch.order, np.sign(first - second)[:, [2, 3]])
    assert batch.order.dtype.itemsize == 1
    assert set(batch.order.unique().tolist()) == {-1, 0, 1}


def test_the_two_images_have_nothing_to_do_with_each_other(drawn) -> None:
    batch = Ranked(drawn, batch_size=20000).batch(0)
    first, second = (drawn.factors(index.numpy())[:, :4] for index in (batch.index, batch.other_index))
    assert np.abs(np.corrcoef(first.T, second.T)[:4, 4:]).max() < 5 / np.sqrt(20000)


def test_columns_follow_the_world_whatever_the_order_of_the_names(drawn) -> None:
    both = Ranked(drawn, factors=("y", "x")).batch(0).order
    assert np.array_equal(both, Ranked(drawn).batch(0).order)
    assert np.array_equal(both[:, 1:], Ranked(drawn, factors=("y",)).batch(0).order)


def test_a_factor_without_order_is_refused(drawn) -> None:
    with pytest.raises(
        InvalidOption, match=r"a ranking needs ordinal factors .* which 'hue' is not: choose among x, y"
    ):
        Ranked(drawn, factors=("hue",))
