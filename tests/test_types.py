"""The laws of Factor and FactorSpace."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbraid.errors import InvalidData, UnknownName
from unbraid.types import Factor, FactorSpace

spaces = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(
    lambda sizes: FactorSpace([Factor(f"factor{i}", size) for i, size in enumerate(sizes)])
)
quick = settings(derandomize=True, deadline=None, max_examples=50)


@quick
@given(spaces)
def test_every_index_has_its_own_factors_and_back(space: FactorSpace) -> None:
    indices = np.arange(len(space))
    factors = space.factors(indices)
    assert len(space) == math.prod(space.sizes) == len(np.unique(factors, axis=0))
    assert np.array_equal(space.index(factors), indices)


@quick
@given(spaces)
def test_the_last_factor_varies_fastest(space: FactorSpace) -> None:
    rows = space.factors(np.arange(len(space))).tolist()
    assert rows == sorted(rows)


@quick
@given(spaces, st.integers(0, 2**32), st.data())
def test_fixed_factors_keep_their_value_and_others_stay_in_range(
    space: FactorSpace, seed: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(space.names))
    value = data.draw(st.integers(0, space[name].size - 1))
    drawn = space.sample(20, np.random.default_rng(seed), fixed={name: value})
    assert (drawn[:, space.position(name)] == value).all()
    assert ((drawn >= 0) & (drawn < space.sizes)).all()


def test_samples_reach_every_combination() -> None:
    space = FactorSpace([Factor("a", 2), Factor("b", 3)])
    counts = np.bincount(space.index(space.sample(6000, np.random.default_rng(0))), minlength=6)
    assert counts.min() > 880
    assert counts.max() < 1120


def test_values_are_in_the_unit_of_each_factor() -> None:
    space = FactorSpace([Factor("scale", 2, "ordinal", (0.5, 1.0)), Factor("x", 3)])
    assert space.values([[1, 2], [0, 0]]).tolist() == [[1.0, 2.0], [0.5, 0.0]]


def test_spaces_are_equal_if_their_factors_are() -> None:
    one, same, other = (FactorSpace([Factor("x", size)]) for size in (3, 3, 4))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


@pytest.mark.parametrize("index", [-1, 6])
def test_an_index_outside_the_space_is_refused(index: int) -> None:
    with pytest.raises(InvalidData, match=r"must lie in 0 \.\. 5"):
        FactorSpace([Factor("a", 2), Factor("b", 3)]).factors([0, index])


@pytest.mark.parametrize("row", [[0, 3], [-1, 0], [0], [0, 0, 0]])
def test_factor_values_outside_the_space_are_refused(row: list[int]) -> None:
    with pytest.raises(InvalidData, match="factor"):
        FactorSpace([Factor("a", 2), Factor("b", 3)]).index([row])


def test_a_factor_fixed_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidData, match=r"'a' has values 0 \.\. 1, but was fixed to 2"):
        FactorSpace([Factor("a", 2)]).sample(1, np.random.default_rng(0), fixed={"a": 2})


def test_an_unknown_factor_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean orientation"):
        FactorSpace([Factor("orientation", 2)]).position("orientatoin")


def test_two_factors_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidData, match="different names"):
        FactorSpace([Factor("a", 2), Factor("a", 3)])


@pytest.mark.parametrize(("size", "values"), [(0, ()), (2, (1.0,))])
def test_a_factor_needs_values_as_many_as_its_size(size: int, values: tuple[float, ...]) -> None:
    with pytest.raises(InvalidData, match="factor 'a'"):
        Factor("a", size, "ordinal", values)
