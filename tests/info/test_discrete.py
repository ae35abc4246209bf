"""Binning, entropy and mutual information by counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.metrics import mutual_info_score

from unbraid.errors import InvalidData
from unbraid.info.discrete import discretise, entropy, mutual_information
from unbraid.types import Floats, Integers

finite = st.floats(-1e6, 1e6, width=32)
labels = arrays(np.int64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(-3, 3))


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=30), elements=finite), st.integers(1, 40))
def test_bins_are_those_of_a_histogram_to_the_last_one(codes: Floats, bins: int) -> None:
    for column, found in zip(codes.T, discretise(codes, bins).T, strict=True):
        least, greatest = column.min(), column.max()
        if least < greatest <= np.nextafter(least, np.inf) + abs(least) * 1e-14 * bins:
            continue  # numpy refuses to cut a range into more bins than it has numbers
        assert np.array_equal(found, np.digitize(column, np.histogram(column, bins)[1][:-1]))


def test_bins_of_ordinary_and_constant_columns_are_those_of_a_histogram() -> None:
    generator = np.random.default_rng(0)
    codes = np.column_stack(
        [generator.normal(size=5000), np.repeat(np.arange(40), 125), np.full(5000, 0.7), np.zeros(5000)]
    )
    expected = [np.digitize(column, np.histogram(column, 20)[1][:-1]) for column in codes.T]
    assert np.array_equal(discretise(codes, 20).T, expected)


@given(labels)
def test_information_is_symmetric_and_at_most_the_entropy(columns: Integers) -> None:
    shared = mutual_information(columns, columns)
    assert shared == pytest.approx(shared.T, abs=1e-12)
    assert np.diag(shared) == pytest.approx(entropy(columns), abs=1e-12)
    assert (shared <= np.minimum.outer(entropy(columns), entropy(columns)) + 1e-12).all()
    assert (shared >= 0).all()


@pytest.mark.parametrize("scale", [1, 10**9])
def test_information_is_that_of_pairwise_counting(scale: int) -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(-2, 5, size=(300, 4))
    second = first[:, :3] // 2 + generator.integers(0, (1, 3, 200), size=(300, 3))
    expected = [[mutual_info_score(a, b) for b in second.T] for a in first.T]
    assert mutual_information(first * scale, second * scale) == pytest.approx(np.array(expected), abs=1e-12)


def test_a_constant_column_shares_exactly_nothing() -> None:
    columns = np.random.default_rng(0).integers(0, 7, size=(1000, 2))
    assert (mutual_information(np.full((1000, 1), 3), columns) == 0).all()
    assert entropy(np.full((1000, 1), 3)) == [0]


def test_labels_that_are_not_whole_or_not_about_the_same_samples_are_refused() -> None:
    with pytest.raises(InvalidData, match="whole numbers"):
        entropy(np.zeros((3, 1)))
    with pytest.raises(InvalidData, match="3 and 4 rows"):
        mutual_information(np.zeros((3, 1), np.int64), np.zeros((4, 1), np.int64))
