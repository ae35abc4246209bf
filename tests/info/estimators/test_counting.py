"""Counting and known channels: exact tables, the bias that is taken off, and the laws of information."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.discrete import mutual_information
from unbraid.info.estimators.channel import channel_information
from unbraid.info.estimators.plugin import Correction, plugin_information, table_information
from unbraid.types import Floats, Integers

tables = arrays(np.float64, (3, 4), elements=st.floats(0.01, 1))
labels = arrays(np.int64, (40, 2), elements=st.integers(0, 3))


def drawn(table: Floats, count: int, seed: int) -> tuple[Integers, Integers]:
    chosen = np.random.default_rng(seed).choice(table.size, count, p=table.ravel() / table.sum())
    return chosen // table.shape[1], chosen % table.shape[1]


@given(tables)
def test_tables_have_information_that_is_symmetric_and_at_most_each_entropy(table: Floats) -> None:
    told = table_information(table)
    assert told == pytest.approx(table_information(table.T), abs=1e-12)
    assert 0 <= told <= math.log(3) + 1e-12
    assert table_information(np.outer(table.sum(axis=1), table.sum(axis=0))) == pytest.approx(0, abs=1e-12)


@given(tables, arrays(np.float64, (4, 5), elements=st.floats(0.01, 1)))
def test_what_is_processed_tells_no_more(table: Floats, channel: Floats) -> None:
    onwards = channel / channel.sum(axis=1, keepdims=True)
    assert table_information(table @ onwards) <= table_information(table) + 1e-12


@given(labels)
def test_uncorrected_counts_are_the_plain_estimate_and_symmetric(columns: Integers) -> None:
    a, b = columns.T
    plain = plugin_information(a, b, correction="none").value
    assert plain == pytest.approx(mutual_information(columns[:, :1], columns[:, 1:])[0, 0], abs=1e-9)
    for correction in ("miller-madow", "grassberger"):
        assert plugin_information(a, b, correction=correction).value == pytest.approx(
            plugin_information(b, a, correction=correction).value, abs=1e-12
        )


@pytest.mark.parametrize("correction", ["miller-madow", "grassberger"])
def test_corrections_take_most_of_the_bias_off(correction: Correction) -> None:
    table = np.eye(8) + 0.5
    true = table_information(table)
    runs = [drawn(table, 200, seed) for seed in range(60)]
    plain = np.mean([plugin_information(*run, correction="none").value for run in runs]) - true
    mended = np.mean([plugin_information(*run, correction=correction).value for run in runs]) - true
    assert plain == pytest.approx(49 / 400, abs=0.03)
    assert abs(mended) < plain / 3


def test_the_interval_of_counts_covers_the_truth_about_as_often_as_it_says() -> None:
    for table in (np.eye(4) + 0.3, np.ones((4, 4))):
        true = table_information(table)
        found = [plugin_information(*drawn(table, 400, seed)) for seed in range(100)]
        assert sum(one.low <= true <= one.high for one in found) >= 88


def test_scarce_counts_are_warned_of_and_wrong_ones_refused() -> None:
    generator = np.random.default_rng(0)
    scarce = plugin_information(generator.integers(0, 50, 60), generator.integers(0, 50, 60))
    assert "fewer than" in scarce.warning
    assert not plugin_information(np.arange(400) % 2, np.arange(400) // 200).warning
    with pytest.raises(InvalidOption, match="correction must be one of"):
        plugin_information(np.arange(4), np.arange(4), correction="nonesuch")  # type: ignore[arg-type]
    with pytest.raises(InvalidData, match="whole numbers"):
        plugin_information(np.ones(4), np.ones(4))
    with pytest.raises(InvalidData, match="joint distribution"):
        table_information([[0.0, -1.0]])


def channel(noise: float, count: int = 600, columns: int = 2) -> Floats:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(count, columns))
    z = x + noise * generator.normal(size=x.shape)
    distance = ((z[:, None] - x[None]) ** 2).sum(axis=2)
    density: Floats = -0.5 * distance / noise**2 - columns * math.log(noise)
    return density


def test_a_gaussian_channel_is_held_between_its_bounds() -> None:
    lower, upper = channel_information(channel(0.7))
    true = math.log(1 + 1 / 0.7**2)
    assert lower.value <= upper.value
    assert lower.low < true < upper.high
    assert upper.value - lower.value < 0.15
    assert not lower.warning


def test_a_channel_that_parts_all_inputs_is_said_to_be_full() -> None:
    lower, upper = channel_information(channel(1e-3, count=200))
    assert lower.saturated
    assert "take more" in lower.warning
    assert lower.value == pytest.approx(math.log(200), abs=1e-6)
    assert upper.value > 2 * lower.value
    with pytest.raises(InvalidData, match=r"\(N, N\)"):
        channel_information(np.zeros((3, 4)))
